/**
 * What a tab did on one protected site, request by request: for the report, the
 * workshop and what a user saves. A visit begins with the first page of the
 * site in a tab and ends when the tab is closed or goes elsewhere. It is kept
 * in memory and in storage.session, which never reaches the disk.
 *
 * A visit is written piece by piece: its last few requests with everything
 * about it in one entry, the others packed, each a hundred, in entries that
 * never change. Those are read again only when somebody looks at the visit, so
 * neither a wake nor the popup pays for them.
 */

import { api } from "./api.js";
import { pack, toBase64, unpack } from "./pack.js";
import { withoutFragment } from "./pages.js";

/**
 * @typedef {object} VisitRequest
 * @property {number} page index in the visit's pages
 * @property {number} at milliseconds since the visit's start
 * @property {string} url cut at 2,048 characters
 * @property {string} type as webRequest names it
 * @property {string} method
 * @property {import("./record.js").Outcome} outcome
 * @property {string} reason
 * @property {string} rule "" when none decided
 * @property {readonly import("./engine.js").Leak[]} told what it carried, also when the list decided
 * @property {string} body in base64, "" unless it told something
 * @property {string} referer "" when unknown
 */

/**
 * An organisation that sees the page in clear, though no extension can stop it.
 * @typedef {object} Carrier
 * @property {string} name
 * @property {string} country two letters, "" when unknown
 * @property {string} evidence what the response says of it
 */

/**
 * A top document, or an address that it has given itself.
 * @typedef {object} VisitPage
 * @property {string} url
 * @property {string} mode
 * @property {number} at milliseconds since the visit's start
 * @property {string[]} [allow] hosts that the user lets through there
 */

/**
 * @typedef {object} VisitAbout
 * @property {string} domain protected
 * @property {string} mode of its last page
 * @property {number} started milliseconds since 1970
 * @property {VisitPage[]} pages
 * @property {number} dropped requests that are not kept: they were over the budget
 * @property {Carrier[]} carriers
 */

/** @typedef {VisitAbout & {requests: VisitRequest[]}} Visit */

/**
 * How much is kept of what is packed of a visit, in bytes of storage, and of
 * all visits: with its pages and its last requests a visit stays below a
 * megabyte, and Chromium gives ten to all together.
 */
const MAX_VISIT = 850_000;
const MAX_ALL = 7_000_000;
/** So much is kept of an address, and of what all bodies of a visit are. */
const MAX_URL = 2048;
/** A script gives a request a method as long as it likes. */
const MAX_METHOD = 40;
const MAX_BODY = 16 * 1024;
const MAX_BODIES = 256 * 1024;
/** So many characters of addresses are kept of pages. */
const MAX_PAGES = 64 * 1024;
/** So many requests wait to be packed: no page asks for more at once. */
const MAX_WAITING = 5000;
const MAX_CARRIERS = 20;
/** So many requests, or so many characters of them, are packed together. */
const PACKED = 100;
const PACKED_SIZE = 64 * 1024;
const DELAY_MS = 200;

/**
 * A visit that goes on.
 * @typedef {object} Kept
 * @property {VisitAbout} about
 * @property {number[]} packed entries of storage: how many requests are in each
 * @property {number} size bytes of those entries
 * @property {VisitRequest[]} last those that are not packed yet
 * @property {number} bodies characters of all bodies so far
 */

/** By tab. @type {Map<number, Kept>} */
const visits = new Map();
/** Documents that were asked for and not shown yet, by tab. @type {Map<number, {url: string, method: string, time: number}>} */
const documents = new Map();
/** Carriers of documents that were not shown yet, by tab. @type {Map<number, Carrier[]>} */
const carriersAhead = new Map();

/** @type {Set<number>} */
const changed = new Set();
/** Entries of storage that nobody needs any more. @type {Set<string>} */
const stale = new Set();
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** @type {Promise<void>} */
let writing = Promise.resolve();

/** @param {number} tabId */
const keyOf = (tabId) => `visit:${tabId}`;

