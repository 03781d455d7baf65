/**
 * Asks for photos through an oblivious relay (RFC 9458): each request is sealed
 * to a gateway's key and handed to a relay that another party runs. The relay
 * learns who asks and not what for, the gateway what for and not who asks.
 *
 * What is left to be seen is made alike: the photos of a page go out together
 * and shuffled, in requests of two sizes. Keys come with the relay's address, in
 * a signed release or in the settings; one is never fetched, for whoever gives
 * out a key to one reader alone would know that reader by it.
 */

import { errorText } from "./api.js";
import { decodeResponse, encodeRequest } from "./bhttp.js";
import { KEY_PROBLEM, prepare, readKey, RESPONSE_TYPE, seal } from "./ohttp.js";
import { post, PROBLEM_TYPE } from "./post.js";

/**
 * A relay, and the gateway behind it.
 * @typedef {object} Relay
 * @property {string} name
 * @property {string} url that sealed requests are posted to
 * @property {string[]} keys the gateway's key configurations in base64: the current one, then the next, if there is one
 */

/** @typedef {{type: string, bytes: Uint8Array<ArrayBuffer>}} Photo */

/**
 * Why a photo did not come: the relay could not be reached or refused; the
 * relay could not reach its gateway; the gateway knows none of the keys; it
 * could not bring the photo; its answer is not one; more photos wait than any
 * page shows; the photo's address is longer than a request.
 * @typedef {"relay" | "gateway" | "key" | "photo" | "answer" | "busy" | "long"} Problem
 */

/** Sizes of requests before they are sealed, in bytes. */
const SIZES = [512, 2048];
/**
 * A page's photos are gathered until none has come for so long, but no longer
 * than that, in milliseconds. While some are on their way the others wait, and
 * are shuffled with those that come.
 */
const QUIET_MS = 8;
const GATHER_MS = 30;
/**
 * No more than that of a page's photos are on their way. A page of results has
 * fewer: the last of them would wait as long again.
 */
const MAX_IN_FLIGHT = 64;
const MAX_WAITING = 300;
/** When no photo was on its way for so many milliseconds, requests of the next page are made ready. */
const REST_MS = 250;

/** With another relay it may go better. @type {readonly string[]} */
const OF_RELAY = ["relay", "gateway", "key"];

/** What a picture may be here, pixels only, by its first bytes. @type {[string, RegExp][]} */
const TYPES = [
  ["image/jpeg", /^\u00ff\u00d8\u00ff/],
  ["image/png", /^\u0089PNG\r\n.\n/],
  ["image/gif", /^GIF8[79]a/],
  ["image/webp", /^RIFF.{4}WEBP/s],
];

export class PhotoError extends Error {
  /**
   * @param {Problem} problem
   * @param {string} detail
   */
  constructor(problem, detail) {
    super(detail);
    this.problem = problem;
  }
}

/**
 * @typedef {object} Wanted
 * @property {string} url
 * @property {Relay[]} relays
 * @property {(photo: Photo) => void} done
 * @property {(error: unknown) => void} failed
 */

/** @type {Wanted[]} */
let gathered = [];
/** @type {Wanted[]} */
let queue = [];
let running = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;
/** When what is gathered goes out at the latest. */
let end = 0;

/** Address of the relay that is asked until it fails. One for all photos: each further party that sees some is one more. */
let preferred = "";
/** What the last request was sealed to. @type {import("./ohttp.js").Key | undefined} */
let sealedTo;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let resting;

/** Which of its keys a relay's gateway knew last. @type {Map<string, number>} */
const known = new Map();

/**
 * @param {string} url of a photo
 * @param {Relay[]} relays any of which may be asked
 * @returns {Promise<Photo>} rejects with a {@link PhotoError}
 */
export function bring(url, relays) {
  if (gathered.length + queue.length >= MAX_WAITING) {
    return Promise.reject(new PhotoError("busy", `${MAX_WAITING} photos wait already`));
  }
  const now = performance.now();
  if (gathered.length === 0) end = now + GATHER_MS;
  clearTimeout(timer);
  timer = setTimeout(send, Math.min(QUIET_MS, end - now));
  return new Promise((done, failed) => gathered.push({ url, relays, done, failed }));
}

function send() {
  queue = shuffled([...queue, ...gathered]);
  gathered = [];
  while (running < MAX_IN_FLIGHT && queue.length > 0) void work();
}

async function work() {
  running++;
  for (let wanted = queue.pop(); wanted; wanted = queue.pop()) {
    await askAny(wanted.url, wanted.relays).then(wanted.done, wanted.failed);
  }
  running--;
  clearTimeout(resting);
  resting = setTimeout(makeReady, REST_MS);
}

