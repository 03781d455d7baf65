/**
 * Whether the user wants photos to be brought. Asking for one tells a relay
 * that somebody looks at a protected page, and a gateway which photo is on it:
 * so nothing is asked for before the user has said yes.
 *
 * Firefox has a consent of its own for that, which the user can also take back
 * in the browser's settings; it must be asked for from a click. In Chromium the
 * popup asks the same in its own words.
 */

import { api, isFirefox } from "./api.js";

/** @typedef {"granted" | "refused" | "unasked"} Consent */

/** What of the user's a sealed request tells to somebody, in Firefox's words. */
const COLLECTED = /** @type {chrome.permissions.Permissions} */ ({ data_collection: ["browsingActivity", "websiteContent"] });

const KEY = "photoConsent";

/** @returns {Promise<Consent>} */
export async function consent() {
  const [{ [KEY]: answer }, isCollected] = await Promise.all([api.storage.local.get(KEY), isFirefox && api.permissions.contains(COLLECTED)]);
  if (answer === "refused") return "refused";
  return isCollected || (!isFirefox && answer === "granted") ? "granted" : "unasked";
}

/**
 * To be called by a page of the extension, from a click.
 * @param {boolean} wanted what the user clicked
 * @returns {Promise<Consent>}
 */
export async function answerConsent(wanted) {
  // Firefox closes the popup when it shows its question, and shows it only if
  // nothing is waited for before: what was refused earlier is taken back beside it.
  const taken = wanted ? api.storage.local.remove(KEY) : undefined;
  const granted = wanted && (!isFirefox || (await api.permissions.request(COLLECTED)));
  await taken;
  if (!wanted && isFirefox) await api.permissions.remove(COLLECTED);
  if (!granted || !isFirefox) await api.storage.local.set({ [KEY]: granted ? "granted" : "refused" });
  return consent();
}
