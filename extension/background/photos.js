/**
 * Brings photos the private way, for pages that show them: through a relay that
 * does not learn which photo, from a gateway that does not learn who asks.
 * Without a relay, or before the user has agreed, nothing is asked for, and the
 * placeholder stays.
 */

import { find, put } from "./album.js";
import { consent } from "./consent.js";
import { defaults } from "./defaults.js";
import { hostOf } from "./domains.js";
import { judge } from "./judge.js";
import { notePhoto, recordOf } from "./record.js";
import { bring, PhotoError } from "./relay.js";
import { engineReady, ready, state } from "./state.js";

/** @typedef {import("./relay.js").Photo} Photo */
/** @typedef {import("./relay.js").Relay} Relay */

/**
 * What the content script gets to hear about an image.
 * @typedef {{photo: true, type: string, bytes: ArrayBuffer} | {photo: true, bytes?: undefined} | {photo: false}} PhotoAnswer
 */

/** What is on its way, so that two images of one photo are one request. @type {Map<string, Promise<Photo>>} */
const coming = new Map();

/**
 * Whom photos are asked from.
 * @returns {Promise<{relays: Relay[], isOwn: boolean}>} `isOwn`: they come from
 *   the settings, and stand in no public log
 */
export async function relaysInForce() {
  const { relays } = await defaults();
  if (relays.length > 0) return { relays, isOwn: true };
  return { relays: state.list?.release?.relays ?? [], isOwn: false };
}

/**
 * @param {string} url of an image on a page
 * @param {chrome.tabs.Tab} tab
 * @returns {Promise<PhotoAnswer>}
 */
export async function photo(url, tab) {
  const [sites, engine] = await Promise.all([ready(), engineReady()]);
  // A page can ask for any address through its images; only what is stopped for being a photo is brought.
  if (judge({ url, type: "image", page: tab.url ?? "" }, sites, engine).action !== "relay" || hostOf(url) === "") return { photo: false };
  const tabId = tab.id ?? -1;
  const record = recordOf(tabId);
  const [{ relays }, answer, { gateway }] = await Promise.all([relaysInForce(), consent(), defaults()]);
  if (gateway === "" && (relays.length === 0 || answer !== "granted")) return { photo: true };
  try {
    let found = await find(url, tab);
    if (!found) {
      found = await fetched(url, relays, gateway);
      // A disk that is full costs no more than asking again.
      void put(url, found, tab).catch(() => {});
    }
    notePhoto(tabId, record, "shown");
    return { photo: true, type: found.type, bytes: found.bytes.buffer };
  } catch (error) {
    notePhoto(tabId, record, error instanceof PhotoError ? error.problem : "answer");
    return { photo: true };
  }
}

/**
 * @param {string} url
 * @param {Relay[]} relays
 * @param {string} gateway
 * @returns {Promise<Photo>}
 */
function fetched(url, relays, gateway) {
  let photo = coming.get(url);
  if (!photo) {
    photo = (gateway === "" ? bring(url, relays) : bringFrom(gateway, url)).finally(() => coming.delete(url));
    coming.set(url, photo);
  }
  return photo;
}

/**
 * From a gateway that is asked directly, as the demo's is.
 * @param {string} gateway
 * @param {string} url
 * @returns {Promise<Photo>}
 */
async function bringFrom(gateway, url) {
  const response = await fetch(gateway, {
    method: "POST",
    mode: "same-origin",
    headers: { "Content-Type": "application/json", "Accept-Language": "*" },
    body: JSON.stringify({ url }),
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
    referrerPolicy: "no-referrer",
    signal: AbortSignal.timeout(30_000),
  });
  const type = response.headers.get("Content-Type") ?? "";
  if (!response.ok || !type.startsWith("image/")) throw new PhotoError("gateway", `the gateway answered ${response.status}`);
  return { type, bytes: new Uint8Array(await response.arrayBuffer()) };
}
