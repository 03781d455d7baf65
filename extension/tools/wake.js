/**
 * One life of the background, in a worker thread of Node: it wakes on what the
 * last life left in the browser, does what it is asked to, and may be stopped
 * at any write. Tests start as many as they need; see updates.test.js.
 */

import { readFile } from "node:fs/promises";
import { runInThisContext } from "node:vm";
import { parentPort, workerData } from "node:worker_threads";
import { publicSuffixes } from "./suffixes.js";

/**
 * What lasts from one life to the next.
 * @typedef {object} Disk
 * @property {Record<string, any>} local storage.local
 * @property {Map<string, any> | null} database null: there is none
 * @property {chrome.declarativeNetRequest.Rule[]} rules dynamic ones
 * @property {Record<string, {name: string, scheduledTime: number}>} alarms
 * @property {any[]} scripts
 *
 * @typedef {object} Life
 * @property {Disk} disk
 * @property {"wake" | "start" | "poll"} job "start" is a wake with the browser's start
 * @property {import("../background/defaults.js").Defaults} settings
 * @property {Map<string, Uint8Array>} packaged lists/list.bundle and lists/about.json
 * @property {Map<string, Uint8Array> | null} server what the list server has, null: it cannot be reached
 * @property {number} [stopAt] at which write the browser stops it, counted from 1
 * @property {"database" | "local" | "behind"} [full] what has no room left; "behind": for what
 *   is to be written down behind the rules
 * @property {number} [clock] milliseconds that the clock is ahead
 *
 * @typedef {object} Outcome
 * @property {Disk} disk
 * @property {boolean} stopped
 * @property {string[]} asked of the list server
 * @property {import("../background/store.js").ListInfo | null} list in force
 * @property {import("../background/updates.js").UpdateState | null} updates
 */

const { disk, job, settings, packaged, server, stopAt = 0, full, clock = 0 } = /** @type {Life} */ (workerData);
const BUILT = new URL("../../dist/wasm/", import.meta.url);
const OWN = "chrome-extension://paravent/";

/** @type {string[]} */
const asked = [];
let writes = 0;
let stopped = false;

/** @type {Pick<Outcome, "list" | "updates">} */
let known = { list: null, updates: null };

function tell() {
  parentPort?.postMessage({ disk, stopped, asked, ...known });
}

/**
 * A write: it is done, or the browser stops everything just before.
 * @template T
 * @param {() => T} change
 * @returns {Promise<T>}
 */
async function write(change) {
  if (!stopped && ++writes === stopAt) {
    stopped = true;
    tell();
  }
  if (stopped) return new Promise(() => {});
  return structuredClone(change());
}

/** Whatever is not looked at here. @type {any} */
const anything = new Proxy(() => {}, { get: (_, key) => (key === "then" ? undefined : anything), apply: () => anything });

const browser = {
  publicSuffix: undefined, // as in Chromium
  runtime: { id: "paravent", getURL: (/** @type {string} */ path) => OWN + path, getPlatformInfo: async () => ({}) },
  storage: {
    managed: { get: async () => ({}) },
    local: {
      /** @param {string | string[]} keys */
      get: async (keys) =>
        structuredClone(Object.fromEntries([keys].flat().filter((key) => key in disk.local).map((key) => [key, disk.local[key]]))),
      /** @param {Record<string, any>} items */
      set: (items) =>
        write(() => {
          if (full === "local" || (full === "behind" && items["rules"]?.state === "ok")) throw new Error("QUOTA_BYTES quota exceeded");
          Object.assign(disk.local, structuredClone(items));
        }),
    },
  },
  alarms: {
    /** @param {string} name */
    get: async (name) => disk.alarms[name],
    /** @param {string} name @param {{delayInMinutes: number}} how */
    create: (name, { delayInMinutes }) =>
      write(() => void (disk.alarms[name] = { name, scheduledTime: Date.now() + delayInMinutes * 60_000 })),
  },
  declarativeNetRequest: {
    /** @param {{ruleIds?: number[]}} [filter] */
    getDynamicRules: async ({ ruleIds } = {}) => structuredClone(disk.rules.filter(({ id }) => !ruleIds || ruleIds.includes(id))),
    /** @param {{removeRuleIds?: number[], addRules?: chrome.declarativeNetRequest.Rule[]}} change */
    updateDynamicRules: ({ removeRuleIds = [], addRules = [] }) =>
      write(() => void (disk.rules = [...disk.rules.filter(({ id }) => !removeRuleIds.includes(id)), ...addRules])),
    updateSessionRules: async () => {
      throw new Error("topDomains is empty");
    },
    isRegexSupported: async () => ({ isSupported: true }),
  },
  scripting: {
    getRegisteredContentScripts: async () => structuredClone(disk.scripts),
    unregisterContentScripts: () => write(() => void (disk.scripts = [])),
    /** @param {any[]} scripts */
    registerContentScripts: (scripts) => write(() => void (disk.scripts = scripts)),
  },
};

