/**
 * Brings photos the private way, for pages that show them: through a relay that
 * does not learn which photo, from a gateway that does not learn who asks.
 * Without a relay, or before the user has agreed, nothing is asked for, and the
 * placeholder stays.
 */

import { keptFor, obtain } from "./album.js";
import { api } from "./api.js";
import { consent } from "./consent.js";
import { defaults } from "./defaults.js";
import { hostOf } from "./domains.js";
import { judge } from "./judge.js";
import { ownRelay } from "./own-relay.js";
import { isOfPageBefore } from "./pages.js";
import { isPrivate } from "./private-tabs.js";
import { notePhoto, recordOf } from "./record.js";
import { bring, PhotoError } from "./relay.js";
import { engineReady, ready, state } from "./state.js";

/** @typedef {import("./relay.js").Photo} Photo */
/** @typedef {import("./relay.js").Relay} Relay */

/**
 * What the content script gets to hear about an image.
 * @typedef {{photo: true, type: string, bytes: ArrayBuffer} | {photo: true, bytes?: undefined} | {photo: false}} PhotoAnswer
 */

/**
 * Whom photos are asked from.
 * @returns {Promise<{relays: Relay[], isOwn: boolean}>} `isOwn`: they come from
 *   the settings, and stand in no public log
 */
export async function relaysInForce() {
  const [{ relays }, own] = await Promise.all([defaults(), ownRelay(), ready()]);
  if (own) return { relays: [{ name: own.name, url: own.url, keys: [own.key] }], isOwn: true };
  if (relays.length > 0) return { relays, isOwn: true };
  return { relays: state.list?.release?.relays ?? [], isOwn: false };
}

/** Answers are gathered for so many milliseconds, or until they have so many bytes. */
const ANSWERS_MS = 8;
const MAX_ANSWERS = 4 * 1024 * 1024;

/**
 * Answers what a page's content script asks for as it comes, several in one
 * message: each is dear.
 * @param {chrome.runtime.Port} port
 * @param {chrome.tabs.Tab} tab
 */
export function bringTo(port, tab) {
  /** @type {(PhotoAnswer & {url: string})[]} */
  let answers = [];
  let size = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const send = () => {
    clearTimeout(timer);
    timer = undefined;
    const all = answers;
    answers = [];
    size = 0;
    // The page may be gone.
    if (isOpen) port.postMessage(all);
  };
  let isOpen = true;
  /** @param {any} message */
  const listen = (message) => {
    /** @type {unknown[]} */
    const urls = Array.isArray(message?.urls) ? message.urls : [];
    for (const url of urls) {
      if (typeof url !== "string") continue;
      void photo(url, tab, port.sender ?? {}).catch(() => /** @type {const} */ ({ photo: false })).then((answer) => {
        answers.push({ url, ...answer });
        if (answer.photo) size += answer.bytes?.byteLength ?? 0;
        if (size > MAX_ANSWERS) send();
        else timer ??= setTimeout(send, ANSWERS_MS);
      });
    }
  };
  const hangUp = () => {
    isOpen = false;
    // Firefox keeps a port for as long as somebody listens to it, though nobody can speak there any more.
    port.onMessage.removeListener(listen);
    port.onDisconnect.removeListener(hangUp);
  };
  port.onMessage.addListener(listen);
  port.onDisconnect.addListener(hangUp);
}

/**
 * @param {string} url of an image on a page
 * @param {chrome.tabs.Tab} tab
 * @param {chrome.runtime.MessageSender} sender the page's document, or a frame's
 * @returns {Promise<PhotoAnswer>}
 */
async function photo(url, tab, sender) {
  const [sites, engine] = await Promise.all([ready(), engineReady()]);
  // A page can ask for any address through its images; only what is stopped for being a photo is brought.
  if (judge({ url, type: "image", page: tab.url ?? "" }, sites, engine).action !== "relay" || hostOf(url) === "") return { photo: false };
  const tabId = tab.id ?? -1;
  const record = isOfPageBefore(tabId, sender) ? undefined : recordOf(tabId);
  try {
    const found = await wanted(url, tab);
    if (!found) return { photo: true };
    notePhoto(tabId, record, "shown");
    return { photo: true, type: found.type, bytes: found.bytes.buffer };
  } catch (error) {
    notePhoto(tabId, record, error instanceof PhotoError ? error.problem : "answer");
    return { photo: true };
  }
}

