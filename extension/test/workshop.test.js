/**
 * The workshop: led by keyboard alone, on the example without any network and
 * on a live visit, where what the stage says is compared with what the
 * recipients received.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openBackground } from "./background.js";
import { contacted } from "./drive/demo.js";
import { until } from "./drive/driver.js";
import { installed } from "./popup.js";
import { visit } from "./walk.js";
import { BROWSERS, createWorld } from "./world.js";

/** @typedef {import("./drive/driver.js").Tab} Tab */

/** @type {import("./world.js").World} */
let world;
before(async () => {
  world = await createWorld();
});
after(() => world.close());

/**
 * What the room sees.
 * @param {Tab} page
 */
const stageOf = (page) =>
  page.evaluate(() => {
    const text = (/** @type {ParentNode} */ of, /** @type {string} */ selector) => of.querySelector(selector)?.textContent ?? "";
    return {
      step: document.body.dataset["step"],
      title: text(document, "#title"),
      counts: [text(document, "#before-count"), text(document, "#after-count")],
      people: Array.from(document.querySelectorAll(".person"), (row) => ({
        name: text(row, "h3"),
        before: row.querySelector(".before")?.getAttribute("data-eye") ?? "",
        after: row.querySelector(".after")?.getAttribute("data-eye") ?? "",
        said: Array.from(row.querySelectorAll(".before li"), (item) => item.textContent ?? ""),
      })),
      heard: Array.from(document.querySelectorAll("#heard p"), (item) => item.textContent ?? ""),
      needed: Array.from(document.querySelectorAll("#needed li"), (item) => item.firstChild?.textContent ?? ""),
    };
  });

/**
 * Goes on by keys until an element has the focus, as a person does.
 * @param {Tab} page
 * @param {string} id
 */
async function focus(page, id) {
  await page.waitFor((wanted) => document.getElementById(wanted)?.checkVisibility(), { args: [id], what: `#${id} to be there` });
  for (let i = 0; i < 20; i++) {
    if (await page.evaluate((wanted) => document.activeElement?.id === wanted, id)) return;
    await page.press("Tab");
  }
  assert.fail(`#${id} cannot be reached by keyboard`);
}

/** @param {Tab} page @param {string} step */
const arrived = (page, step) => page.waitFor((name) => document.body.dataset["step"] === name, { args: [step], what: `step ${step}` });

for (const name of BROWSERS) {
  describe(name, () => {
    /** @type {import("./drive/driver.js").Browser} */
    let browser;
    before(async () => {
      browser = await world.launch(name, { extension: await world.extension(name) });
      await installed(browser);
    });
    after(() => browser.close());

    it("shows the example from the first step to the last, by keyboard alone and offline", async () => {
      await world.demo.reset();
      const page = await browser.extensionPage("ui/workshop.html?example");
      await page.waitFor(() => document.querySelector("main:not([aria-busy])") !== null);
      await page.press("ArrowRight");
      await arrived(page, "Guess");
      assert.deepEqual((await stageOf(page)).people, []);
      await page.press("Space");
      await arrived(page, "Before");
      // Eyes open one after another.
      await page.waitFor(() => document.querySelectorAll(".person").length === 1, { what: "the first eye" });
      await page.waitFor(() => document.querySelectorAll(".person").length === 8, { what: "the last eye" });
      const without = await stageOf(page);
      assert.deepEqual(without.people.map(({ before }) => before), Array(8).fill("lit"));
      assert.equal(without.counts[0], "8 learnt something");
      assert.equal(without.heard.length, 8);
      const photos = without.people.find((person) => person.name === "Cumulus Images");
      assert.deepEqual(photos?.said, ["Learnt which 8 photos you were shown."]);
      assert.match(without.people.find((person) => person.name === "Northlight Analytics")?.said[0] ?? "", /booking\.test\/oncologist\/paris/);
      await page.press("ArrowRight", "ArrowRight");
      await arrived(page, "After");
      await page.waitFor(() => document.querySelectorAll('.after[data-eye="dark"]').length === 8, { what: "all eyes to stay shut" });
      assert.deepEqual((await stageOf(page)).counts, ["8 learnt something", "0 learnt something"]);
      await page.press("ArrowRight", "ArrowRight");
      await arrived(page, "Limits");
      assert.deepEqual((await stageOf(page)).needed.toSorted(), ["Accord", "Humanly", "Obole", "Plan Clair", "Vis-à-vis"]);
      await page.press("ArrowLeft");
      await arrived(page, "Compare");
      await page.press("n");
      assert.equal(await page.evaluate(() => document.querySelector("#note")?.hasAttribute("hidden")), true);
      await focus(page, "reset");
      await page.press("Enter");
      await arrived(page, "Welcome");
      assert.deepEqual((await stageOf(page)).people, []);
      // Nobody was asked for anything.
      const { recipients, needs } = await world.demo.received();
      assert.deepEqual([...recipients, ...needs].filter(({ requests, connections }) => requests.length + connections > 0), []);
      assert.deepEqual(page.console, []);
      await page.close();
    });

    it("says of a live visit what the recipients received, before and after, and forgets it", async () => {
      const address = `${world.demo.site}/oncologist/paris?insurance=private`;
      const background = await openBackground(browser);
      const tab = browser.tab();
      await visit(tab, address);
      const page = await browser.extensionPage("ui/workshop.html");
      await page.waitFor(() => document.querySelectorAll("#choose-visits button").length === 2, { what: "the visit to be offered" });
      await page.evaluate(() => document.querySelector("#choose-visits")?.querySelector("button")?.focus());
      await page.press("Enter");
      await page.press("ArrowRight", "Space");
      await arrived(page, "Before");
      await focus(page, "listen");
      await page.press("Enter");
      await page.waitFor(() => document.querySelector("#listen")?.hasAttribute("hidden"), { what: "the site to be watched only" });

      await world.demo.reset();
      await visit(tab, address);
      const told = (await world.demo.settled()).recipients.filter(({ learnt }) => learnt.length > 0).map((party) => party.name);
      assert.ok(told.length >= 6, `${told}`);
      await page.front();
      const lit = async () => (await stageOf(page)).people.filter(({ before }) => before === "lit").map((person) => person.name);
      await until(async () => (await lit()).length === told.length, { what: "as many eyes as recipients that learnt something" });
      assert.deepEqual((await lit()).toSorted(), told.toSorted());

      await page.press("ArrowRight", "ArrowRight");
      await arrived(page, "After");
      await focus(page, "protect");
      await page.press("Enter");
      await page.waitFor(() => document.querySelector("#protect")?.hasAttribute("hidden"), { what: "the site to be protected" });
      await tab.front();
      await tab.open("about:blank"); // what a page sends when it is left was still "before"
      await world.demo.settled();
      await world.demo.reset();
      await visit(tab, address);
      const board = await world.demo.settled();
      assert.deepEqual(contacted(board), []);
      await page.front();
      await until(async () => (await stageOf(page)).people.every((person) => person.after !== ""), { what: "all to have their place after" });
      assert.deepEqual((await stageOf(page)).people.filter((person) => person.after !== "dark"), []);

      await focus(page, "reset");
      await page.press("Enter");
      await arrived(page, "Welcome");
      assert.deepEqual((await stageOf(page)).people, []);
      assert.deepEqual(await background.ask({ type: "visits" }), []);
      const { sites } = await background.settings();
      assert.equal(sites.find(({ domain }) => domain === "booking.localhost")?.mode, "protect");
      await page.close();
    });
  });
}
