/**
 * Which tabs are in private windows: what is seen there is kept apart, and goes
 * with the tab. What Chromium is told because of it holds in that tab alone.
 */

import { api } from "./api.js";
import { isClosed } from "./pages.js";

/** It never changes. @type {Map<number, Promise<boolean>>} */
const known = new Map();
const MAX_TABS = 200;
/** In place of a private tab: all tabs. */
export const ALL_TABS = -1;
/** What has no tab, as declarativeNetRequest writes it: a page's service worker. */
const NO_TAB = -1;

/**
 * @param {number} tabId
 * @returns {Promise<boolean>} rejects when the tab is gone: nobody would take
 *   back what the browser is told of it then
 */
export async function isPrivate(tabId) {
  let asked = known.get(tabId);
  if (!asked) {
    if (known.size >= MAX_TABS) known.clear();
    asked = api.tabs.get(tabId).then(({ incognito }) => incognito);
    known.set(tabId, asked);
    asked.catch(() => known.delete(tabId));
  }
  const incognito = await asked;
  if (isClosed(tabId)) throw new Error(`tab ${tabId} is closed`);
  return incognito;
}

/**
 * The part of a rule's condition that keeps it to a tab, and to what has none.
 * @param {number} tab
 * @returns {{tabIds?: number[]}}
 */
export function within(tab) {
  return tab === ALL_TABS ? {} : { tabIds: [tab, NO_TAB] };
}

/** @param {chrome.declarativeNetRequest.RuleCondition} condition that {@link within} has a part in */
export function tabOf({ tabIds }) {
  return tabIds?.[0] ?? ALL_TABS;
}