/** Not while photos are on their way: they come first. */
async function makeReady() {
  const isAtRest = () => running === 0 && gathered.length === 0;
  // What fails here fails again, and is told, when a photo is asked for.
  while (sealedTo && isAtRest() && (await prepare(sealedTo, MAX_IN_FLIGHT).catch(() => false)));
}

/**
 * In an order that says nothing of the one before (Fisher and Yates).
 * @template T
 * @param {T[]} items
 * @returns {T[]} the same array
 */
function shuffled(items) {
  for (let end = items.length - 1; end > 0; end--) {
    const at = below(end + 1);
    [items[end], items[at]] = [items[at], items[end]];
  }
  return items;
}

/** @param {number} count */
function below(count) {
  // Off by less than one in a million for counts that occur here.
  return (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) % count;
}

/**
 * @param {string} url
 * @param {Relay[]} relays
 * @returns {Promise<Photo>}
 */
async function askAny(url, relays) {
  let first = relays.findIndex((relay) => relay.url === preferred);
  if (first < 0) first = below(relays.length);
  for (let i = 0; ; i++) {
    const relay = relays[(first + i) % relays.length];
    if (!relay) throw new PhotoError("relay", "there is no relay");
    preferred = relay.url;
    try {
      return await askOne(url, relay);
    } catch (error) {
      if (!(error instanceof PhotoError && OF_RELAY.includes(error.problem)) || i === relays.length - 1) throw error;
    }
  }
}

/**
 * @param {string} url
 * @param {Relay} relay
 * @returns {Promise<Photo>}
 */
async function askOne(url, relay) {
  const { protocol, host, pathname, search } = new URL(url);
  /** @type {Uint8Array<ArrayBuffer>} */
  let request;
  try {
    request = encodeRequest({ method: "GET", scheme: protocol.slice(0, -1), authority: host, path: pathname + search }, SIZES);
  } catch (error) {
    throw new PhotoError("long", errorText(error));
  }
  const first = known.get(relay.url) ?? 0;
  for (let i = 0; i < relay.keys.length; i++) {
    const at = (first + i) % relay.keys.length;
    const answer = await exchange(relay, relay.keys[at] ?? "", request);
    if (!answer) continue;
    known.set(relay.url, at);
    if (answer.status !== 200) throw new PhotoError("photo", `${answer.status} ${words(answer.content)}`);
    const type = typeOf(answer.content);
    if (type === "") throw new PhotoError("answer", "what the gateway sent is not a photo");
    // Not the padding that it stands in.
    return { type, bytes: answer.content.slice() };
  }
  throw new PhotoError("key", "the gateway has other keys than are known here");
}

/**
 * One request and its answer.
 * @param {Relay} relay
 * @param {string} key
 * @param {Uint8Array<ArrayBuffer>} request
 * @returns {Promise<ReturnType<typeof decodeResponse> | null>} null: the gateway does not know the key
 */
async function exchange(relay, key, request) {
  const sealed = await sealFor(key, request).catch((error) => {
    throw new PhotoError("key", errorText(error));
  });
  const { status, type, body } = await post(relay.url, sealed.request).catch((error) => {
    throw new PhotoError("relay", errorText(error));
  });
  if (type === PROBLEM_TYPE) {
    const { type: kind, title } = problemIn(body);
    if (status === 400 && kind === KEY_PROBLEM) return null;
    throw new PhotoError(status === 502 || status === 504 ? "gateway" : "relay", `${status} ${title}`);
  }
  if (status !== 200 || type !== RESPONSE_TYPE) throw new PhotoError("relay", `the relay answered ${status} with ${type || "no type"}`);
  try {
    return decodeResponse(await sealed.open(body));
  } catch (error) {
    throw new PhotoError("answer", errorText(error));
  }
}

/**
 * @param {string} key
 * @param {Uint8Array<ArrayBuffer>} request
 */
async function sealFor(key, request) {
  sealedTo = readKey(Uint8Array.from(atob(key), (char) => char.charCodeAt(0)));
  return seal(sealedTo, request);
}

/**
 * @param {Uint8Array<ArrayBuffer>} body
 * @returns {{type: string, title: string}}
 */
function problemIn(body) {
  try {
    const { type, title } = JSON.parse(new TextDecoder().decode(body));
    return { type: String(type), title: String(title) };
  } catch {
    return { type: "", title: "without a reason" };
  }
}

/**
 * @param {Uint8Array<ArrayBuffer>} content
 * @returns {string} one line of it
 */
function words(content) {
  return new TextDecoder().decode(content.subarray(0, 200)).replace(/[^\x20-\x7e]+/g, " ").trim();
}

/**
 * @param {Uint8Array<ArrayBuffer>} content
 * @returns {string} "" when it is not a picture
 */
function typeOf(content) {
  const start = String.fromCharCode(...content.subarray(0, 16));
  return TYPES.find(([, signature]) => signature.test(start))?.[0] ?? "";
}
