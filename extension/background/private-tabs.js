/** Which tabs are in private windows: what is seen there is kept apart, and goes with the tab. */

import { api } from "./api.js";

/** It never changes. @type {Map<number, Promise<boolean>>} */
const known = new Map();
const MAX_TABS = 200;

/**
 * @param {number} tabId
 * @returns {Promise<boolean>} rejects when the tab is gone
 */
export function isPrivate(tabId) {
  let asked = known.get(tabId);
  if (!asked) {
    if (known.size >= MAX_TABS) known.clear();
    asked = api.tabs.get(tabId).then(({ incognito }) => incognito);
    known.set(tabId, asked);
    asked.catch(() => known.delete(tabId));
  }
  return asked;
}
