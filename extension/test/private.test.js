/**
 * Private windows: protected as others are, once the user allows Paravent there,
 * and forgotten with the window. Neither the disk nor an ordinary window hears
 * of what was looked at in one.
 */

/* global chrome */
import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { after, before, it } from "node:test";
import { contacted } from "./drive/demo.js";
import { until } from "./drive/driver.js";
import { startHost } from "./drive/host.js";
import { installed, openPopup, wantPhotos } from "./popup.js";
import { BROWSERS, createWorld } from "./world.js";

/** A word of the page that was looked at, in an ordinary window and in a private one: it stands nowhere else. */
const WORDS = { ordinary: "quokkaordinary", secret: "numbatsecret" };

/** @type {import("./world.js").World} */
let world;
/** A third party that no list knows. @type {import("./drive/host.js").Host & {requests: () => number}} */
let stranger;
before(async () => {
  world = await createWorld();
  let count = 0;
  const host = await startHost("stranger.localhost", (request, response) => {
    if (request.method === "POST") count++;
    response.end();
  });
  stranger = { ...host, requests: () => count };
});
after(async () => {
  await world?.close();
  await stranger?.close();
});

/** @param {string} word */
const results = (word) => `${world.demo.site}/oncologist/paris?insurance=private&motive=${word}`;

/**
 * Files of a profile that hold a word, in the clear or as UTF-16.
 * @param {string} profile
 * @param {string} word
 */
