/**
 * What else happens to a browser that somebody lives with: the extension is
 * updated while a page is open, the profile comes back from a copy of days ago,
 * a second window shows the same site.
 */

/* global chrome */
import assert from "node:assert/strict";
import { readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, it } from "node:test";
import { contacted } from "./drive/demo.js";
import { until } from "./drive/driver.js";
import { createLife, createPatient } from "./life.js";
import { installed, openPopup } from "./popup.js";
import { BROWSERS } from "./world.js";

/** @type {import("./life.js").Life} */
let life;
before(async () => {
  life = await createLife();
});
after(() => life?.close());

it("chromium: updated while a protected page is open, it protects that page, with all that it had", async () => {
  const patient = await createPatient(life, "chromium");
  life.offer(1);
  await patient.ask({ type: "update" });
  assert.equal(await patient.woken(), 1);
  const file = path.join(life.extensions.chromium, "manifest.json");
  const manifest = JSON.parse(await readFile(file, "utf8"));
  await writeFile(file, JSON.stringify({ ...manifest, version: "99.1" }));
  try {
    assert.equal(await patient.reload(), "99.1");
    assert.equal(await patient.woken(), 1);
    await patient.browser().tab().open(life.results);
    assert.equal(await patient.woken(), 1);
    life.offer(2);
    await patient.ask({ type: "update" });
    assert.equal(await patient.woken(), 2);
    await patient.close();
  } finally {
    await writeFile(file, JSON.stringify(manifest));
  }
});

it("firefox: started without its memory of extensions, it does not call the first page protected until it is loaded again", async () => {
  const { world, results } = life;
  const profile = path.join(world.dir, "forgetful");
  const options = { extension: life.extensions.firefox, profile, permanent: true };
  const before = await world.launch("firefox", options);
  await installed(before);
  await before.close();
  // As after a crash at the wrong moment, or a profile put together by hand.
  await rm(path.join(profile, "addonStartup.json.lz4"));
  await world.demo.reset();
  const browser = await world.launch("firefox", { ...options, url: results });
  const verdict = async () => {
    const popup = await openPopup(browser, browser.tab());
    await popup.page.waitFor(() => !document.querySelector("main[aria-busy]"), { what: "the popup" });
    const said = await popup.page.evaluate(() => /** @type {HTMLElement} */ (document.querySelector("#status")).dataset["verdict"]);
    await popup.close();
    return said;
  };
  await until(async () => (await verdict()) !== "Unread", { what: "the extension to be there" });
  assert.notDeepEqual(contacted(await world.demo.settled()), []);
  assert.equal(await verdict(), "Stale");
  await world.demo.reset();
  await browser.tab().open(results);
  assert.deepEqual(contacted(await world.demo.settled()), []);
  assert.equal(await verdict(), "Protected");
  await browser.close();
});

for (const name of BROWSERS) {
  it(`${name}: a profile that comes back from a copy protects with the release that it had, and takes the newest`, async () => {
    const patient = await createPatient(life, name, `moves-${name}`);
    life.offer(1);
    await patient.ask({ type: "update" });
    assert.equal(await patient.woken(), 1);
    const restore = await patient.save();
    assert.equal(await patient.woken(), 1);
    life.offer(2);
    await patient.ask({ type: "update" });
    assert.equal(await patient.woken(), 2);
    await restore();
    assert.equal(await patient.woken(), 1);
    await patient.ask({ type: "update" });
    assert.equal(await patient.woken(), 2);
    await patient.close();
  });

  it(`${name}: two windows of one site are protected, recorded and forgotten each for itself`, async () => {
    const { world, results } = life;
    const browser = await world.launch(name, { extension: life.extensions[name] });
    await installed(browser);
    await world.demo.reset();
    const page = await browser.extensionPage("ui/handout.html");
    const opened = (/** @type {string} */ url) => page.evaluate(async (address) => {
      const made = await chrome.windows.create({ url: address });
      return { window: made?.id ?? -1, tab: made?.tabs?.[0]?.id ?? -1 };
    }, url);
    const ask = (/** @type {object} */ message) => page.evaluate((asked) => chrome.runtime.sendMessage(asked), message);
    const visits = async () => (await ask({ type: "visits" })).map((/** @type {{tabId: number}} */ { tabId }) => tabId).toSorted();
    const stopped = async (/** @type {number} */ tabId) => {
      const { record } = await ask({ type: "state", tabId });
      return record ? record.total.block + record.total.relay : 0;
    };
    const one = await opened(results);
    const two = await opened(results.replace("paris", "lyon"));
    for (const { tab } of [one, two]) await until(() => stopped(tab), { what: `what tab ${tab} was kept from telling` });
    assert.deepEqual(contacted(await world.demo.settled()), []);
    assert.deepEqual(await visits(), [one.tab, two.tab].toSorted());
    for (const [{ tab }, city] of /** @type {const} */ ([[one, "paris"], [two, "lyon"]])) {
      const { visit } = await ask({ type: "visit", tabId: tab, from: 0 });
      assert.ok(visit.pages.every((/** @type {{url: string}} */ { url }) => url.includes(city)), `${city}: ${JSON.stringify(visit.pages)}`);
    }
    const before = await stopped(two.tab);
    await page.evaluate((id) => chrome.windows.remove(id), one.window);
    await until(async () => (await visits()).join() === String(two.tab), { what: "the closed window to be forgotten" });
    assert.ok(await stopped(two.tab) >= before);
    await browser.close();
  });
}