/**
 * @param {string} url of a photo
 * @param {import("./album.js").Viewer} tab
 * @returns {Promise<Photo | null>} null: there is no relay, or the user has not agreed
 */
async function wanted(url, tab) {
  const { relays, answer, keep } = await termsNow();
  if (relays.length === 0 || answer !== "granted") return null;
  return obtain(url, tab, keep, (address) => bring(address, relays));
}

/**
 * How old the terms may be, in milliseconds: the photos of a page ask for them
 * together, and some once more a little later. What the user or an
 * administrator changes is told at once; what a new release does can wait so long.
 */
const OLD_MS = 5000;
/** @type {{at: number, terms: ReturnType<typeof readTerms>} | undefined} */
let last;

/** The user or an administrator has changed something. */
export function forgetTerms() {
  last = undefined;
}

/** A page that may show photos is asked for: what they need to know is read by the time that they come. */
export function expectPhotos() {
  termsNow().catch(() => {});
}

/** On what terms photos are brought: by whom, whether at all, and for how long. */
function termsNow() {
  const at = performance.now();
  if (!last || at - last.at > OLD_MS) {
    const made = { at, terms: readTerms() };
    // What failed is read again.
    made.terms.catch(() => last === made && forgetTerms());
    last = made;
  }
  return last.terms;
}

async function readTerms() {
  const [{ relays }, answer, keep] = await Promise.all([relaysInForce(), consent(), keptFor()]);
  return { relays, answer, keep };
}

/**
 * @typedef {object} Placeholder
 * @property {number} tabId
 * @property {number} frameId
 * @property {string} [documentId]
 * @property {string} url
 */

/**
 * A page's request for a photo was answered with a placeholder.
 * @param {Placeholder} request
 */
export function onPlaceholder(request) {
  if (request.tabId < 0 || request.frameId < 0) return;
  tellDocument(request);
  // The content script asks as soon as it is told: until then the photo is on its way. What fails here fails there.
  void isPrivate(request.tabId).then((incognito) => wanted(request.url, { id: request.tabId, incognito })).catch(() => {});
}

/** How long what is told to a document is gathered, in milliseconds. */
const GATHER_MS = 8;
/** A frame in which nobody listens yet is told again: after so many milliseconds, then after twice as many, up to */
const FIRST_AGAIN_MS = 250;
const LAST_AGAIN_MS = 4000;
/** What is to be told, by tab and document. @type {Map<string, string[]>} */
const untold = new Map();

/**
 * Most placeholders tell the content script by themselves that they are there,
 * but late; those in shadow roots and backgrounds do not, nor those that were
 * there before it.
 * @param {Placeholder} request
 */
function tellDocument({ tabId, frameId, documentId, url }) {
  // Where browsers name the document, the next one in its frame does not hear of what was this one's.
  const to = documentId ? { documentId } : { frameId };
  const key = `${tabId} ${documentId ?? frameId}`;
  const urls = untold.get(key);
  if (urls) {
    urls.push(url);
    return;
  }
  const gathered = [url];
  untold.set(key, gathered);
  setTimeout(() => {
    untold.delete(key);
    // Into a tab's own document the script comes first: who listens there later is another page.
    tell(tabId, to, gathered, frameId > 0 ? FIRST_AGAIN_MS : Infinity);
  }, GATHER_MS);
}

/**
 * @param {number} tabId
 * @param {chrome.tabs.MessageSendOptions} to
 * @param {string[]} urls
 * @param {number} again after so many milliseconds, if nobody listens: the
 *   script of a frame can come later than its photos, or the document is gone;
 *   Infinity: never
 */
function tell(tabId, to, urls, again) {
  api.tabs.sendMessage(tabId, { type: "relayed", urls }, to).catch(() => {
    if (again <= LAST_AGAIN_MS) setTimeout(tell, again, tabId, to, urls, 2 * again);
  });
}