/**
 * @param {number} tabId
 * @param {Kept} kept
 * @param {number} i
 */
const packedKey = (tabId, { about }, i) => `${keyOf(tabId)}:${about.started}:${i}`;

/** What came before the visits of an earlier wake were known. @type {(() => void)[] | null} */
let early = [];

/** Takes back what an earlier wake of the background recorded. */
export async function readVisits() {
  try {
    const { visited = [] } = /** @type {{visited?: number[]}} */ (await api.storage.session.get("visited"));
    const stored = await api.storage.session.get(visited.map(keyOf));
    for (const tabId of visited) {
      const kept = /** @type {Kept | undefined} */ (stored[keyOf(tabId)]);
      if (kept) visits.set(tabId, kept);
    }
  } finally {
    const jobs = early ?? [];
    early = null;
    for (const job of jobs) job();
  }
}

/**
 * Does what ends or goes on with a visit, once it is known whether there is one.
 * @param {() => void} job
 */
function whenRead(job) {
  if (early) early.push(job);
  else job();
}

/**
 * A document is asked for in a tab: it may become the next page of a visit.
 * @param {number} tabId
 * @param {{url: string, method: string, timeStamp: number}} request
 */
export function expectDocument(tabId, { url, method, timeStamp }) {
  documents.set(tabId, { url, method, time: timeStamp });
}

/**
 * A page as it begins.
 * @typedef {object} Beginning
 * @property {string} url
 * @property {string} domain that is protected, "" when the page is not
 * @property {string} mode
 * @property {readonly string[]} allow hosts that the user lets through there
 */

/**
 * A tab shows another document.
 * @param {number} tabId
 * @param {Beginning} page
 */
export function beginPage(tabId, page) {
  whenRead(() => begin(tabId, page));
}

/**
 * @param {number} tabId
 * @param {Beginning} page
 */
function begin(tabId, { url, domain, mode, allow }) {
  const asked = documents.get(tabId);
  documents.delete(tabId);
  const ahead = carriersAhead.get(tabId) ?? [];
  carriersAhead.delete(tabId);
  if (visits.has(tabId) && visits.get(tabId)?.about.domain !== domain) end(tabId);
  if (domain === "") return;
  const isAsked = asked !== undefined && withoutFragment(asked.url) === withoutFragment(url);
  const time = Math.round(isAsked ? asked.time : Date.now());
  let kept = visits.get(tabId);
  if (!kept) {
    const about = { domain, mode, started: time, pages: [], dropped: 0, carriers: [] };
    kept = { about, packed: [], size: 0, last: [], bodies: 0 };
    visits.set(tabId, kept);
  }
  kept.about.mode = mode;
  addPage(kept, { url, mode, at: time - kept.about.started, allow });
  addCarriers(kept, ahead);
  if (isAsked) {
    const { method } = asked;
    const document = { type: "main_frame", method, outcome: /** @type {const} */ ("allow"), reason: "document", rule: "", told: [] };
    noteRequest(tabId, { ...document, url, page: url, time, body: undefined, referer: "" });
  }
  touch(tabId);
}

/**
 * A tab's document has given itself another address.
 * @param {number} tabId
 * @param {Beginning} page
 */
export function movePage(tabId, { url, domain, mode, allow }) {
  whenRead(() => {
    const kept = visits.get(tabId);
    if (!kept || kept.about.domain !== domain || kept.about.pages.at(-1)?.url === url) return;
    addPage(kept, { url, mode, at: Date.now() - kept.about.started, allow });
    touch(tabId);
  });
}

/**
 * @param {Kept} kept
 * @param {{url: string, mode: string, at: number, allow: readonly string[]}} page
 */
function addPage({ about }, { url: address, mode, at, allow }) {
  const url = address.slice(0, MAX_URL);
  if (about.pages.reduce((sum, page) => sum + page.url.length, url.length) > MAX_PAGES) return;
  about.pages.push({ url, mode, at: Math.max(0, at), ...(allow.length > 0 && { allow: [...allow] }) });
}

