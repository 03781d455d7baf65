/** What the options say about the list: who signed and saw it, how old it is, and what went wrong. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { Log } from "../tools/log.js";
import { compiled, openDesk } from "../tools/modules.js";
import { list as readList } from "../tools/vectors.js";
import * as chromium from "./drive/chromium.js";
import { assemble } from "./drive/demo.js";
import { until } from "./drive/driver.js";
import * as firefox from "./drive/firefox.js";
import { startHost } from "./drive/host.js";
import { installed } from "./popup.js";

/** @typedef {import("./drive/driver.js").Tab} Tab */

const DRIVERS = { chromium, firefox };

/** @param {Uint8Array} data */
const digest = (data) => ({ size: data.length, sha256: createHash("sha256").update(data).digest("hex") });

/** @type {string} */
let dir;
/** @type {{text: Uint8Array, bundle: Uint8Array}} */
let list;

before(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "paravent-options-"));
  const desk = await openDesk();
  const text = await readList();
  list = { text, bundle: compiled(desk, text) };
  await mkdir(path.join(dir, "list"));
  await writeFile(path.join(dir, "list", "list.bundle"), list.bundle);
  const about = { list: digest(text), bundle: digest(list.bundle), ...desk.describe(list.bundle) };
  await writeFile(path.join(dir, "list", "about.json"), JSON.stringify(about));
});
after(() => rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));

/**
 * What is said of one fact.
 * @param {Tab} page
 * @param {string} fact
 */
const said = (page, fact) =>
  page.evaluate((name) => /** @type {HTMLElement | null} */ (document.querySelector(`[data-fact="${name}"]`))?.innerText ?? "", fact);

/** @param {Tab} page @param {string} selector */
const text = (page, selector) =>
  page.evaluate((where) => /** @type {HTMLElement} */ (document.querySelector(where)).innerText.trim(), selector);

for (const name of /** @type {const} */ (["chromium", "firefox"])) {
  describe(name, () => {
    /** @type {(() => Promise<unknown>)[]} */
    const ends = [];
    after(async () => {
      for (const end of ends.splice(0).reverse()) await end();
    });

    /** @param {Log | null} log null: a build without a list server */
    const open = async (log) => {
      const server = await startHost("lists.localhost", (request, response) => {
        const data = log?.objects.get((request.url ?? "").slice(1));
        if (data) response.end(data);
        else response.writeHead(404).end();
      });
      ends.push(server.close);
      const extension = await assemble({
        browser: name,
        out: path.join(dir, `${name}-${ends.length}`),
        list: path.join(dir, "list"),
        servers: log && { lists: server.origin, trust: log.trust, pollSeconds: 3600 },
      });
      const browser = await DRIVERS[name].launch({ extension });
      ends.push(browser.close);
      await installed(browser);
      const page = await browser.extensionPage("ui/options.html#lists");
      await page.waitFor(() => document.querySelector("[aria-busy]") === null);
      return { page, server };
    };

    it("a release: its number, age, signers and witnesses; and an error in words", async () => {
      const log = new Log({ maintainers: ["ada.example", "ben.example", "cleo.example"], threshold: 2, witnesses: ["eye.example"] });
      const { page, server } = await open(log);
      assert.match(await text(page, "#lists-name"), /came with/);
      assert.match(await said(page, "factWitnesses"), /Must have seen .*eye\.example/);
      log.publish({ ...list, signers: ["ada.example", "cleo.example"] });
      await page.click("#update");
      await page.waitFor(() => document.querySelector("#lists-name")?.textContent === "List 0");
      assert.match(await text(page, "#lists-age"), /Good until .*2099/);
      assert.match(await said(page, "factIssued"), /2026.*ago/);
      assert.equal(await said(page, "factSigners"), "ada.example\ncleo.example");
      assert.match(await said(page, "factTrust"), /At least 2 of: ada\.example, ben\.example, cleo\.example/);
      assert.match(await said(page, "factWitnesses"), /^eye\.example, on .*20\d\d/);
      assert.equal(await said(page, "factServer"), server.origin);
      assert.match(await said(page, "factChecked"), /minute/);
      assert.match(await said(page, "factDue"), /in \d+ (minutes|hour)/);
      assert.equal(await text(page, "#lists-error"), "");

      log.publish({ ...list, cosigners: [] });
      await page.click("#update");
      const words = await until(() => text(page, "#lists-error"), { what: "an error" });
      assert.match(words, /Too few witnesses have seen the new list\. The list in force stays\./);
      assert.match(words, /not the quorum/);
      assert.equal(await text(page, "#lists-name"), "List 0");
    });

    it("an expired release is out of date, and with no witness it is said what that means", async () => {
      const log = new Log({ maintainers: ["ada.example"], threshold: 1 });
      log.publish({ ...list, issued: "2020-01-01T00:00:00Z", expires: "2020-02-01T12:00:00Z" });
      const { page } = await open(log);
      await page.click("#update");
      await page.waitFor(() => document.querySelector("#lists-name")?.textContent === "List 0");
      assert.match(await text(page, "#lists-age"), /Out of date since .*2020; it still protects\./);
      assert.match(await said(page, "factWitnesses"), /Nobody from outside checks that everyone is given the same list/);
      assert.equal(await text(page, "#lists-error"), "");
    });

    it("without a list server there is nothing to press", async () => {
      const { page } = await open(null);
      assert.match(await text(page, "#lists-name"), /came with/);
      assert.match(await said(page, "factServer"), /No list server is configured/);
      assert.equal(await page.evaluate(() => document.querySelector("#update:not([hidden])")), null);
    });
  });
}
