/**
 * What became of the requests of each tab's page, by host, for the badge and
 * the popup. Kept in memory and mirrored in storage.session, which the browser
 * forgets when it is closed. It counts every request, however many there are;
 * the requests themselves are in visits.js.
 */

import { api } from "./api.js";

/** @typedef {import("./engine.js").Leak} Leak */

/**
 * What happened to requests: stopped; answered with a placeholder; let through
 * in mode watch; let through although they should have been stopped; or just
 * let through.
 * @typedef {"block" | "relay" | "would" | "missed" | "allow"} Outcome
 */

/**
 * What requests carried of their page in one way, with the first example; `left`
 * of them got there.
 * @typedef {Leak & {requests: number, left: number}} Learnt
 */

/**
 * @typedef {object} HostWhy
 * @property {string} rule
 * @property {string} reason of what was stopped or should have been, if anything was
 * @property {number[]} photos hashes of the distinct addresses of photos
 * @property {number} scripts requests for scripts, which could read all of the page
 * @property {Learnt[]} learnt
 */

/** @typedef {Record<Outcome, number> & HostWhy} HostRecord */

/**
 * @typedef {object} PageRecord
 * @property {string} domain protected domain of the page
 * @property {string} mode in force when the page was opened
 * @property {Record<Outcome, number>} total
 * @property {Record<string, HostRecord>} hosts
 * @property {number} more requests to hosts beyond those that are kept apart, or with names that cannot be
 * @property {{shown: number, failed: number, problem: import("./relay.js").Problem | ""}} photos
 *   "problem" is why the last of those failed
 */

const MAX_HOSTS = 300;
/** No longer host can be reached (RFC 1035, 2.3.4), but a page can ask for one. */
const MAX_HOST = 255;
/** So many photos of a host are told apart, and so many ways of telling it something. */
const MAX_PHOTOS = 2000;
const MAX_LEARNT = 30;
const MAX_TABS = 200;
const DELAY_MS = 200;

/** @type {Map<number, PageRecord>} */
const records = new Map();
/** @type {Set<number>} */
const changed = new Set();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** Takes back what an earlier wake of the background recorded. */
export async function readRecords() {
  const { tabs = [] } = /** @type {{tabs?: number[]}} */ (await api.storage.session.get("tabs"));
  const stored = await api.storage.session.get(tabs.map((tabId) => `tab:${tabId}`));
  for (const tabId of tabs) {
    const record = /** @type {PageRecord | undefined} */ (stored[`tab:${tabId}`]);
    if (record && !records.has(tabId)) records.set(tabId, { ...record, hosts: byHost(record.hosts) });
  }
}

/**
 * @param {number} tabId
 * @returns {PageRecord | undefined}
 */
export function recordOf(tabId) {
  return records.get(tabId);
}

/**
 * A new document begins in a tab.
 * @param {number} tabId
 * @param {string} domain "" when the page is not protected
 * @param {string} mode
 */
export function beginRecord(tabId, domain, mode) {
  if (domain === "") {
    if (records.has(tabId)) endRecord(tabId);
    return;
  }
  records.delete(tabId);
  records.set(tabId, {
    domain,
    mode,
    total: { block: 0, relay: 0, would: 0, missed: 0, allow: 0 },
    hosts: byHost(),
    more: 0,
    photos: { shown: 0, failed: 0, problem: "" },
  });
  for (const oldest of records.keys()) {
    if (records.size <= MAX_TABS) break;
    endRecord(oldest);
  }
  touch(tabId);
}

/**
 * A page asks for hosts with the names that it likes, such as "constructor" or
 * "__proto__": what holds them has nothing of its own.
 * @param {PageRecord["hosts"]} [hosts]
 * @returns {PageRecord["hosts"]}
 */
function byHost(hosts = {}) {
  return Object.assign(Object.create(null), hosts);
}

/** @param {number} tabId */
export function endRecord(tabId) {
  records.delete(tabId);
  touch(tabId);
}

/** Drops the records of all tabs. */
export function forgetRecords() {
  for (const tabId of [...records.keys()]) endRecord(tabId);
}

/**
 * @typedef {object} Noted
 * @property {Outcome} outcome
 * @property {string} host
 * @property {string} url
 * @property {string} rule
 * @property {string} reason
 * @property {string} type as webRequest names it
 * @property {boolean} isPhoto whether the list knows the address for that of a photo
 * @property {readonly Leak[]} told what the request carried
 */