/** @param {number} tabId of a tab that was closed, or went elsewhere */
export function endVisit(tabId) {
  whenRead(() => end(tabId));
}

/** @param {number} tabId */
function end(tabId) {
  documents.delete(tabId);
  carriersAhead.delete(tabId);
  const kept = visits.get(tabId);
  if (!kept) return;
  visits.delete(tabId);
  // Those that are being written now are among them.
  for (let i = 0; i <= kept.packed.length; i++) stale.add(packedKey(tabId, kept, i));
  touch(tabId);
}

/** Drops all visits. */
export function forgetVisits() {
  for (const tabId of [...visits.keys()]) end(tabId);
}

/**
 * Who sees the pages of a tab's visit in clear.
 * @param {number} tabId
 * @param {Carrier[]} carriers
 */
export function noteCarriers(tabId, carriers) {
  whenRead(() => takeCarriers(tabId, carriers));
}

/**
 * @param {number} tabId
 * @returns {Carrier[]} of the pages of its visit
 */
export function carriersSeen(tabId) {
  return visits.get(tabId)?.about.carriers ?? [];
}

/**
 * @param {number} tabId
 * @param {Carrier[]} carriers
 */
function takeCarriers(tabId, carriers) {
  const kept = visits.get(tabId);
  // What carried a document is known before the document is shown.
  if (documents.has(tabId)) carriersAhead.set(tabId, carriers);
  if (!kept || documents.has(tabId)) return;
  addCarriers(kept, carriers);
  touch(tabId);
}

/**
 * @param {Kept} kept
 * @param {Carrier[]} carriers
 */
function addCarriers({ about }, carriers) {
  for (const carrier of carriers) {
    const isKnown = about.carriers.some(({ name }) => name === carrier.name);
    if (!isKnown && about.carriers.length < MAX_CARRIERS) about.carriers.push(carrier);
  }
}

/**
 * @typedef {object} Seen a request as it was seen
 * @property {string} url
 * @property {string} type
 * @property {string} method
 * @property {string} page address of the top document
 * @property {number} time milliseconds since 1970
 * @property {import("./record.js").Outcome} outcome
 * @property {string} reason
 * @property {string} rule
 * @property {readonly import("./engine.js").Leak[]} told
 * @property {Uint8Array | string | undefined} body
 * @property {string} referer
 */

/**
 * @param {number} tabId
 * @param {Seen} seen
 */
export function noteRequest(tabId, { url, type, method, page, time, outcome, reason, rule, told, body, referer }) {
  const kept = visits.get(tabId);
  if (!kept) return;
  if (kept.size >= MAX_VISIT || kept.last.length >= MAX_WAITING || sizeOfAll() >= MAX_ALL) {
    kept.about.dropped++;
    touch(tabId);
    return;
  }
  kept.last.push({
    page: pageIndex(kept, page),
    at: Math.max(0, Math.round(time - kept.about.started)),
    url: url.slice(0, MAX_URL),
    type,
    method: method.slice(0, MAX_METHOD),
    outcome,
    reason,
    rule,
    told,
    body: bodyKept(kept, told, body),
    referer: referer.slice(0, MAX_URL),
  });
  touch(tabId);
}

/**
 * @param {Kept} kept
 * @param {readonly import("./engine.js").Leak[]} told
 * @param {Uint8Array | string | undefined} body
 * @returns {string} base64
 */
function bodyKept(kept, told, body) {
  if (!body || !told.some(({ place }) => place === "body")) return "";
  const bytes = typeof body === "string" ? new TextEncoder().encode(body) : body;
  const room = Math.min(MAX_BODY, MAX_BODIES - kept.bodies);
  const text = room > 0 ? toBase64(bytes.subarray(0, room)) : "";
  kept.bodies += text.length;
  return text;
}

/**
 * @param {Kept} kept
 * @param {string} url of the top document that a request came from
 */
function pageIndex({ about }, url) {
  const wanted = withoutFragment(url.slice(0, MAX_URL));
  const index = about.pages.findLastIndex((page) => withoutFragment(page.url) === wanted);
  // A worker tells its origin alone.
  return index >= 0 ? index : Math.max(0, about.pages.length - 1);
}

