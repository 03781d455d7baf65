/**
 * What a button in the popup does about a loss of protection. What only a click
 * in a page may ask for, the popup asks itself: access to sites.
 */

import { bringUpToDate, keepWhole } from "./choices.js";
import { forgetManaged } from "./managed.js";
import { disablePrediction } from "./prediction.js";
import { bringUpAgain, restartEngine, state, takePackaged } from "./state.js";
import { forgetList } from "./store.js";
import { poll } from "./updates.js";

/** @type {Record<string, () => Promise<unknown>>} */
const WAYS = {
  /** The browser's rules are written anew, whatever is remembered of them. */
  rules: () => bringUpToDate(true),
  engine: restartEngine,
  /** A list that cannot be used makes room for the one in the package. */
  list: async () => {
    await forgetList();
    await takePackaged();
    await bringUpToDate(true);
    // The newest is asked for as at any other time.
    void poll();
  },
  /** Whatever else could not be read then is read again as well: policies, own rules. */
  settings: async () => {
    forgetManaged();
    await bringUpAgain();
    if (state.settingsError) await keepWhole();
    if (state.settingsError) throw new Error(state.settingsError);
    await bringUpToDate(true);
  },
  prediction: disablePrediction,
};

/** What can be mended. */
export const MENDABLE = Object.keys(WAYS);

/**
 * @param {string} what one of {@link MENDABLE}
 * @returns {Promise<{}>} rejects with what did not work
 */
export async function mend(what) {
  await WAYS[what]?.();
  return {};
}
