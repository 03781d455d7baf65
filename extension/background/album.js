/**
 * The photos that were brought, so that none is asked for twice: in memory until
 * the tab that showed them is closed, or, if the user chose so, on disk for a
 * day. Those of private windows are never on disk, nor shown in others.
 */

import { api } from "./api.js";
import { managed, refuseLocked } from "./managed.js";

/** @typedef {import("./relay.js").Photo} Photo */

/** @typedef {"tab" | "day"} Keep how long photos are kept */

/** A tab that shows photos. @typedef {Pick<chrome.tabs.Tab, "id" | "incognito">} Viewer */

/** @type {readonly Keep[]} */
export const KEEPS = ["tab", "day"];

const KEY = "photosKept";
const ALARM = "photos";
const DAY_MS = 24 * 60 * 60 * 1000;
const MAX_MEMORY = 16 * 1024 * 1024;
const MAX_DISK = 64 * 1024 * 1024;
const DATABASE = "photos";
const STORE = "photos";

/** By address, and whether windows are private; oldest first. @type {Map<string, {photo: Photo, tabs: Set<number>}>} */
const shown = new Map();
let size = 0;
/** How long what failed is left alone, in milliseconds. */
const RETRY_MS = 1000;
/** Tabs that were closed: what was still on its way for them is not kept. @type {Set<number>} */
const closed = new Set();
const MAX_CLOSED = 1000;
/** What is looked for or on its way. @type {Map<string, Promise<Photo>>} */
const coming = new Map();

/** @returns {Promise<Keep>} */
export async function keptFor() {
  const [stored, { values }] = await Promise.all([api.storage.local.get(KEY), managed()]);
  return values.keep ?? (stored[KEY] === "day" ? "day" : "tab");
}

/** @param {Keep} keep */
export async function keepFor(keep) {
  await refuseLocked("keep");
  await api.storage.local.set({ [KEY]: keep });
  if (keep === "tab") await forgetDisk();
}

/**
 * Finds a photo, or brings it. However many ask for one at whatever moment, it
 * is brought once: from the first who asks until it is remembered, all others
 * wait for the same.
 * @param {string} address
 * @param {Viewer} tab that wants to show it
 * @param {Keep} keep how long photos are kept
 * @param {(url: string) => Promise<Photo>} bring
 * @returns {Promise<Photo>} rejects as `bring` does
 */
export async function obtain(address, tab, keep, bring) {
  const url = withoutFragment(address);
  const key = keyOf(url, tab);
  let photo = shown.get(key)?.photo;
  if (!photo) {
    let way = coming.get(key);
    if (!way) {
      way = findOrBring(url, tab, keep, bring);
      coming.set(key, way);
      const forget = () => coming.delete(key);
      way.then(forget, () => setTimeout(forget, RETRY_MS));
    }
    photo = await way;
  }
  remember(url, photo, tab);
  return photo;
}

/**
 * A page can tell how soon a photo is there: one window's are not the other's.
 * @param {string} url
 * @param {Viewer} tab
 */
function keyOf(url, { incognito }) {
  return `${incognito} ${url}`;
}

/**
 * @param {string} url
 * @param {Viewer} tab
 * @param {Keep} keep
 * @param {(url: string) => Promise<Photo>} bring
 * @returns {Promise<Photo>}
 */
async function findOrBring(url, tab, keep, bring) {
  const isOnDisk = keep === "day" && !tab.incognito;
  const found = isOnDisk ? await findOnDisk(url) : undefined;
  if (found) return found;
  const photo = await bring(url);
  // At once: nobody may find it neither on its way nor here.
  remember(url, photo, tab);
  // A disk that is full costs no more than asking again.
  if (isOnDisk) void keepOnDisk(url, photo).catch(() => {});
  return photo;
}

/**
 * @param {string} url
 * @param {Photo} photo
 */
async function keepOnDisk(url, photo) {
  // The user may have thought better of it while the photo was on its way.
  if ((await keptFor()) === "day") await putOnDisk(url, photo);
}

