/**
 * "Something is broken", as a patient uses it: protection is turned down a
 * step, and the page is reloaded only then; the report is read, cut down and
 * saved, and a maintainer's program drafts from the file.
 */

import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { contacted, run } from "./drive/demo.js";
import { until } from "./drive/driver.js";
import { installed } from "./popup.js";
import { visit } from "./walk.js";
import { BROWSERS, createWorld } from "./world.js";

/** @type {import("./world.js").World} */
let world;
before(async () => {
  world = await createWorld();
});
after(() => world.close());

/** Takes what a page gives the browser to save; the browser is told nothing. Runs in the page. */
function catchFile() {
  const create = URL.createObjectURL;
  URL.createObjectURL = (blob) => {
    if (blob instanceof Blob) void blob.text().then((text) => (document.documentElement.dataset["file"] = text));
    return create(blob);
  };
}

for (const name of BROWSERS) {
  describe(name, () => {
    /** @type {import("./world.js").Browser} */
    let browser;
    /** @type {import("./drive/driver.js").Tab} */
    let page;

    before(async () => {
      browser = await world.launch(name, { extension: await world.extension(name) });
      await installed(browser);
      await visit(browser.tab(), `${world.demo.site}/oncologist/paris?motive=breast-lump`);
      page = await browser.extensionPage(`ui/broken.html?tab=${await browser.tabId(browser.tab())}`);
      await page.waitFor(() => document.querySelector("main:not([aria-busy])") !== null, { what: "the page" });
    });
    after(() => browser?.close());

    const preview = () => page.evaluate(() => document.querySelector("#preview")?.textContent ?? "");

    it("tells of the page only what the patient ticks", async () => {
      await page.type("#says", "Keine Fotos");
      const short = await preview();
      assert.match(short, /Keine Fotos/);
      assert.match(short, /analytics\.localhost/);
      for (const word of ["oncologist", "breast-lump"]) assert.ok(!short.includes(word), short);
      await page.click("#page");
      await until(async () => (await preview()).includes("/oncologist/paris"), { what: "the page's address" });
      assert.ok(!(await preview()).includes("breast-lump"));
      await page.click("#page");
      const host = (text = "") => JSON.parse(text).requests.length;
      const all = host(await preview());
      await page.click("#requests input");
      await until(async () => host(await preview()) === all - 1, { what: "a request less" });
      await page.click("#requests input");
      assert.equal(await preview(), short);
    });

    it("what is saved is what is read, and list from-report drafts from it", async () => {
      await page.evaluate(catchFile);
      const said = await preview();
      await page.click("#save");
      await page.waitFor(() => document.documentElement.dataset["file"] !== undefined, { what: "the file" });
      const text = await page.evaluate(() => document.documentElement.dataset["file"] ?? "");
      assert.equal(text, said);
      const file = path.join(world.dir, `report-${name}.json`);
      await writeFile(file, text);
      const draft = await run("paravent", ["list", "from-report", file, world.sources]);
      assert.match(draft, /Report about "booking\.localhost", \d+ requests\. The patient says: "Keine Fotos"/);
      for (const host of ["analytics.localhost", "photos.localhost", "ads.localhost"]) {
        assert.match(draft, new RegExp(`\\d+\\. ${host} is stopped: .*\\|\\|${host}`), draft);
      }
      assert.doesNotMatch(draft, /oncologist|breast-lump/);
    });

    it("turns down a step at a time, and the page is reloaded only when the patient says so", async () => {
      assert.equal(await page.evaluate(() => document.querySelector("#reload")?.checkVisibility()), false);
      await world.demo.reset();
      await page.click("#turn-down");
      await page.waitFor(() => document.querySelector("#reload")?.checkVisibility(), { what: "the offer to reload" });
      assert.deepEqual(contacted(await world.demo.settled()), [], "the page was reloaded by itself");
      await page.click("#reload");
      await until(async () => contacted(await world.demo.received()).includes("analytics"), { what: "the page to be reloaded" });
      await page.front();
      await page.click("#turn-down");
      await page.waitFor(() => document.querySelector("#turn-down")?.checkVisibility() === false, { what: "the last step" });
      assert.match(await page.evaluate(() => document.body.innerText), /Paravent is off on booking\.localhost/);
    });
  });
}
