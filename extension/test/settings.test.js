/** Own rules decide, survive a new list and are refused as a whole; settings go into a backup and come back; nothing is kept that nobody is told of. */

/* global chrome */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { STORED } from "../background/stored.js";
import { openBackground } from "./background.js";
import { fromBrowser } from "./drive/demo.js";
import { until } from "./drive/driver.js";
import { startNews } from "./news.js";
import { installed, wantPhotos } from "./popup.js";
import { visit } from "./walk.js";
import { BROWSERS, createWorld } from "./world.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */

const RULES = "! mine\n||stranger.localhost^\n@@||widgets.localhost^$subdocument\n";

/** @type {import("./world.js").World} */
let world;
before(async () => {
  world = await createWorld();
});
after(() => world.close());

for (const name of BROWSERS) {
  describe(name, () => {
    /** @type {Browser} */
    let browser;
    /** @type {import("./world.js").LaunchOptions} */
    let start;
    /** @type {import("./background.js").Background} */
    let background;
    /** @type {import("./news.js").News} */
    let news;
    before(async () => {
      const { recipients } = world.demo;
      news = await startNews((_, stranger) => `
        <script src="${recipients["analytics"]}/tag.js?id=news"></script>
        <img src="${stranger}/plain.gif">
        <iframe src="${recipients["widgets"]}/doctor/widget?doctor=camille-aubert"></iframe>`);
      start = { extension: await world.extension(name), permanent: true, profile: path.join(world.dir, `profile-${name}`) };
      browser = await world.launch(name, start);
      await installed(browser);
      background = await openBackground(browser);
      await background.ask({ type: "mode", site: "news.localhost", mode: "protect" });
    });
    after(async () => {
      await browser.close();
      await news.close();
    });

    /** Opens an article. @returns who heard of it */
    const read = async () => {
      await browser.tab().open("about:blank");
      await world.demo.reset();
      news.stranger.length = 0;
      await browser.tab().open(news.origin);
      const board = await world.demo.settled();
      return [...board.recipients.filter(fromBrowser).map(({ key }) => key), ...(news.stranger.length > 0 ? ["stranger"] : [])];
    };

    it("own rules stop and let through", async () => {
      assert.deepEqual(await read(), ["stranger"]);
      await background.ask({ type: "rules", text: RULES });
      const { rules } = await background.settings();
      assert.deepEqual(rules, { text: RULES, count: 2, problems: [], state: "" });
      assert.deepEqual(await read(), ["widgets"]);
    });

    it("a text with a mistake is refused as a whole, by its line, and what was in force stays", async () => {
      const wrong = "||fine.example^\n||analytics.localhost^$nonsense\nexample.com##.banner";
      const { count, problems } = await background.ask({ type: "lintRules", text: wrong });
      assert.equal(count, 1);
      assert.deepEqual(problems.map((/** @type {{line: number}} */ { line }) => line), [2, 3]);
      assert.match(problems[0].text, /nonsense/);
      await assert.rejects(background.ask({ type: "rules", text: wrong }), /line 2: .*nonsense/);
      assert.equal((await background.settings()).rules.text, RULES);
      assert.deepEqual(await read(), ["widgets"]);
      // What this browser could not be told is as wrong as what nobody can read.
      const large = await background.ask({ type: "lintRules", text: "! a\n/[a-z]{99}[a-z]{99}x/\n*$script,to=stranger.*" });
      assert.deepEqual(large.problems.map((/** @type {{line: number}} */ { line }) => line), name === "firefox" ? [] : [2, 3]);
    });

    /**
     * Publishes a list, and takes it.
     * @param {string} what makes it another one
     * @param {() => Promise<unknown>} [meanwhile]
     */
    const takeNext = async (what, meanwhile = async () => {}) => {
      const file = path.join(world.sources, "telemetry.txt");
      await writeFile(file, `${await readFile(file, "utf8")}\n! reason: a test's own listener, which is told of a page\n! source: https://booking.localhost/\n! date: 2026-11-22\n||${what}-${name}.localhost^\n`);
      await world.publish();
      const index = async () => (await background.ask({ type: "lists" })).list.release?.index ?? -1;
      const before = await index();
      const taken = until(async () => {
        const { error } = await background.ask({ type: "update" });
        assert.equal(error, null, JSON.stringify(error));
        return (await index()) > before;
      }, { what: "the new list" });
      await Promise.all([taken, meanwhile()]);
    };

    it("own rules go into the next list", async () => {
      await takeNext("later");
      assert.equal((await background.settings()).rules.state, "");
      assert.deepEqual(await read(), ["widgets"]);
    });

    it("what is chosen while a list comes in is in force with it", async () => {
      await takeNext("rules", () => background.ask({ type: "rules", text: "" }));
      assert.deepEqual(await read(), ["stranger"]);
      await takeNext("back", () => background.ask({ type: "rules", text: RULES }));
      assert.deepEqual(await read(), ["widgets"]);
      // At every moment of it.
      const sites = Array.from({ length: 20 }, (_, i) => `site${i}.example`);
      await takeNext("modes", async () => {
        for (const site of sites) await background.ask({ type: "mode", site, mode: "protect" });
      });
      assert.equal((await background.ask({ type: "state", tabId: null })).problems.rules, "");
      for (const site of sites) await background.ask({ type: "forgetSite", site });
      assert.deepEqual(await read(), ["widgets"]);
    });

    it("a backup holds choices and nothing else, and brings them back", async () => {
      await background.ask({ type: "scope", scope: "all" });
      await background.ask({ type: "mode", site: "quiet.example", mode: "off" });
      await background.ask({ type: "allow", site: "news.localhost", host: "cdn.example", allow: true });
      const own = { name: "Mine", url: world.relay.url, key: world.relay.keys[0] };
      await background.ask({ type: "ownRelay", relay: own });
      assert.deepEqual((await background.settings()).relays, [{ name: "Mine", url: own.url, isOwn: true }]);
      const text = await background.ask({ type: "backup" });
      assert.deepEqual(JSON.parse(text), {
        format: "paravent backup 1",
        scope: "all",
        modes: { "news.localhost": "protect", "quiet.example": "off" },
        allowed: { "news.localhost": ["cdn.example"] },
        keep: "tab",
        ownRelay: own,
        rules: RULES,
      });
      await background.ask({ type: "scope", scope: "sites" });
      await background.ask({ type: "forgetSite", site: "quiet.example" });
      await background.ask({ type: "ownRelay", relay: null });
      await background.ask({ type: "rules", text: "" });
      assert.deepEqual(await read(), ["stranger"]);
      for (const [wrong, why] of /** @type {const} */ ([
        [text.replace("backup 1", "backup 2"), /format: .*want "paravent backup 1"/],
        [text.replace('"off"', '"offf"'), /modes: quiet\.example: "offf": want off/],
        [text.replace("$subdocument", "$nonsense"), /rules: line 3: /],
        [text.replace("cdn.example", "https://cdn.example/"), /allowed: news\.localhost: /],
        [text.slice(0, -5), /no backup/],
      ])) {
        await assert.rejects(background.ask({ type: "restore", text: wrong }), why);
      }
      assert.equal((await background.settings()).scope, "sites");
      await background.ask({ type: "restore", text });
      assert.equal(await background.ask({ type: "backup" }), text);
      assert.deepEqual(await read(), ["widgets"]);
    });

    it("own rules hold on the first page of the browser's next run", async () => {
      await browser.close();
      browser = await world.launch(name, start);
      assert.deepEqual(await read(), ["widgets"]);
      background = await openBackground(browser);
      assert.equal((await background.settings()).rules.state, "");
    });

    it("a relay that could not work is refused by its field", async () => {
      const good = { name: "Mine", url: "https://relay.example/", key: world.relay.keys[0] };
      for (const [relay, why] of /** @type {const} */ ([
        [{ ...good, name: " " }, /^name: /],
        [{ ...good, url: "http://relay.example/" }, /^url: .*https/],
        [{ ...good, url: "https://me:secret@relay.example/" }, /^url: /],
        [{ ...good, url: "nowhere" }, /^url: /],
        [{ ...good, key: "AAAA" }, /^key: /],
        [{ ...good, key: "?" }, /^key: .*base64/],
        ["text", /^name: /],
      ])) {
        await assert.rejects(background.ask({ type: "ownRelay", relay }), { message: why });
      }
    });

    it("nothing is kept that nobody is told of", async () => {
      await background.ask({ type: "keep", keep: "day" });
      await wantPhotos(browser, `${world.demo.site}/oncologist/paris?insurance=private`);
      await visit(browser.tab(), `${world.demo.site}/doctor/camille-aubert?insurance=private`);
      const page = await browser.extensionPage("ui/options.html");
      const kept = await page.evaluate(async () => ({
        local: Object.keys(await chrome.storage.local.get(null)),
        session: Object.keys(await chrome.storage.session.get(null)),
        sync: Object.keys(await chrome.storage.sync.get(null)),
        indexedDB: (await indexedDB.databases()).map((database) => database.name ?? ""),
        caches: await caches.keys(),
        localStorage: Object.keys(localStorage),
        sessionStorage: Object.keys(sessionStorage),
        cookies: document.cookie,
      }));
      await page.close();
      const { local, session, indexedDB: databases, ...others } = kept;
      assert.deepEqual(others, { sync: [], caches: [], localStorage: [], sessionStorage: [], cookies: "" });
      for (const [area, keys] of /** @type {const} */ ([["local", local], ["session", session], ["indexedDB", databases]])) {
        assert.ok(keys.length > 1, area);
        const told = STORED.filter((one) => one.area === area).map(({ key }) => key);
        const untold = keys.filter((key) => !told.some((one) => (one.endsWith("*") ? key.startsWith(one.slice(0, -1)) : key === one)));
        assert.deepEqual(untold, [], area);
      }
    });
  });
}
