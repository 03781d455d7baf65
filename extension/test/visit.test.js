/**
 * What a visit holds: every request of the tab on a protected site, with what
 * it carried, as those who received it know it. Saved as an archive and opened
 * again it gives the same report.
 */

/* global chrome */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { openDesk } from "../tools/modules.js";
import { openBackground } from "./background.js";
import { fromBrowser } from "./drive/demo.js";
import { until } from "./drive/driver.js";
import { installed } from "./popup.js";
import { visit } from "./walk.js";
import { BROWSERS, createWorld } from "./world.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */
/** @typedef {import("../background/visits.js").Visit} Visit */

/** @type {import("./world.js").World} */
let world;
/** @type {Uint8Array} */
let bundle;
before(async () => {
  world = await createWorld();
  bundle = await readFile(path.join(world.list, "list.bundle"));
});
after(() => world?.close());

const results = () => `${world.demo.site}/oncologist/paris?insurance=private`;
const doctor = () => `${world.demo.site}/doctor/camille-aubert?insurance=private`;

for (const name of BROWSERS) {
  describe(name, () => {
    /** @type {Browser} */
    let browser;
    /** @type {import("./background.js").Background} */
    let background;
    before(async () => {
      browser = await world.launch(name, { extension: await world.extension(name) });
      await installed(browser);
      background = await openBackground(browser);
    });
    after(() => browser?.close());

    /** @returns {Promise<Visit | null>} that of the browser's first tab */
    const visited = async () => {
      const part = await background.ask({ type: "visit", tabId: await browser.tabId(browser.tab()), from: 0 });
      return part && { ...part.visit, requests: part.requests };
    };

    /** Looks at two pages and waits until everything has been asked for. */
    const look = async () => {
      await browser.tab().open("about:blank");
      await world.demo.settled();
      await world.demo.reset();
      await visit(browser.tab(), doctor());
      await visit(browser.tab(), results());
      return world.demo.settled();
    };

    it("in mode watch it agrees with what each recipient received", async () => {
      await background.ask({ type: "mode", site: "booking.localhost", mode: "watch" });
      const board = await look();
      const kept = await visited();
      assert.ok(kept);
      assert.deepEqual([kept.mode, kept.dropped, kept.pages.map(({ url }) => url)], ["watch", 0, [doctor(), results()]]);
      let leaky = 0;
      for (const party of board.recipients) {
        // Browsers differ in whether they tell extensions that they ask for leave.
        const received = party.requests.filter(({ from, method }) => from === "browser" && method !== "OPTIONS");
        /** @type {Visit["requests"]} */
        const recorded = kept.requests.filter(({ url, method }) => url.startsWith(`${party.origin}/`) && method !== "OPTIONS");
        const lines = (/** @type {{method: string, url: string}[]} */ all) =>
          all.map(({ method, url }) => `${method} ${new URL(url, party.origin).href}`).sort();
        assert.deepEqual(lines(recorded), lines(received), party.key);
        assert.ok(recorded.every(({ outcome }) => outcome === "would"), `${party.key}: ${recorded.map(({ outcome }) => outcome)}`);
        // The address is the diagnosis: who was told it, by whatever way, is said to have been.
        const isTold = received.some(({ url, body = "", decoded = "", headers }) =>
          /oncologist.paris/.test(`${decodeURIComponent(url)} ${decodeURIComponent(body)} ${decoded} ${headers["referer"] ?? ""}`));
        const said = recorded.flatMap(({ told }) => told).some(({ text }) => /oncologist.paris/.test(text));
        assert.equal(said, isTold, `${party.key} was told ${party.requests.map(({ url, body, headers }) => `${url} ${body} ${headers["referer"]}`).join("\n")}`);
        leaky += Number(said);
      }
      assert.ok(leaky >= 4, `${leaky} recipients were told the page's address`);
    });

    it("saved and opened again it gives the same report, in every format as its readers want it", async () => {
      await background.ask({ type: "mode", site: "booking.localhost", mode: "protect" });
      const board = await look();
      assert.equal(board.recipients.reduce((sum, party) => sum + fromBrowser(party), 0), 0);
      const kept = await visited();
      assert.ok(kept);
      const desk = await openDesk();
      const happened = await desk.visit(kept, bundle);
      const har = await desk.export("har", kept, bundle);
      const again = await desk.audit(har, bundle);
      assert.deepEqual(again.report, happened.report);
      assert.deepEqual(again.entries, happened.entries);
      const stopped = again.report.recipients.filter(({ counts }) => counts.block + counts.relay > 0).map((one) => one.name);
      for (const organisation of ["Cumulus Images", "Northlight Analytics", "Sillage", "Plaza Ads"]) assert.ok(stopped.includes(organisation), organisation);
      assert.deepEqual(problems(JSON.parse(new TextDecoder().decode(har))), []);
      const inspection = JSON.parse(new TextDecoder().decode(await desk.export("inspection", kept, bundle)));
      assert.ok(inspection.beacons.some((/** @type {any} */ { filter }) => filter === "||ads.localhost^"));
      assert.ok(inspection.hosts.beacons.thirdParty.includes("metrics.booking.localhost"));
      const table = new TextDecoder().decode(await desk.export("csv", kept, bundle));
      assert.equal(table.split("\r\n").length, kept.requests.length + 2);
      await assert.rejects(desk.audit(new TextEncoder().encode("{}"), bundle), /log\.entries: is missing/);
    });

    it("none of it is on the disk", async () => {
      const local = await browser.extension(async () => JSON.stringify(await chrome.storage.local.get(null)));
      assert.ok(!/oncologist/.test(local), local);
    });

    it("it survives the background, and goes on", async () => {
      const before = await visited();
      assert.ok(before);
      await browser.stopBackground();
      const after = await visited();
      assert.deepEqual(after, before);
      await browser.stopBackground();
      await visit(browser.tab(), doctor());
      await world.demo.settled();
      const now = await visited();
      assert.ok(now && now.started === before.started, "another visit began");
      assert.deepEqual(now.requests.slice(0, before.requests.length), before.requests);
      assert.ok(now.requests.length > before.requests.length);
      assert.equal(now.pages.at(-1)?.url, doctor());
    });

    it("it ends elsewhere, with its tab, and when all is to be forgotten", async () => {
      const count = async () => (await background.ask({ type: "visits" })).length;
      await browser.tab().open("about:blank");
      await until(async () => (await count()) === 0, { what: "the visit to end" });
      const tab = await browser.newTab(results());
      await until(async () => (await count()) === 1, { what: "a visit" });
      await browser.stopBackground();
      await tab.close();
      await until(async () => (await count()) === 0, { what: "the visit to end with its tab" });
      await visit(browser.tab(), results());
      // Chromium's own rules name the pages as well.
      const told = () => browser.extension(async () => JSON.stringify(await chrome.declarativeNetRequest.getSessionRules()));
      if (name === "chromium") await until(async () => /oncologist/.test(await told()), { what: "the browser to be told of the page" });
      await visit(browser.tab(), doctor());
      await world.demo.settled();
      await background.ask({ type: "forget" });
      assert.equal(await visited(), null);
      if (name === "chromium") {
        assert.doesNotMatch(await told(), /oncologist/);
        assert.match(await told(), /camille-aubert/, "the page that is open is not guarded any more");
      }
      const left = () => browser.extension(async () => JSON.stringify(await chrome.storage.session.get(null)));
      await until(async () => !/oncologist|photos\.localhost/.test(await left()), { what: "everything to be forgotten" });
    });
  });
}

/** What the HTTP archive's schema says against an archive. @param {object} archive */
function problems(archive) {
  const load = createRequire(import.meta.url);
  const ajv = new (load("ajv"))({ allErrors: true });
  ajv.addMetaSchema(load("ajv/lib/refs/json-schema-draft-06.json"));
  ajv.addSchema(Object.values(load("har-schema")));
  ajv.validate("har.json#", archive);
  return (ajv.errors ?? []).map((/** @type {any} */ { dataPath, message }) => `${dataPath} ${message}`);
}
