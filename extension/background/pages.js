/**
 * Which page each tab shows. In Chromium a request names only the origin of
 * the frame that it comes from; in Firefox it names the document, by the
 * address that it was loaded from, whatever a script has made of it since.
 */

import { api } from "./api.js";

/**
 * @typedef {object} Page
 * @property {string} url that it shows
 * @property {string} [shown] what the browser calls the document that was committed last
 * @property {string} [past] and the one before it
 * @property {string} document that was loaded: scripts give it further addresses
 * @property {boolean} committed whether the browser shows it already
 * @property {boolean} answered whether its response was told
 * @property {string} [before] until it is committed: what the tab still shows
 * @property {number} since milliseconds, of the last of the two
 */

/** How long after a document's commit its response may still be told. */
const LATE_MS = 1000;

/** @type {Map<number, Page>} */
const pages = new Map();

/**
 * Tabs that were closed. Firefox may tell of their last document afterwards, and
 * what begins in a tab that is gone would never end. Numbers are not given twice.
 * @type {Set<number>}
 */
const closed = new Set();
const MAX_CLOSED = 200;

/** @param {number} tabId */
export const isClosed = (tabId) => closed.has(tabId);

/** Fills in the tabs that were open before this wake of the background. */
export async function readPages() {
  for (const tab of await api.tabs.query({})) {
    if (tab.id !== undefined && !pages.has(tab.id)) put(tab.id, { url: tab.url ?? "", committed: true, answered: true });
  }
}

/**
 * @param {number} tabId
 * @param {Omit<Page, "document" | "since"> & {document?: string}} page whose
 *   document is what it shows when it is left out
 */
function put(tabId, page) {
  const { shown, past } = pages.get(tabId) ?? {};
  pages.set(tabId, { document: page.url, shown, past, ...page, since: performance.now() });
}

/**
 * @param {number} tabId
 * @returns {string} "" when unknown
 */
export function pageOf(tabId) {
  return pages.get(tabId)?.url ?? "";
}

/** @returns {{tabId: number, url: string}[]} */
export function openPages() {
  return [...pages].map(([tabId, { url }]) => ({ tabId, url }));
}

/**
 * The page around a frame: the next one has none before it is shown, and what
 * those of the last one ask for until then is not its doing.
 * @param {number} tabId
 * @returns {string} "" when unknown
 */
export function pageAround(tabId) {
  const page = pages.get(tabId);
  return page?.before ?? page?.url ?? "";
}

/**
 * Whether something is said by the page before, which lives on until the next
 * one is committed, and may be heard even later.
 * @param {number} tabId
 * @param {{frameId?: number, documentId?: string}} sender
 */
export function isOfPageBefore(tabId, { frameId, documentId }) {
  const page = pages.get(tabId);
  if (!page) return false;
  if (documentId && documentId === page.past) return true;
  if (documentId && documentId !== page.shown && frameId === 0) return false;
  // A frame does not say whose it is, nor do older browsers say which document speaks.
  return !page.committed;
}

/**
 * The address that a document has now.
 * @param {number} tabId
 * @param {string} document the address that it was loaded from
 * @returns {string}
 */
export function movedTo(tabId, document) {
  const page = pages.get(tabId);
  return page && withoutFragment(page.document) === withoutFragment(document) ? page.url : document;
}

/**
 * The tab to put a request of a service worker down to, which has none itself.
 * @param {(url: string) => boolean} matches
 * @returns {number} -1 when no page matches
 */
export function tabWith(matches) {
  let found = -1;
  for (const [tabId, { url }] of pages) if (matches(url)) found = tabId;
  return found;
}

/**
 * Registers the listeners that follow navigations.
 * @param {(tabId: number, url: string) => void} begin called once for every new document
 * @param {(tabId: number, url: string) => void} moved called when a document has given itself another address
 * @param {(tabId: number) => void} end called when a tab is closed
 */
export function followPages(begin, moved, end) {
  // A document's first requests can come before its commit is told, never
  // before its response; pages out of the back-forward cache or from a service
  // worker have a commit only. Firefox may tell the two in either order, and a
  // record that begins twice loses what was noted in between.
  api.webRequest.onResponseStarted.addListener(
    ({ tabId, url, statusCode }) => {
      if (tabId < 0 || closed.has(tabId) || statusCode === 204 || statusCode === 205) return;
      const page = pages.get(tabId);
      const late = page?.committed && !page.answered && performance.now() - page.since < LATE_MS;
      if (late && withoutFragment(page.url) === withoutFragment(url)) {
        page.answered = true;
        return;
      }
      put(tabId, { url, committed: false, answered: true, before: pageAround(tabId) });
      begin(tabId, url);
    },
    { urls: ["<all_urls>"], types: ["main_frame"] },
  );
  api.webNavigation.onCommitted.addListener(({ tabId, frameId, url, ...details }) => {
    if (frameId !== 0 || closed.has(tabId)) return;
    const page = pages.get(tabId);
    const begun = page && !page.committed && withoutFragment(page.url) === withoutFragment(url);
    const { documentId: shown } = /** @type {{documentId?: string}} */ (details);
    put(tabId, { url, shown, past: page?.shown, committed: true, answered: Boolean(begun) });
    if (!begun) begin(tabId, url);
  });
  api.webNavigation.onHistoryStateUpdated.addListener(({ tabId, frameId, url }) => {
    if (frameId !== 0 || closed.has(tabId)) return;
    put(tabId, { url, document: pages.get(tabId)?.document ?? url, committed: true, answered: true });
    moved(tabId, url);
  });
  api.tabs.onRemoved.addListener((tabId) => {
    pages.delete(tabId);
    closed.add(tabId);
    for (const oldest of closed) {
      if (closed.size <= MAX_CLOSED) break;
      closed.delete(oldest);
    }
    end(tabId);
  });
}

/** @param {string} url */
export function withoutFragment(url) {
  return url.split("#", 1)[0];
}
