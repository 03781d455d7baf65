/**
 * What was stopped on each tab's page, for the badge and the popup. Kept in
 * memory and mirrored in storage.session, which the browser forgets when it is
 * closed; holds hosts and rules, never an address that someone visited.
 */

import { api } from "./api.js";

/**
 * What happened to requests: stopped; answered with a placeholder; let through
 * in mode watch; or let through although they should have been stopped.
 * @typedef {"block" | "relay" | "would" | "missed"} Outcome
 */

/**
 * @typedef {Record<Outcome, number> & {rule: string, reason: string}} HostRecord
 */

/**
 * @typedef {object} PageRecord
 * @property {string} domain protected domain of the page
 * @property {string} mode in force when the page was opened
 * @property {Record<Outcome, number>} total
 * @property {Record<string, HostRecord>} hosts
 * @property {number} more requests to hosts beyond those that are kept apart
 * @property {{shown: number, failed: number, problem: import("./relay.js").Problem | ""}} photos
 *   "problem" is why the last of those failed
 */

const MAX_HOSTS = 300;
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
  const stored = await api.storage.session.get(null);
  for (const [key, record] of Object.entries(stored)) {
    const tabId = Number(/^tab:(\d+)$/.exec(key)?.[1] ?? -1);
    if (tabId >= 0 && !records.has(tabId)) records.set(tabId, /** @type {PageRecord} */ (record));
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
    total: { block: 0, relay: 0, would: 0, missed: 0 },
    hosts: {},
    more: 0,
    photos: { shown: 0, failed: 0, problem: "" },
  });
  for (const oldest of records.keys()) {
    if (records.size <= MAX_TABS) break;
    endRecord(oldest);
  }
  touch(tabId);
}

/** @param {number} tabId */
export function endRecord(tabId) {
  records.delete(tabId);
  touch(tabId);
}

/**
 * @param {number} tabId
 * @param {Outcome} outcome
 * @param {string} host
 * @param {{rule: string, reason: string}} why
 */
export function note(tabId, outcome, host, { rule, reason }) {
  const record = records.get(tabId);
  if (!record) return;
  record.total[outcome]++;
  let entry = record.hosts[host];
  if (!entry && Object.keys(record.hosts).length < MAX_HOSTS) {
    entry = record.hosts[host] = { block: 0, relay: 0, would: 0, missed: 0, rule, reason };
  }
  if (entry) entry[outcome]++;
  else record.more++;
  touch(tabId);
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
  /** @type {Record<string, PageRecord>} */
  const kept = {};
  for (const tabId of tabs) {
    const record = records.get(tabId);
    if (record) kept[`tab:${tabId}`] = record;
  }
  const gone = tabs.filter((tabId) => !records.has(tabId)).map((tabId) => `tab:${tabId}`);
  // The mirror only saves counts over a wake; a full or failing storage costs no more than those.
  await Promise.allSettled([
    Object.keys(kept).length > 0 && api.storage.session.set(kept),
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