function sizeOfAll() {
  let all = 0;
  for (const { size } of visits.values()) all += size;
  return all;
}

/** @param {number} tabId */
function touch(tabId) {
  changed.add(tabId);
  timer ??= setTimeout(() => {
    timer = undefined;
    writing = writing.then(write).catch(() => {});
  }, DELAY_MS);
}

/**
 * Settles when all that is known by now is in storage, or could not be put there.
 * @returns {Promise<void>}
 */
export async function written() {
  clearTimeout(timer);
  timer = undefined;
  writing = writing.then(write).catch(() => {});
  for (let before; before !== writing; await before) before = writing;
}

async function write() {
  if (changed.size + stale.size === 0) return;
  const tabs = [...changed];
  changed.clear();
  const gone = [...stale];
  stale.clear();
  // The mirror only saves visits over a wake; a full or failing storage costs no more than those.
  for (const tabId of tabs) await writeVisit(tabId).catch(() => {});
  for (const tabId of tabs) if (!visits.has(tabId)) gone.push(keyOf(tabId));
  await Promise.allSettled([
    api.storage.session.set({ visited: [...visits.keys()] }),
    gone.length > 0 && api.storage.session.remove(gone),
  ]);
}

/** @param {number} tabId */
async function writeVisit(tabId) {
  const kept = visits.get(tabId);
  if (!kept) return;
  /** @type {Record<string, unknown>} */
  const entries = {};
  while (isFull(kept.last)) {
    const requests = kept.last.slice(0, PACKED);
    const text = await pack(requests);
    if (visits.get(tabId) !== kept) return;
    kept.last.splice(0, requests.length);
    if (kept.size + text.length > MAX_VISIT) {
      kept.about.dropped += requests.length;
      continue;
    }
    entries[packedKey(tabId, kept, kept.packed.length)] = text;
    kept.packed.push(requests.length);
    kept.size += text.length;
  }
  await api.storage.session.set({ ...entries, [keyOf(tabId)]: kept });
}

/** @param {VisitRequest[]} requests */
function isFull(requests) {
  if (requests.length >= PACKED) return true;
  return JSON.stringify(requests).length > PACKED_SIZE;
}

/**
 * A visit as it is told to pages of the extension.
 * @typedef {object} VisitPart
 * @property {VisitAbout} visit
 * @property {VisitRequest[]} requests from the one that was asked for
 * @property {number} total requests that are kept
 */

/**
 * @param {number} tabId
 * @param {number} from index of the first request that is wanted
 * @returns {Promise<VisitPart | null>} null when the tab is not on a protected site
 */
export async function visitOf(tabId, from) {
  // What is packed is in storage by then.
  if (visits.has(tabId)) await written();
  const kept = visits.get(tabId);
  if (!kept) return null;
  const { about } = kept;
  const last = [...kept.last];
  const packed = [...kept.packed];
  const total = countOf(kept);
  const requests = [];
  let first = 0;
  const wanted = packed.map((count, i) => {
    const skip = Math.max(0, from - first);
    first += count;
    return { key: packedKey(tabId, kept, i), skip, count };
  }).filter(({ skip, count }) => skip < count);
  const stored = await api.storage.session.get(wanted.map(({ key }) => key));
  for (const { key, skip } of wanted) {
    const text = stored[key];
    if (typeof text === "string") requests.push(.../** @type {VisitRequest[]} */ (await unpack(text)).slice(skip));
  }
  requests.push(...last.slice(Math.max(0, from - first)));
  return { visit: about, requests, total };
}

/** @param {Kept} kept */
function countOf({ packed, last }) {
  return packed.reduce((sum, count) => sum + count, last.length);
}

/** @returns {{tabId: number, domain: string, started: number, requests: number}[]} all visits that go on */
export function allVisits() {
  return [...visits].map(([tabId, kept]) => ({
    tabId,
    domain: kept.about.domain,
    started: kept.about.started,
    requests: countOf(kept),
  }));
}
