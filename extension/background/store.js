/**
 * The list that a release brought, kept in IndexedDB. What is known about it
 * and its bytes are separate entries, because every wake needs the first and
 * only a decision needs the second; both are put in one transaction. So is what
 * the list and the user's own rules make together, beside the list as it was
 * verified: that one alone is what the next release is compared with.
 */

import { api } from "./api.js";

/**
 * @typedef {object} ListInfo
 * @property {string} sha256 of the bundle
 * @property {string} list SHA-256 of the canonical text
 * @property {import("./desk.js").About["recipients"]} recipients
 * @property {{domain: string, name: string}[]} sites that it protects
 * @property {{hosts: number, rules: number}} counts
 * @property {Release | null} release null: the list that came in the package
 */

/**
 * @typedef {object} Release
 * @property {string} server where it came from
 * @property {string} trust whom the package trusted
 * @property {string} trustNow who is trusted since
 * @property {string} client what is remembered to verify the next one
 * @property {string} noteSha256 of its note's signed text
 * @property {number} index
 * @property {string} issued RFC 3339
 * @property {string} expires RFC 3339
 * @property {number} minWaitSeconds that it asks for
 * @property {string[]} signers
 * @property {import("./desk.js").Witness[]} witnesses
 * @property {import("./relay.js").Relay[]} [relays] that photos may be asked through; releases that were taken before there were any have none
 */

/**
 * What a list and a user's own rules make together.
 * @typedef {object} Combined
 * @property {string} list SHA-256 of the list's bundle
 * @property {string} rules SHA-256 of the rules' text
 * @property {string} sha256 of the bundle of both
 */

const STORE = "list";

/** @returns {Promise<IDBDatabase>} */
function database() {
  const request = indexedDB.open("paravent", 1);
  request.onupgradeneeded = () => request.result.createObjectStore(STORE);
  return settled(request);
}

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
function settled(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/**
 * @param {"info" | "bundle" | "combined" | "combinedBundle"} key
 * @returns {Promise<any>} undefined when nothing was ever put there
 */
async function get(key) {
  const db = await database();
  try {
    return await settled(db.transaction(STORE).objectStore(STORE).get(key));
  } finally {
    db.close();
  }
}

/** @returns {Promise<ListInfo | undefined>} rejects when it is none: then it is damaged */
export async function storedInfo() {
  const info = await get("info");
  if (info !== undefined && !isListInfo(info)) throw new Error("the stored list is damaged");
  return info;
}

/**
 * @param {any} info
 * @returns {info is ListInfo}
 */
function isListInfo(info) {
  return (
    typeof info?.sha256 === "string" &&
    typeof info.list === "string" &&
    Array.isArray(info.recipients) &&
    Array.isArray(info.sites) &&
    info.sites.every((/** @type {any} */ site) => typeof site?.domain === "string") &&
    typeof info.counts?.hosts === "number"
  );
}

/**
 * Whether a release is this build's: not one that came from another server, or
 * on another's word. A newer package may trust those who were trusted last.
 * @param {Release | null | undefined} release
 * @param {import("./defaults.js").Defaults} defaults
 */
export function isOwn(release, { listServer, trust }) {
  return release?.server === listServer && (release.trust === trust || release.trustNow === trust);
}

/** @returns {Promise<Uint8Array<ArrayBuffer> | undefined>} */
export function storedBundle() {
  return get("bundle");
}

/** @returns {Promise<Combined | undefined>} */
export function storedCombined() {
  return get("combined");
}

/** @returns {Promise<Uint8Array<ArrayBuffer> | undefined>} */
export function storedCombinedBundle() {
  return get("combinedBundle");
}

/**
 * Replaces the stored list, all of it or nothing.
 * @param {ListInfo} info
 * @param {Uint8Array} bundle
 */
export function storeList(info, bundle) {
  return put({ info, bundle });
}

/**
 * Replaces what the list and the user's own rules make together.
 * @param {Combined} combined
 * @param {Uint8Array} bundle
 */
export function storeCombined(combined, bundle) {
  return put({ combined, combinedBundle: bundle });
}

/** Forgets it: there are no own rules any more. */
export function forgetCombined() {
  return put({ combined: undefined, combinedBundle: undefined });
}

/**
 * @param {Record<string, unknown>} entries undefined: none
 */
async function put(entries) {
  const db = await database();
  try {
    const transaction = db.transaction(STORE, "readwrite", { durability: "strict" });
    const done = new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
    for (const [key, value] of Object.entries(entries)) {
      if (value === undefined) transaction.objectStore(STORE).delete(key);
      else transaction.objectStore(STORE).put(value, key);
    }
    await done;
  } finally {
    db.close();
  }
}

/** Throws the stored list away, readable or not. */
export async function forgetList() {
  await settled(indexedDB.deleteDatabase("paravent"));
}

/** @returns {Promise<ListInfo>} */
export async function packagedInfo() {
  const about = await (await fetch(api.runtime.getURL("lists/about.json"))).json();
  return listInfo(about.bundle.sha256, about.list.sha256, about, null);
}

/** @returns {Promise<Uint8Array<ArrayBuffer>>} */
export async function packagedBundle() {
  const response = await fetch(api.runtime.getURL("lists/list.bundle"));
  return new Uint8Array(await response.arrayBuffer());
}

/**
 * @param {string} sha256 of the bundle
 * @param {string} list SHA-256 of the canonical text
 * @param {import("./desk.js").About} about
 * @param {Release | null} release
 * @returns {ListInfo}
 */
export function listInfo(sha256, list, about, release) {
  return {
    sha256,
    list,
    sites: about.sites,
    recipients: about.recipients,
    counts: about.counts,
    release,
  };
}
