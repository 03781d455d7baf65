/**
 * The demo: a patient books a doctor twice, without and with Paravent, in
 * Chromium and in Firefox, and the recipients say what they learnt. Ends with
 * one table, and with exit code 1 if something that Paravent promises did not
 * hold.
 */

import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import * as chromium from "../test/drive/chromium.js";
import * as firefox from "../test/drive/firefox.js";
import { ROOT, assemble, buildList, startDemo, startKeepers, startPhotos } from "../test/drive/demo.js";
import { installed, openPopup, wantPhotos } from "../test/popup.js";
import { broken } from "../test/promises.js";
import { walk } from "../test/walk.js";
import { table } from "./table.js";

/** @typedef {import("../test/drive/driver.js").Browser} Browser */
/** @typedef {import("../test/drive/demo.js").Demo} Demo */
/** @typedef {import("./table.js").Run} Run */

const OUT = path.join(ROOT, "dist", "demo");
const PORT = 8480;

const DRIVERS = /** @type {const} */ ([
  ["Chromium", "chromium", chromium],
  ["Firefox", "firefox", firefox],
]);

const hasDisplay =
  process.platform !== "linux" || Boolean(process.env["DISPLAY"] || process.env["WAYLAND_DISPLAY"]);

const began = Date.now();

/** @param {string} what */
function say(what) {
  const seconds = Math.round((Date.now() - began) / 1000);
  console.log(`${`${seconds} s`.padStart(6)}  ${what}`);
}

/** What is to be ended, the last one first, however the run ends. @type {(() => Promise<void>)[]} */
const open = [];

async function endAll() {
  for (const end of open.splice(0).reverse()) await end().catch(() => {});
}

async function main() {
  await mkdir(path.join(OUT, "screenshots"), { recursive: true });
  say("Builds the demo's list …");
  const sources = ["lists", "lists/demo"];
  const list = path.join(OUT, "list");
  await buildList(list, sources);

  say("Starts the booking site, the recipients, the list server and its witness …");
  const keepers = await startKeepers(path.join(OUT, "keepers"));
  open.push(keepers.close);
  const store = path.join(OUT, "store");
  const demo = await startDemo({ store, keepers, port: PORT }).catch(() => startDemo({ store, keepers }));
  open.push(demo.close);
  say(`The site is ${demo.site}, the board ${demo.board}`);

  say("Two maintainers rebuild and sign the list, and push it …");
  await keepers.publish({ lists: [demo.lists], list, sources });

  say("Starts a photo gateway, and a relay in front of it …");
  const photos = await startPhotos(path.join(OUT, "photos"), store);
  open.push(photos.close);

  /** @type {Run[]} */
  const runs = [];
  for (const [name, browser, driver] of DRIVERS) {
    const extension = await assemble({
      browser,
      out: path.join(OUT, browser),
      list,
      servers: { lists: demo.lists, relays: [photos.relay], trust: keepers.trust, tryOn: demo.site },
    });
    const without = await walkIn({ name, driver, extension: null, demo });
    runs.push(without);
    runs.push(await walkIn({ name, driver, extension, demo, before: without }));
  }

  const { text, markdown, html } = table(runs);
  await writeFile(path.join(OUT, "table.txt"), text);
  await writeFile(path.join(OUT, "table.md"), markdown);
  await writeFile(path.join(OUT, "table.html"), html);
  console.log(`\n${text}`);
  say(`The table and screenshots are in ${path.relative(process.cwd(), OUT) || OUT}`);

  const failures = runs.flatMap((run) => broken(run).map((what) => `${run.browser}: ${what}`));
  if (failures.length) {
    console.error(`\nThis does not hold:\n${failures.map((what) => `  ${what}`).join("\n")}`);
    process.exitCode = 1;
  }
  if (hasDisplay) await leaveOpen(demo);
}

/**
 * One walk in a fresh browser, with its screenshots.
 *
 * @param {object} how
 * @param {string} how.name
 * @param {{launch: typeof chromium.launch}} how.driver
 * @param {string | null} how.extension
 * @param {Demo} how.demo
 * @param {Run} [how.before] the same browser's walk without Paravent
 * @returns {Promise<Run>}
 */
async function walkIn({ name, driver, extension, demo, before }) {
  const what = `${name} ${extension ? "with" : "without"} Paravent`;
  /** @param {string} shot */
  const file = (shot) =>
    path.join(OUT, "screenshots", `${name.toLowerCase()}-${extension ? "with" : "without"}-${shot}.png`);
  say(`${what}: starts …`);
  const browser = await driver.launch({ extension, headless: !hasDisplay });
  open.push(browser.kill);
  const tab = browser.tab();
  if (extension) {
    await installed(browser);
    say(`${what}: the patient wants photos …`);
    await wantPhotos(browser, `${demo.site}/oncologist/paris`);
  }
  await demo.reset();
  const walked = await walk(tab, demo.site, {
    expected: before?.walked.photos,
    progress: (step) => say(`${what}: the patient ${step} …`),
    onPage: async (page) => {
      if (page === "results" || page === "confirmed") await writeFile(file(page), await tab.screenshot());
      if (page === "results" && extension) {
        const popup = await openPopup(browser, tab);
        await popup.page.setViewport(320, 600);
        await popup.page.waitFor(() => !document.querySelector("[aria-busy]"));
        await writeFile(file("popup"), await popup.page.screenshot());
        await popup.close();
      }
    },
  });
  await tab.open("about:blank"); // what a page sends when it is left counts too
  const board = await demo.settled();
  await tab.open(`${demo.board}/?lang=en`);
  await tab.setViewport(1280, 900);
  await writeFile(file("board"), await tab.screenshot({ full: true }));
  open.pop();
  await browser.close();
  return { browser: name, protected: Boolean(extension), walked, board };
}

/**
 * Leaves a browser with Paravent on the demo until its user has seen enough.
 *
 * @param {Demo} demo
 */
async function leaveOpen(demo) {
  await demo.reset();
  const browser = await firefox.launch({ extension: path.join(OUT, "firefox"), headless: false });
  open.push(browser.kill);
  await browser.newTab(demo.board);
  await browser.tab().open(demo.site);
  await browser.tab().front();
  say("Firefox with Paravent stays open on the demo: close it, or press Enter here.");
  const lines = createInterface(process.stdin);
  // The input's end counts as Enter: nobody is there to press it.
  await Promise.race([browser.closed, new Promise((done) => lines.once("line", done).once("close", done))]);
  lines.close();
}

for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
  process.once(signal, () => {
    void endAll().then(() => process.exit(130));
  });
}

// Every run begins with new keys and an empty log.
for (const folder of ["screenshots", "keepers", "store", "photos"]) {
  await rm(path.join(OUT, folder), { recursive: true, force: true });
}
try {
  await main();
} catch (error) {
  console.error(`\n${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
} finally {
  await endAll();
}
