/** Which pages are protected: those of sites, or every page; and that a choice for one site rewrites no more than it must. */

/* global chrome */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openBackground } from "./background.js";
import { fromBrowser } from "./drive/demo.js";
import { startNews } from "./news.js";
import { installed, openPopup } from "./popup.js";
import { BROWSERS, createWorld } from "./world.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */

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
    /** @type {import("./background.js").Background} */
    let background;
    /** @type {import("./news.js").News} */
    let news;
    before(async () => {
      const { recipients, needs } = world.demo;
      news = await startNews((page, stranger) => `
        <script src="${recipients["analytics"]}/tag.js?id=news"></script>
        <script src="${needs["pay"]}/pay.js"></script>
        <script src="/own.js"></script>
        <img src="${recipients["photos"]}/clinic/image/upload/w_160,h_160,c_fill/30t1coj162ikym59xsjx.jpg">
        <img src="${stranger}/plain.gif">
        <img src="${stranger}/telling.gif?page=${encodeURIComponent(page)}">
        <iframe src="${recipients["widgets"]}/doctor/widget?doctor=camille-aubert"></iframe>`);
      browser = await world.launch(name, { extension: await world.extension(name) });
      await installed(browser);
      background = await openBackground(browser);
    });
    after(async () => {
      await browser.close();
      await news.close();
    });

    /** Opens an article. @returns who heard of it: recipients, what the stranger was asked, what the site was */
    const read = async () => {
      await browser.tab().open("about:blank");
      await world.demo.reset();
      news.stranger.length = news.asked.length = 0;
      await browser.tab().open(`${news.origin}/oncology/second-opinions-in-paris`);
      const board = await world.demo.settled();
      const popup = await openPopup(browser, browser.tab());
      const { mode, record } = await popup.state();
      await popup.close();
      return {
        told: board.recipients.filter(fromBrowser).map(({ key }) => key),
        needed: board.needs.filter(fromBrowser).map(({ key }) => key),
        stranger: [...new Set(news.stranger.map((line) => line.split(/[ ?]/)[1]))].sort(),
        own: news.asked.some((line) => line.includes("/own.js")),
        mode,
        record,
      };
    };

    /** What Chromium was told: the small rules' ids, and the large ones as a text, without the mark of what they are of. */
    const rules = async () => {
      if (name === "firefox") return { small: [], large: "" };
      return browser.extension(async () => {
        const all = await chrome.declarativeNetRequest.getDynamicRules();
        const large = all.filter(({ id }) => id >= 1000 && id !== 2_000_000_000);
        return { small: all.filter(({ id }) => id < 1000).map(({ id }) => id).sort(), large: JSON.stringify(large) };
      });
    };

    it("at first nothing is stopped, or written down, on a page of no site", async () => {
      assert.equal((await background.settings()).scope, "sites");
      const { told, own, mode, record, ...heard } = await read();
      assert.deepEqual(told, ["photos", "analytics", "widgets"]);
      assert.deepEqual(heard.needed, ["pay"]);
      assert.deepEqual(heard.stranger, ["/plain.gif", "/telling.gif"]);
      assert.ok(own);
      assert.equal(mode, "off");
      assert.equal(record, null);
    });

    it("with every page in scope nobody who is listed hears of it, nor who would be told of it", async () => {
      await background.ask({ type: "scope", scope: "all" });
      assert.equal((await background.settings()).scope, "all");
      const { told, own, mode, record, ...heard } = await read();
      assert.deepEqual(told, []);
      // Listed for third parties only, and needed on the booking site alone.
      assert.deepEqual(heard.needed, []);
      assert.deepEqual(heard.stranger, ["/plain.gif"]);
      assert.ok(own, "the page's own script was stopped");
      assert.equal(mode, "protect");
      assert.ok(record && record.domain === "news.localhost" && record.total.missed === 0, JSON.stringify(record));
      if (name === "firefox") {
        const { length } = await browser.extension(() => chrome.declarativeNetRequest.getDynamicRules());
        assert.equal(length, 0, "Firefox was given rules that it would apply anywhere");
      }
    });

    it("a site in another mode is one small rule", async () => {
      const before = await rules();
      await background.ask({ type: "mode", site: "news.localhost", mode: "off" });
      const off = await read();
      assert.deepEqual(off.told, ["photos", "analytics", "widgets"]);
      assert.deepEqual(off.stranger, ["/plain.gif", "/telling.gif"]);
      assert.equal(off.record, null);
      await background.ask({ type: "mode", site: "news.localhost", mode: "strict" });
      const strict = await read();
      assert.deepEqual(strict.told, []);
      assert.deepEqual(strict.stranger, []);
      assert.ok(strict.own, "the page's own script was stopped");
      const after = await rules();
      assert.equal(after.large, before.large);
      if (name === "chromium") assert.deepEqual([before.small, after.small], [[], [2, 4]]);
      await background.ask({ type: "allow", site: "news.localhost", host: "stranger.localhost", allow: true });
      assert.deepEqual((await read()).stranger, ["/plain.gif", "/telling.gif"]);
      await background.ask({ type: "forgetSite", site: "news.localhost" });
      assert.ok(!(await background.settings()).sites.some(({ domain }) => domain === "news.localhost"));
    });

    it("a site that was added is protected without the others", async () => {
      await background.ask({ type: "scope", scope: "sites" });
      assert.deepEqual((await read()).told, ["photos", "analytics", "widgets"]);
      await background.ask({ type: "mode", site: "news.localhost", mode: "protect" });
      const { sites } = await background.settings();
      assert.ok(sites.some(({ domain, listed, mode }) => domain === "news.localhost" && !listed && mode === "protect"));
      assert.deepEqual((await read()).told, []);
      await background.ask({ type: "mode", site: "news.localhost", mode: "off" });
      assert.deepEqual((await read()).told, ["photos", "analytics", "widgets"]);
    });

    it("what is no site, or no scope, is refused", async () => {
      for (const site of ["com", "co.uk", "www.news.example", "https://a.example/", "", 7, null]) {
        await assert.rejects(background.ask({ type: "mode", site, mode: "protect" }), /not a site/, String(site));
      }
      assert.equal((await background.ask({ type: "scope", scope: "everything" })) ?? null, null);
      await assert.rejects(background.ask({ type: "forgetSite", site: "else.example" }), /not a site/);
    });
  });
}