/** The little of IndexedDB that the store uses. */
class Request {
  /** @type {any} */
  result;
  /** @type {any} */
  error = null;
  /** @type {any} */
  onsuccess;
  /** @param {any} result */
  constructor(result) {
    this.result = result;
    setTimeout(() => this.onsuccess?.());
  }
}

const indexedDB = {
  open: () => {
    const isNew = !disk.database;
    const database = (disk.database ??= new Map());
    const request = new Request({
      createObjectStore: () => {},
      close: () => {},
      transaction: () => {
        const put = new Map();
        /** @type {any} */
        const transaction = {
          error: null,
          objectStore: () => ({
            get: (/** @type {string} */ key) => new Request(structuredClone(database.get(key))),
            put: (/** @type {any} */ value, /** @type {string} */ key) => put.set(key, structuredClone(value)),
          }),
        };
        setTimeout(async () => {
          if (put.size === 0) return;
          if (full === "database") {
            transaction.error = new Error("QuotaExceededError");
            transaction.onabort?.();
            return;
          }
          await write(() => put.forEach((value, key) => database.set(key, value)));
          transaction.oncomplete?.();
        });
        return transaction;
      },
    });
    if (isNew) setTimeout(() => /** @type {any} */ (request).onupgradeneeded?.());
    return request;
  },
};

/** @param {string | URL | Request} address */
async function fetchHere(address) {
  const url = String(address);
  if (url.startsWith(OWN)) {
    const path = url.slice(OWN.length);
    if (path === "defaults.json") return Response.json(settings);
    if (path === "vendor/suffixes.txt") return new Response(publicSuffixes());
    if (path.startsWith("wasm/")) {
      const headers = { "Content-Type": "application/wasm" };
      return new Response(await readFile(new URL(path.slice(5), BUILT)), { headers });
    }
    const data = packaged.get(path);
    if (!data) throw new Error(`the package has no ${path}`);
    return new Response(Buffer.from(data));
  }
  const path = url.slice(settings.listServer.length + 1);
  asked.push(path);
  if (!server) throw new TypeError("fetch failed");
  const data = server.get(path);
  return data ? new Response(Buffer.from(data)) : new Response("not here", { status: 404 });
}

const now = Date.now;
Date.now = () => now() + clock;
Object.assign(globalThis, {
  chrome: new Proxy(browser, { get: (target, key) => (key in target ? /** @type {any} */ (target)[key] : anything) }),
  indexedDB,
  fetch: fetchHere,
});
Object.defineProperty(globalThis, "navigator", { value: { onLine: true } });
runInThisContext(await readFile(new URL("wasm_exec.js", BUILT), "utf8"));
const { applyScope } = await import("../background/choices.js");
const { poll, schedulePolls, updateState } = await import("../background/updates.js");
const { ready, state } = await import("../background/state.js");

// As main.js does.
await ready();
await Promise.allSettled([applyScope(job === "start"), schedulePolls()]);
if (job === "poll") await poll();
known = { list: state.list, updates: await updateState() };
if (!stopped) tell();