/** @param {string} address */
function withoutFragment(address) {
  const at = address.indexOf("#");
  return at < 0 ? address : address.slice(0, at);
}

/** @param {number} tabId of a tab that was closed */
export function forgetTab(tabId) {
  closed.add(tabId);
  for (const oldest of closed) {
    if (closed.size <= MAX_CLOSED) break;
    closed.delete(oldest);
  }
  for (const [key, { photo, tabs }] of shown) {
    if (!tabs.delete(tabId) || tabs.size > 0) continue;
    shown.delete(key);
    size -= photo.bytes.length;
  }
}

/** Forgets all photos, also those on disk. */
export async function forgetAlbum() {
  shown.clear();
  size = 0;
  await forgetDisk();
}

/** @param {chrome.alarms.Alarm} alarm */
export function onAlarm(alarm) {
  if (alarm.name === ALARM) void sweep().catch(() => {});
}

/**
 * @param {string} url
 * @param {Photo} photo
 * @param {Viewer} tab
 */
function remember(url, photo, tab) {
  const { id = -1 } = tab;
  if (closed.has(id)) return;
  const key = keyOf(url, tab);
  const before = shown.get(key);
  if (before) {
    before.tabs.add(id);
    return;
  }
  shown.set(key, { photo, tabs: new Set([id]) });
  size += photo.bytes.length;
  for (const [oldest, { photo: old }] of shown) {
    if (size <= MAX_MEMORY) break;
    shown.delete(oldest);
    size -= old.bytes.length;
  }
}

/** @returns {Promise<IDBDatabase>} */
async function database() {
  const opening = indexedDB.open(DATABASE, 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore(STORE);
  return settled(opening);
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @template T
 * @param {"readonly" | "readwrite"} mode
 * @param {(store: IDBObjectStore) => Promise<T>} use
 * @returns {Promise<T>}
 */
async function withStore(mode, use) {
  const db = await database();
  try {
    return await use(db.transaction(STORE, mode).objectStore(STORE));
  } finally {
    db.close();
  }
}

/** @typedef {Photo & {since: number}} Kept */

/**
 * @param {string} url
 * @returns {Promise<Photo | undefined>}
 */
async function findOnDisk(url) {
  /** @type {Kept | undefined} */
  const kept = await withStore("readonly", (store) => settled(store.get(url))).catch(() => undefined);
  return kept && isFresh(kept) ? { type: kept.type, bytes: kept.bytes } : undefined;
}

/**
 * A clock that was put back must not make a photo stay.
 * @param {Kept} kept
 */
function isFresh({ since }) {
  return Math.abs(Date.now() - since) < DAY_MS;
}

/**
 * @param {string} url
 * @param {Photo} photo
 */
async function putOnDisk(url, photo) {
  await withStore("readwrite", (store) => settled(store.put({ ...photo, since: Date.now() }, url)));
  if (!(await api.alarms.get(ALARM))) await api.alarms.create(ALARM, { delayInMinutes: 60, periodInMinutes: 60 });
}

/** Throws out what is older than a day, and the oldest of what is too much. */
async function sweep() {
  const left = await withStore("readwrite", async (store) => {
    const [urls, photos] = await Promise.all([settled(store.getAllKeys()), settled(store.getAll())]);
    const all = /** @type {Kept[]} */ (photos).map((kept, i) => ({ kept, url: urls[i] ?? "" }));
    all.sort((a, b) => b.kept.since - a.kept.since);
    let total = 0;
    const old = all.filter(({ kept }) => !isFresh(kept) || (total += kept.bytes.length) > MAX_DISK);
    await Promise.all(old.map(({ url }) => settled(store.delete(url))));
    return all.length - old.length;
  });
  if (left === 0) await forgetDisk();
}

async function forgetDisk() {
  await api.alarms.clear(ALARM);
  await settled(indexedDB.deleteDatabase(DATABASE));
}