/**
 * @param {number} tabId
 * @param {Noted} request
 */
export function note(tabId, { outcome, host, url, type, rule, reason, isPhoto, told }) {
  const record = records.get(tabId);
  if (!record) return;
  record.total[outcome]++;
  let entry = record.hosts[host];
  if (!entry && host.length <= MAX_HOST && Object.keys(record.hosts).length < MAX_HOSTS) {
    entry = record.hosts[host] = { block: 0, relay: 0, would: 0, missed: 0, allow: 0, rule, reason, photos: [], scripts: 0, learnt: [] };
  }
  if (entry) {
    const isFirstStop = outcome !== "allow" && entry.block + entry.relay + entry.would + entry.missed === 0;
    if (isFirstStop) Object.assign(entry, { rule, reason });
    entry[outcome]++;
    if (isPhoto) notePhotoAddress(entry.photos, url);
    if (type === "script") entry.scripts++;
    const left = outcome === "block" || outcome === "relay" ? 0 : 1;
    for (const leak of told) noteLearnt(entry.learnt, { ...leak, requests: 1, left });
  } else {
    record.more++;
  }
  touch(tabId);
}

/**
 * @param {number[]} photos
 * @param {string} url
 */
function notePhotoAddress(photos, url) {
  // FNV-1a. Two addresses in 2,000 are taken for one with a chance of 1 in 2,000.
  let hash = 0x811c9dc5;
  for (let i = 0; i < url.length; i++) hash = Math.imul(hash ^ url.charCodeAt(i), 0x01000193);
  if (!photos.includes(hash) && photos.length < MAX_PHOTOS) photos.push(hash);
}

/**
 * Counts what was told with what was told in the same way.
 * @param {Learnt[]} learnt
 * @param {Learnt} more
 */
export function noteLearnt(learnt, { what, place, encoding, field, text, requests, left }) {
  const same = learnt.find((one) => one.what === what && one.place === place && one.encoding === encoding && one.field === field);
  if (same) {
    // What got there is the better example.
    if (same.left === 0 && left > 0) same.text = text;
    same.requests += requests;
    same.left += left;
  } else if (learnt.length < MAX_LEARNT) learnt.push({ what, place, encoding, field, text, requests, left });
}

/**
 * @param {number} tabId
 * @param {PageRecord | undefined} record of the page that asked: when the tab
 *   has moved on meanwhile, the photo is not the new page's
 * @param {"shown" | import("./relay.js").Problem} outcome
 */
export function notePhoto(tabId, record, outcome) {
  if (!record || record !== records.get(tabId)) return;
  if (outcome === "shown") record.photos.shown++;
  else Object.assign(record.photos, { failed: record.photos.failed + 1, problem: outcome });
  touch(tabId);
}

/** @param {number} tabId */
function touch(tabId) {
  changed.add(tabId);
  timer ??= setTimeout(flush, DELAY_MS);
}

async function flush() {
  timer = undefined;
  const tabs = [...changed];
  changed.clear();
  /** @type {Record<string, unknown>} */
  const kept = {};
  for (const tabId of tabs) {
    const record = records.get(tabId);
    if (record) kept[`tab:${tabId}`] = record;
  }
  const gone = tabs.filter((tabId) => !records.has(tabId)).map((tabId) => `tab:${tabId}`);
  // The mirror only saves counts over a wake; a full or failing storage costs no more than those.
  await Promise.allSettled([
    api.storage.session.set({ ...kept, tabs: [...records.keys()] }),
    gone.length > 0 && api.storage.session.remove(gone),
    ...tabs.map(showCount),
  ]);
}

/** @param {number} tabId */
async function showCount(tabId) {
  const total = records.get(tabId)?.total;
  const stopped = total ? total.block + total.relay : 0;
  const count = stopped || (total?.would ?? 0);
  // The tab may be gone by now: a rejection is expected and harmless.
  await api.action.setBadgeText({ tabId, text: count > 999 ? "999+" : count > 0 ? String(count) : "" });
  await api.action.setBadgeBackgroundColor({ tabId, color: stopped > 0 ? "#1f6f63" : "#8a6d1f" });
}
