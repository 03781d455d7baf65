/**
 * A patient whose background dies at the worst moments: a world with three
 * releases that can be offered one after the other, again and again, and a
 * browser that is looked at after each death. What must hold then is in `woken`.
 */

/* global chrome */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { appendFile, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";
import { contacted } from "./drive/demo.js";
import { until } from "./drive/driver.js";
import { ask, startHost } from "./drive/host.js";
import { installed, wantPhotos } from "./popup.js";
import { BROWSERS, createWorld } from "./world.js";

/** @typedef {import("./world.js").Name} Name */
/** @typedef {import("./drive/driver.js").Browser} Browser */
/** @typedef {import("./drive/driver.js").Tab} Tab */

/** How many releases there are beyond the first, whose list is the packaged one. */
const RELEASES = 2;

/** Between two polls, in seconds: there are those that a test asks for, and no other. */
const NEVER = 24 * 60 * 60;

/** How long a connection may be without a request, in milliseconds. */
const CARRIES = 5000;

/** What is stopped of those who are not stopped whatever they are asked for. @type {Record<string, string>} */
const PATHS = {
  photos: "clinic/image/upload/c_fill/1.jpg",
  bucket: "rendezvous.example/doctor/1a2b3c/1a2b3c4d_220_square.jpg",
};

/** What every patient here has chosen. */
export const CHOSEN = { modes: { "chosen.localhost": "strict" }, allowed: { "booking.localhost": ["kind.localhost"] }, photosKept: "day" };

/**
 * @typedef {object} Life
 * @property {import("./world.js").World} world
 * @property {Record<Name, string>} extensions folder of each browser's, with the first release's list, which polls when it is told to
 * @property {import("./drive/host.js").Host} novelty answers everything, under names that one list after the other comes to know
 * @property {string[]} bundles SHA-256 of the bundle of each release
 * @property {(index: number) => void} offer makes a release the newest that there is
 * @property {string} results address of a page that tells everybody, without protection
 * @property {() => Promise<void>} close
 */

/** @returns {Promise<Life>} */
export async function createLife() {
  const world = await createWorld();
  /** @type {Buffer[]} */
  const releases = [];
  /** @type {string[]} */
  const bundles = [];
  /** @type {Partial<Record<Name, string>>} */
  const extensions = {};
  let offered = 0;
  const mirror = await startHost("mirror.localhost", async (request, response) => {
    if (request.url === "/v1/release") {
      response.end(releases[offered]);
      return;
    }
    const answer = await ask(world.demo.lists + request.url);
    response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
  });
  const novelty = await startHost("novelty.localhost", (_, response) => response.end());
  for (let index = 0; index <= RELEASES; index++) {
    if (index > 0) {
      const rule = ["", "! reason: a test listens there", "! source: https://booking.localhost/", "! date: 2026-11-22", `||r${index}.novelty.localhost^`, ""];
      await appendFile(path.join(world.sources, "telemetry.txt"), rule.join("\n"));
      await world.publish();
    }
    releases.push(Buffer.from(await (await ask(`${world.demo.lists}/v1/release`)).arrayBuffer()));
    bundles.push(JSON.parse(await readFile(path.join(world.list, "about.json"), "utf8")).bundle.sha256);
    if (index > 0) continue;
    for (const name of BROWSERS) extensions[name] = await world.extension(name, { lists: mirror.origin, pollSeconds: NEVER });
  }
  return {
    world,
    extensions: /** @type {Record<Name, string>} */ (extensions),
    novelty,
    bundles,
    offer: (index) => {
      offered = index;
    },
    results: `${world.demo.site}/oncologist/paris?insurance=private`,
    close: async () => {
      await world.close();
      await mirror.close();
      await novelty.close();
    },
  };
}

/**
 * @typedef {object} Patient
 * @property {() => Browser} browser that runs now
 * @property {(message: object) => Promise<any>} ask the background, as a page of the extension
 * @property {() => Promise<void>} poll lets the alarm ring that has the list server asked
 * @property {() => Promise<void>} browse asks everybody who listens, from the page that is open
 * @property {() => Promise<Stored>} stored
 * @property {() => Promise<void>} beginAgain the packaged list is in force again, as if no release had ever come
 * @property {() => Promise<void>} crash the browser is killed, and started again straight on a page that tells everybody
 * @property {() => Promise<string>} reload has the extension's folder taken anew, as an update does; answers the version that runs then
 * @property {() => Promise<() => Promise<void>>} save copies the profile, while no browser uses it; what it answers puts the copy back
 * @property {() => Promise<number>} woken holds the background to all that must hold after it
 *   was woken by what a page asks for; answers the release in force, 0 for the packaged list
 * @property {() => Promise<void>} close
 */

/**
 * What is stored, and what Chromium's rules say that they are of.
 *
 * @typedef {object} Stored
 * @property {{sha256: string, release: {index: number}} | null} info
 * @property {string} bundle SHA-256 of the stored bytes, "" when there are none
 * @property {string} rules SHA-256 of the bundle that the rules were written from, "" in Firefox
 * @property {Record<string, any>} local
 */

/**
 * Copies a folder as backups do, with the exact times of its files: Firefox
 * takes an extension with another time for a new one. (Node's own cp rounds.)
 * @param {string} from
 * @param {string} to
 */
function copied(from, to) {
  return promisify(execFile)("cp", ["-a", from, to]);
}

/** @returns {Promise<Stored>} Runs in a page of the extension. */
async function readStored() {
  const hex = (/** @type {ArrayBuffer} */ bytes) => Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
  /** @type {IDBDatabase} */
  const db = await new Promise((resolve, reject) => {
    const opening = indexedDB.open("paravent", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("list");
    opening.onsuccess = () => resolve(opening.result);
    opening.onerror = () => reject(opening.error);
  });
  const store = db.transaction("list").objectStore("list");
  const [info, bundle] = await Promise.all(
    ["info", "bundle"].map((key) => new Promise((resolve) => {
      const getting = store.get(key);
      getting.onsuccess = () => resolve(getting.result ?? null);
    })),
  );
  db.close();
  const [mark] = (await chrome.declarativeNetRequest?.getDynamicRules?.({ ruleIds: [2_000_000_000] })) ?? [];
  return {
    info,
    bundle: bundle ? hex(await crypto.subtle.digest("SHA-256", bundle)) : "",
    rules: /paravent:([0-9a-f]+)/.exec(mark?.condition.urlFilter ?? "")?.[1] ?? "",
    local: await chrome.storage.local.get(null),
  };
}

/** Forgets all that a release has left. Runs in a page of the extension. */
async function forgetReleases() {
  await new Promise((resolve, reject) => {
    const deleting = indexedDB.deleteDatabase("paravent");
    deleting.onsuccess = resolve;
    deleting.onerror = () => reject(deleting.error);
  });
  await chrome.storage.local.remove(["client", "updates"]);
}

/**
 * Installs the extension for good in a new profile, and makes the choices.
 *
 * @param {Life} life
 * @param {Name} name
 * @param {string} [profile] its folder's name
 * @returns {Promise<Patient>}
 */
export async function createPatient(life, name, profile = `life-${name}`) {
  const { world, novelty, bundles, results } = life;
  const options = { extension: life.extensions[name], permanent: true, profile: path.join(world.dir, profile) };
  const launch = async (url = "about:blank") => {
    const browser = await world.launch(name, { ...options, url });
    // A page of the extension that asks nothing by itself.
    const page = await browser.extensionPage("ui/handout.html");
    await browser.tab().front();
    return { browser, page };
  };
  let { browser, page } = await launch();
  /** @type {Patient["ask"]} */
  const ask = async (message) => {
    const answer = await page.evaluate((asked) => chrome.runtime.sendMessage(asked), message);
    if (typeof answer?.error === "string") throw new Error(answer.error);
    return answer;
  };
  const stored = () => page.evaluate(readStored);

  await installed(browser);
  await wantPhotos(browser, results);
  for (const [site, mode] of Object.entries(CHOSEN.modes)) await ask({ type: "mode", site, mode });
  for (const [site, [host]] of Object.entries(CHOSEN.allowed)) await ask({ type: "allow", site, host, allow: true });
  await ask({ type: "keep", keep: CHOSEN.photosKept });
  await installed(browser);
  // A profile is written to disk when its browser is closed, at the latest.
  await browser.close();
  await world.demo.reset();
  ({ browser, page } = await launch(results));

  const everybody = Object.entries(world.demo.recipients).map(([key, origin]) => `${origin}/${PATHS[key] ?? ""}`);
  const browse = () =>
    browser.tab().evaluate(async (addresses) => {
      const asking = addresses.flatMap((address) => {
        const image = new Image();
        image.src = address;
        return [fetch(address, { mode: "no-cors" }), image.decode()];
      });
      await Promise.allSettled(asking);
    }, everybody);

  /** @returns {Promise<number>} */
  const woken = async () => {
    await browse();
    const tab = browser.tab();
    const tabId = await browser.tabId(tab);
    const { state, index, local } = await until(
      async () => {
        /** @type {import("../background/tab-state.js").TabState} */
        const state = await ask({ type: "state", tabId });
        if (!state.list || state.problems.rules !== "") throw new Error(JSON.stringify(state.problems));
        const { info, bundle, rules, local } = await stored();
        const index = state.list.release?.index ?? 0;
        assert.equal(state.list.sha256, bundles[index], "the list in force is none of the releases'");
        assert.equal(info?.release.index ?? 0, index, "the stored release is not the one in force");
        if (info) assert.equal(bundle, bundles[index], "the stored bundle is not the release's");
        if (name === "chromium") assert.equal(rules, bundles[index], "the rules are not those of the release");
        for (let other = 1; other < bundles.length; other++) {
          const address = novelty.origin.replace("novelty", `r${other}.novelty`);
          const reached = await tab.evaluate((url) => fetch(url, { mode: "no-cors" }).then(() => true, () => false), address);
          assert.equal(reached, other > index, `with release ${index}, what release ${other} stops`);
        }
        return { state, index, local };
      },
      // An update that goes on after the wake writes the rules first, and then the rest.
      { what: `${name} to say that list and rules are in order, and of one release` },
    );
    for (const [key, value] of Object.entries(CHOSEN)) assert.deepEqual(local[key], value, key);
    const { access, settings, engine, list } = state.problems;
    assert.deepEqual({ access, settings, engine, list }, { access: false, settings: "", engine: "", list: "" });
    // A connection that has carried nothing yet counts as a browser's, also the gateway's for a photo.
    await until(
      async () => {
        const board = await world.demo.received();
        const heard = contacted(board);
        assert.deepEqual(board.recipients.filter(({ key }) => heard.includes(key)), []);
        return true;
      },
      { timeout: CARRIES, what: "nobody to have heard of the patient" },
    );
    return index;
  };

  return {
    browser: () => browser,
    ask,
    poll: () => page.evaluate(() => chrome.alarms.create("poll", { when: Date.now() + 1 })),
    browse,
    stored,
    beginAgain: async () => {
      await browser.killBackground();
      await page.evaluate(forgetReleases);
      await browser.killBackground();
    },
    crash: async () => {
      await browser.kill();
      ({ browser, page } = await launch(results));
    },
    reload: async () => {
      // It ends its own page.
      await page.evaluate(() => chrome.runtime.reload()).catch(() => {});
      page = await until(() => browser.extensionPage("ui/handout.html"), { what: "the extension to be back" });
      await browser.tab().front();
      return page.evaluate(() => chrome.runtime.getManifest().version);
    },
    save: async () => {
      const copy = `${options.profile}-copy`;
      await browser.close();
      await copied(options.profile, copy);
      ({ browser, page } = await launch(results));
      return async () => {
        await browser.close();
        await rm(options.profile, { recursive: true });
        await copied(copy, options.profile);
        ({ browser, page } = await launch(results));
      };
    },
    woken,
    close: () => browser.close(),
  };
}
