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
  const [{ relays }] = await Promise.all([defaults(), ready()]);
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
  const [{ relays }, answer] = await Promise.all([relaysInForce(), consent()]);
  if (relays.length === 0 || answer !== "granted") return { photo: true };
  try {
    let found = await find(url, tab);
    if (!found) {
      found = await fetched(url, relays);
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
 * @returns {Promise<Photo>}
 */
function fetched(url, relays) {
  let photo = coming.get(url);
  if (!photo) {
    photo = bring(url, relays).finally(() => coming.delete(url));
    coming.set(url, photo);
  }
  return photo;
}
