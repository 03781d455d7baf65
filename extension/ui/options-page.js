/** What the sections of the options share: the settings as the background knows them, and saying what became of a change. */

import { errorText } from "../background/api.js";
import { ask, byId, put } from "./page.js";

/** @typedef {import("../background/settings.js").Settings} Settings */

/** How long is said what was done, in milliseconds; what went wrong stays. */
const SAID_MS = 8000;

/** @type {((settings: Settings) => void)[]} */
const shows = [];
/** Last shown, so that nothing is rewritten, or read aloud, without need. */
let shown = "";
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

/** @param {(settings: Settings) => void} show called at first and after every change, here or elsewhere */
export function onSettings(show) {
  shows.push(show);
}

export async function refresh() {
  /** @type {Settings} */
  const settings = await ask({ type: "settings" });
  const text = JSON.stringify(settings);
  if (text === shown) return;
  shown = text;
  for (const show of shows) show(settings);
}

/**
 * Does what was asked for here, and says whether it worked.
 * @param {() => Promise<unknown>} job
 * @param {string} [done] said when it did
 * @returns {Promise<boolean>}
 */
export async function act(job, done = "") {
  let failure = "";
  try {
    await job();
  } catch (error) {
    failure = errorText(error);
    // What a control shows now is not so.
    shown = "";
  }
  report(failure === "" ? done : "", failure);
  await refresh();
  return failure === "";
}

/**
 * @param {string} done
 * @param {string} failure
 */
export function report(done, failure) {
  clearTimeout(timer);
  put(byId("said"), done);
  byId("trouble").hidden = failure === "";
  put(byId("trouble-detail"), failure);
  if (done) timer = setTimeout(() => put(byId("said"), ""), SAID_MS);
}

/**
 * Shows whether an administrator has fixed a section.
 * @param {string} section
 * @param {boolean} isLocked
 * @param {...string} fields ids of what then cannot be changed
 */
export function lock(section, isLocked, ...fields) {
  byId(`${section}-locked`).hidden = !isLocked;
  for (const id of fields) /** @type {HTMLFieldSetElement | HTMLButtonElement} */ (byId(id)).disabled = isLocked;
}