async function filesWith(profile, word) {
  const found = [];
  for (const entry of await readdir(profile, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const bytes = await readFile(file).catch(() => Buffer.alloc(0));
    if (bytes.includes(word) || bytes.includes(Buffer.from(word, "utf16le"))) found.push(path.relative(profile, file));
  }
  return found;
}

/** All that the extension keeps, and what it has told the browser of pages. Runs in a page of it. */
async function everything() {
  const databases = await indexedDB.databases();
  return {
    session: await chrome.storage.session.get(null),
    local: await chrome.storage.local.get(null),
    databases: databases.map(({ name }) => name).toSorted(),
    rules: await chrome.declarativeNetRequest.getSessionRules(),
    visits: await chrome.runtime.sendMessage({ type: "visits" }),
  };
}

/** Tells a third party that nobody knows the page's address. Runs in a page. @param {string} origin */
function tell(origin) {
  return fetch(`${origin}/told`, { method: "POST", body: location.href, mode: "no-cors" }).then(() => true, () => false);
}

for (const name of BROWSERS) {
  it(`${name}: a private window is protected, apart from the others, and forgotten`, async (t) => {
    const profile = path.join(world.dir, `private-${name}`);
    const browser = await world.launch(name, { extension: await world.extension(name, { pollSeconds: 24 * 60 * 60 }), permanent: true, profile });
    await installed(browser);
    const ordinary = browser.tab();

    /** @returns {Promise<boolean | undefined>} whether the popup says that private windows are not protected */
    const isSaid = async () => {
      const popup = await openPopup(browser, ordinary);
      await popup.page.waitFor(() => !document.querySelector("main[aria-busy]"), { what: "the popup" });
      const said = await popup.page.evaluate(() => document.querySelector("#private")?.checkVisibility());
      await popup.close();
      return said;
    };

    await t.test("without leave its page tells everybody, and the popup says so over any other", async () => {
      const tab = await browser.privateTab(results(WORDS.secret));
      assert.ok(contacted(await world.demo.settled()).includes("analytics"));
      await tab.close();
      await ordinary.front();
      await ordinary.open(results(WORDS.ordinary));
      assert.equal(await isSaid(), true);
    });

    await browser.allowPrivate();
    await installed(browser);
    await wantPhotos(browser, results(WORDS.ordinary));
    assert.equal(await isSaid(), false);
    const page = await browser.extensionPage("ui/handout.html");
    const ask = (/** @type {object} */ message) => page.evaluate((asked) => chrome.runtime.sendMessage(asked), message);
    const kept = () => page.evaluate(everything);
    const shows = async (/** @type {number} */ tabId) => (await ask({ type: "state", tabId })).record?.photos.shown > 0;
    await ask({ type: "keep", keep: "day" });
    await ordinary.front();
    await ordinary.open("about:blank");
    await ask({ type: "forget" });
    const clean = await until(async () => {
      const now = await kept();
      return now.visits.length === 0 && JSON.stringify(now.session).length < 40 ? now : null;
    }, { what: "all to be forgotten" });
    assert.deepEqual(clean.rules, []);
    await world.demo.reset();

    await t.test("with it nobody hears, and photos are brought, none of them to the disk", async () => {
      const tab = await browser.privateTab(results(WORDS.secret));
      const tabId = await browser.tabId(tab);
      await until(() => shows(tabId), { what: "photos" });
      assert.deepEqual(contacted(await world.demo.settled()), []);
      const { visit } = await ask({ type: "visit", tabId, from: 0 });
      assert.ok(visit.pages.length > 0 && visit.pages.every((/** @type {{url: string}} */ { url }) => url.includes(WORDS.secret)));
      assert.deepEqual((await kept()).databases, clean.databases);
      // Chromium learns of it when it leaves, and of the page's address before.
      await tab.evaluate(tell, stranger.origin);
      if (name === "chromium") {
        await until(async () => (await kept()).rules.some(({ id, condition }) => id < 10_000 && condition.requestDomains?.includes("stranger.localhost")), { what: "the leak to be learnt" });
        assert.equal(await tab.evaluate(tell, stranger.origin), false);
        for (const { condition } of (await kept()).rules) assert.deepEqual(condition.tabIds, [tabId, -1], JSON.stringify(condition));
      }
      const before = stranger.requests();
      await ordinary.front();
      await ordinary.open(results(WORDS.ordinary));
      await ordinary.evaluate(tell, stranger.origin);
      // As if there were no other window: in Chromium it leaves once more.
      assert.equal(stranger.requests() - before, name === "chromium" ? 1 : 0);
      const ordinaryId = await browser.tabId(ordinary);
      await until(() => shows(ordinaryId), { what: "the ordinary window's photos" });
      await until(async () => (await kept()).databases.includes("photos"), { what: "its photos on disk" });
      const { visit: other } = await ask({ type: "visit", tabId: ordinaryId, from: 0 });
      assert.ok(other.pages.every((/** @type {{url: string}} */ { url }) => url.includes(WORDS.ordinary)));

      await tab.close();
      const left = await until(async () => {
        const now = await kept();
        const entries = Object.keys(now.session).flatMap((key) => key.split(":"));
        return entries.includes(String(tabId)) || now.rules.some(({ condition }) => condition.tabIds) ? null : now;
      }, { what: "the private tab to be forgotten" });
      assert.ok(!JSON.stringify(left).includes(WORDS.secret));
      assert.deepEqual(left.session["tabs"], [ordinaryId]);
      assert.deepEqual(left.visits.map((/** @type {{tabId: number}} */ { tabId }) => tabId), [ordinaryId]);
    });

    await t.test("a browser that ends with it open leaves nothing of it in the profile", async () => {
      const tab = await browser.privateTab(results(WORDS.secret));
      const tabId = await browser.tabId(tab);
      await until(() => shows(tabId), { what: "photos" });
      const report = await browser.extensionPage(`ui/report.html?tab=${tabId}`);
      await report.waitFor((word) => document.body.textContent?.includes(word), { args: [WORDS.secret], what: "the report" });
      await until(async () => JSON.stringify((await kept()).session).includes(WORDS.secret), { what: "the visit to be written" });
      assert.deepEqual(await filesWith(profile, WORDS.secret), []);
      await browser.close();
      assert.ok((await filesWith(profile, WORDS.ordinary)).length > 0, "the browser writes down no page at all");
      assert.deepEqual(await filesWith(profile, WORDS.secret), []);
    });
  });
}
