/**
 * The background is killed at any moment, while lists are updated and a patient
 * looks for a doctor; so is the browser. Whatever the moment: nobody hears of
 * the patient, and when it wakes up the rules and the list are of one release.
 * Last: how often it is woken where nobody is protected, and what that is for.
 *
 *   KILLS=300 SEED=7 node --test test/life.test.js
 */

/* global chrome */
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { contacted } from "./drive/demo.js";
import { sleep, until, within } from "./drive/driver.js";
import { startHost } from "./drive/host.js";
import { createLife, createPatient } from "./life.js";
import { installed } from "./popup.js";
import { BROWSERS } from "./world.js";

const KILLS = Number(process.env["KILLS"] || 10);
const SEED = Number(process.env["SEED"] || 1 + Math.floor(Math.random() * 1e6));
/** Of so many kills one is the whole browser's. */
const CRASHES = 10;
/** How often a long run says how far it is, in kills. */
const PROGRESS = 25;

/** @type {import("./life.js").Life} */
let life;
before(async () => {
  life = await createLife();
});
after(() => life?.close());

/**
 * Numbers from 0 to 1, the same for the same seed (mulberry32).
 *
 * @param {number} seed
 */
function chances(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

for (const name of BROWSERS) {
  it(`${name}: ${KILLS} kills, seed ${SEED}`, async (t) => {
    const patient = await createPatient(life, name);
    const chance = chances(SEED);
    const newest = life.bundles.length - 1;
    // How long it takes when nobody kills anything.
    life.offer(1);
    const began = performance.now();
    await patient.ask({ type: "update" });
    const span = performance.now() - began;
    assert.equal(await patient.woken(), 1);

    /** @type {Record<string, number>} */
    const found = {};
    let index = 1;
    for (let kill = 1; kill <= KILLS; kill++) {
      if (index === newest) {
        await patient.beginAgain();
        index = 0;
      }
      life.offer(index + 1);
      const isCrash = kill % CRASHES === 0;
      const moment = chance() * 1.3 * span;
      await patient.poll();
      const browsing = patient.browse().catch(() => {});
      await sleep(moment);
      // Firefox does not stop a background that holds a request.
      if (!isCrash && name === "firefox") await within(browsing);
      if (isCrash) await patient.crash();
      else await patient.browser().killBackground();
      await within(browsing);
      const before = index;
      index = await patient.woken().catch((error) => {
        throw new Error(`kill ${kill}, ${Math.round(moment)} ms into the update to release ${before + 1}: ${error.message}`, { cause: error });
      });
      assert.ok(index === before || index === before + 1, `kill ${kill}: release ${before} became ${index}`);
      const what = `${isCrash ? "crash" : "kill"}, ${index === before ? "before" : "after"} the swap`;
      found[what] = (found[what] ?? 0) + 1;
      if (kill % PROGRESS === 0) console.log(`${name}: ${kill} kills, ${JSON.stringify(found)}`);
    }
    assert.deepEqual(contacted(await life.world.demo.settled()), []);
    t.diagnostic(`${KILLS} kills within ${Math.round(1.3 * span)} ms each, seed ${SEED}: ${JSON.stringify(found)}; 0 unprotected requests`);
    await patient.close();
  });
}

/**
 * Ends Chromium's worker, and again where something that had waited for it has
 * started it meanwhile: a page that was just opened, the first look for a list.
 * Looking at it would keep it awake.
 * @param {import("./drive/driver.js").Browser} browser
 */
async function endWorker(browser) {
  const isGone = async () => {
    await browser.killBackground();
    return (await browser.backgroundMemory()) === null;
  };
  await until(isGone, { what: "the worker to sleep" });
}

/** How often a page starts the worker, and how many requests it makes at once. */
const WAKES = 2;
const AT_ONCE = 200;

// A worker that only listened to the documents of protected sites would sleep
// on unprotected ones, but what such a page asks for while the worker starts
// would go unseen: no rule says that it was stopped, and no leak is learnt.
it(`chromium: a page that starts the worker is recorded from the first of its ${AT_ONCE} requests`, async (t) => {
  const image = '<svg xmlns="http://www.w3.org/2000/svg"/>';
  const third = await startHost("third.localhost", (_, response) => response.writeHead(200, { "Content-Type": "image/svg+xml" }).end(image));
  const images = Array.from({ length: AT_ONCE }, (_, i) => `<img src="${third.origin}/${i}">`).join("");
  const site = await startHost("booking.localhost", (_, response) => response.writeHead(200, { "Content-Type": "text/html" }).end(`<!doctype html>${images}`));
  try {
    const browser = await life.world.launch("chromium", { extension: life.extensions.chromium });
    await installed(browser);
    const page = await browser.extensionPage("ui/handout.html");
    await browser.tab().front();
    for (let wake = 1; wake <= WAKES; wake++) {
      await browser.tab().open("about:blank");
      await endWorker(browser);
      await browser.tab().open(`${site.origin}/${wake}`);
      const tabId = await browser.tabId(browser.tab());
      const { requests } = await page.evaluate((id) => chrome.runtime.sendMessage({ type: "visit", tabId: id, from: 0 }), tabId);
      const seen = new Set(requests.map((/** @type {{url: string}} */ { url }) => url));
      const unseen = Array.from({ length: AT_ONCE }, (_, i) => i).filter((i) => !seen.has(`${third.origin}/${i}`));
      assert.deepEqual(unseen, [], `of what start ${wake} was for`);
    }
    t.diagnostic(`${WAKES} starts, ${AT_ONCE} requests each, all recorded`);
    await browser.close();
  } finally {
    await Promise.all([third.close(), site.close()]);
  }
});

it("chromium: 200 requests on an unprotected site start the worker once", async () => {
  const plain = await startHost("plain.localhost", (_, response) => response.writeHead(200, { "Content-Type": "text/html" }).end("<!doctype html>"));
  try {
    const browser = await life.world.launch("chromium", { extension: life.extensions.chromium });
    await installed(browser);
    await browser.tab().open(plain.origin);
    await endWorker(browser);
    const ask = () => browser.tab().evaluate(() => fetch("/").then(() => {}));
    /** Moments at which a worker was started. @type {Set<number>} */
    const starts = new Set();
    for (let request = 1; request <= 200; request++) {
      await ask();
      if (request % 20 === 0) starts.add((await until(() => browser.backgroundMemory(), { what: "the worker" })).born);
    }
    assert.equal(starts.size, 1);
    await browser.close();
  } finally {
    await plain.close();
  }
});
