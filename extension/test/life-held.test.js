/**
 * Firefox stops a background that asks it for nothing, also one that requests
 * wait for, and lets these go. Ours stays awake as long as it holds one.
 */

/* global chrome */
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, it } from "node:test";
import { contacted } from "./drive/demo.js";
import { sleep } from "./drive/driver.js";
import { installed } from "./popup.js";
import { createWorld } from "./world.js";

/** After how long Firefox stops a background here, in milliseconds. */
const IDLE = 3000;

/** @type {import("./world.js").World} */
let world;
before(async () => {
  world = await createWorld();
});
after(() => world?.close());

/** @param {string} file @param {string} from what it says once @param {string} to */
async function change(file, from, to) {
  const source = await readFile(file, "utf8");
  assert.equal(source.split(from).length, 2, `${file}: ${from}`);
  await writeFile(file, source.replace(from, to));
}

it("firefox: what waits for a decision is not let go when the background is idle", async () => {
  const folder = await world.extension("firefox", { pollSeconds: 24 * 60 * 60 });
  const background = (/** @type {string} */ name) => path.join(folder, "background", name);
  await change(background("awake.js"), "20_000", "100");
  // Decisions wait for what the test stores.
  const gate = `const slow = api.storage.local.get("slow").then(({ slow }) => slow && new Promise((done) => {
    api.storage.local.onChanged.addListener(({ slow }) => slow && done());
  }));`;
  await change(background("requests.js"), "let isPrepared = false;", `let isPrepared = false;\n${gate}`);
  await change(background("requests.js"), "Promise.allSettled([ready(),", "Promise.allSettled([slow, ready(),");
  const browser = await world.launch("firefox", { extension: folder, prefs: { "extensions.background.idle.timeout": IDLE } });
  await installed(browser);
  const tab = browser.tab();
  await tab.open(`${world.demo.site}/oncologist/paris?insurance=private`);
  const page = await browser.extensionPage("ui/handout.html");
  await page.evaluate(() => chrome.storage.local.set({ slow: true }));
  await tab.front();
  await browser.stopBackground();
  const address = `${world.demo.recipients["analytics"]}/held`;
  const asking = tab.evaluate((url) => fetch(url, { mode: "no-cors" }).then(() => "answered", () => "stopped"), address);
  // It would be stopped when it has been idle for the second time.
  await sleep(4 * IDLE);
  assert.deepEqual(contacted(await world.demo.received()), [], "let go while it waited");
  await page.evaluate(() => chrome.storage.local.set({ slow: false }));
  assert.equal(await asking, "stopped");
  assert.deepEqual(contacted(await world.demo.settled()), []);
  await browser.close();
});
