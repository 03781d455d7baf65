/** Asks how it stands with the popup's tab: for the first time while the rest of the popup is still on its way. */

import { ask, findTab } from "./page.js";

/** @typedef {import("../background/tab-state.js").TabState} TabState */

export const tabId = await findTab();

/** @returns {Promise<TabState>} */
export function askState() {
  return ask({ type: "state", tabId });
}

/** The first answer. */
export const asked = askState();
// Whoever waits for it hears of a failure.
asked.catch(() => {});
