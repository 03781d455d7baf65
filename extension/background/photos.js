/**
 * Brings photos the private way: their bytes come from a gateway, which asks
 * the photo host without anything of the patient's. Without a gateway nothing
 * is asked for, and the placeholder stays.
 */

import { defaults } from "./defaults.js";
import { hostOf } from "./domains.js";
import { judge } from "./judge.js";
import { notePhoto, recordOf } from "./record.js";
import { engineReady, ready } from "./state.js";

/**
 * What the content script gets to hear about an image.
 * @typedef {{photo: true, type: string, bytes: ArrayBuffer} | {photo: true, error: "no-gateway" | "failed"} | {photo: false}} PhotoAnswer
 */

/** @typedef {{type: string, bytes: ArrayBuffer}} Photo */

const MAX_IN_FLIGHT = 6;
const MAX_WAITING = 300;
const MAX_PHOTO = 8 * 1024 * 1024;
const MAX_CACHE = 16 * 1024 * 1024;
const TIMEOUT_MS = 30_000;

/** What a picture may be here: pixels only. */
const TYPES = ["image/jpeg", "image/png", "image/webp", "image/avif", "image/gif"];

/** Oldest first. @type {Map<string, Photo>} */
const cache = new Map();
let cached = 0;

/** @type {Map<string, Promise<Photo>>} */
const inFlight = new Map();
let running = 0;
/** @type {(() => void)[]} */
const waiting = [];

/**
 * @param {string} url of an image on a page
 * @param {string} page address of the top document
 * @param {number} tabId
 * @returns {Promise<PhotoAnswer>}
 */
export async function photo(url, page, tabId) {
  const [sites, engine] = await Promise.all([ready(), engineReady()]);
  // A page can ask for any address through its images; only what is stopped for being a photo is brought.
  if (judge({ url, type: "image", page }, sites, engine).action !== "relay" || hostOf(url) === "") return { photo: false };
  const record = recordOf(tabId);
  const { gateway } = await defaults();
  if (gateway === "") return { photo: true, error: "no-gateway" };
  try {
    const { type, bytes } = await bring(url, gateway);
    notePhoto(tabId, record, "shown");
    return { photo: true, type, bytes };
  } catch {
    notePhoto(tabId, record, "failed");
    return { photo: true, error: "failed" };
  }
}

/**
 * @param {string} url
 * @param {string} gateway
 * @returns {Promise<Photo>}
 */
function bring(url, gateway) {
  const found = cache.get(url);
  if (found) return Promise.resolve(found);
  let coming = inFlight.get(url);
  if (!coming) {
    coming = inTurn(() => ask(url, gateway)).finally(() => inFlight.delete(url));
    inFlight.set(url, coming);
  }
  return coming;
}

/**
 * @template T
 * @param {() => Promise<T>} job
 * @returns {Promise<T>}
 */
async function inTurn(job) {
  if (running >= MAX_IN_FLIGHT) {
    if (waiting.length >= MAX_WAITING) throw new Error("too many photos at once");
    await new Promise((resolve) => waiting.push(() => resolve(undefined)));
  } else {
    running++;
  }
  try {
    return await job();
  } finally {
    // The turn passes on to the next one, or ends.
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

/**
 * @param {string} url
 * @param {string} gateway
 * @returns {Promise<Photo>}
 */
async function ask(url, gateway) {
  const response = await fetch(gateway, {
    method: "POST",
    // With its permission for all hosts an extension is at home everywhere. Any
    // other mode makes Firefox send, as Origin, a number that this profile alone has.
    mode: "same-origin",
    headers: { "Content-Type": "application/json", "Accept-Language": "*" },
    body: JSON.stringify({ url }),
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
    referrerPolicy: "no-referrer",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const type = response.headers.get("Content-Type")?.split(";", 1)[0].trim() ?? "";
  const announced = Number(response.headers.get("Content-Length") ?? 0);
  if (!response.ok || !TYPES.includes(type) || announced > MAX_PHOTO) {
    await response.body?.cancel();
    throw new Error(`the gateway answered ${response.status} with ${type || "no type"}`);
  }
  const bytes = await response.arrayBuffer();
  if (bytes.byteLength > MAX_PHOTO) throw new Error("the photo is too large");
  keep(url, { type, bytes });
  return { type, bytes };
}

/**
 * @param {string} url
 * @param {Photo} found
 */
function keep(url, found) {
  cache.set(url, found);
  cached += found.bytes.byteLength;
  for (const [oldest, { bytes }] of cache) {
    if (cached <= MAX_CACHE) break;
    cache.delete(oldest);
    cached -= bytes.byteLength;
  }
}
