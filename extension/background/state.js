/**
 * What every decision needs, brought up once per wake of the background: the
 * sites at once (small), the engine when a protected page first asks (large).
 */

import { api, errorText } from "./api.js";
import { defaults } from "./defaults.js";
import { readSuffixes } from "./domains.js";
import { Engine } from "./engine.js";
import { CHOICES, Sites } from "./sites.js";
import { isOwn, packagedBundle, packagedInfo, storedBundle, storedInfo } from "./store.js";

/**
 * @typedef {import("./store.js").ListInfo} ListInfo
 */

/** How long a broken engine is left alone before it is started again. */
const RETRY_MS = 5000;

/**
 * The state in force. `sites` is null until {@link ready} settles.
 * @type {{sites: Sites | null, list: ListInfo | null, engine: Engine | null, engineError: string, settingsError: string, listError: string}}
 */
export const state = { sites: null, list: null, engine: null, engineError: "", settingsError: "", listError: "" };

/** @type {Promise<Sites> | undefined} */
let bringingUp;
/** @type {Promise<Engine | null> | undefined} */
let starting;
let failedAt = -Infinity;

/**
 * Settles when the sites are known as well as they can be; never rejects.
 * @returns {Promise<Sites>}
 */
export function ready() {
  bringingUp ??= bringUp();
  return bringingUp;
}

async function bringUp() {
  // Without the suffixes whoever needs one fails, and stops what it was asked
  // about; the engine's start tries again, and says why it cannot.
  const suffixes = readSuffixes().catch(() => {});
  const [list, chosen] = await Promise.all([readList(), readChosen(), suffixes]);
  state.list = list;
  state.sites = new Sites(list && list.sites.map((site) => site.domain), chosen);
  return state.sites;
}

/** @returns {Promise<ListInfo | null>} */
async function readList() {
  try {
    const [stored, settings] = await Promise.all([storedInfo(), defaults()]);
    if (stored && isOwn(stored.release, settings)) return stored;
  } catch (error) {
    state.listError = errorText(error);
  }
  try {
    return await packagedInfo();
  } catch (error) {
    state.listError = errorText(error);
    return null;
  }
}

/** @returns {Promise<Record<string, unknown> | null>} null when they cannot be read */
async function readChosen() {
  try {
    return await api.storage.local.get(CHOICES);
  } catch (error) {
    state.settingsError = errorText(error);
    return null;
  }
}

/**
 * The engine, started if it is not running; null while it cannot be. Never
 * rejects.
 * @returns {Promise<Engine | null>}
 */
export function engineReady() {
  if (state.engine) return Promise.resolve(state.engine);
  if (!starting && performance.now() - failedAt < RETRY_MS) return Promise.resolve(null);
  starting ??= startEngine().finally(() => {
    starting = undefined;
  });
  return starting;
}

async function startEngine() {
  try {
    let engine;
    try {
      // The program is the same for every list: it is fetched while that is looked up.
      engine = await Engine.open(ready().then(bundle));
    } catch (error) {
      if (!state.list?.release) throw error;
      // Another version of this extension may have stored it in another format.
      state.listError = errorText(error);
      await putInForce(await packagedInfo());
      engine = await Engine.open(packagedBundle());
    }
    // It asks for them; if they could not be read before, they are tried again.
    await readSuffixes();
    state.engine = engine;
    state.engineError = "";
  } catch (error) {
    engineBroke(error);
  }
  return state.engine;
}

/**
 * A broken engine decides nothing more; the next request after a while starts
 * another.
 * @param {unknown} error
 */
export function engineBroke(error) {
  state.engine = null;
  state.engineError = errorText(error);
  failedAt = performance.now();
}

/**
 * The bytes of the list in force. A stored list whose bytes are not what was
 * verified when it was taken gives way to the packaged one.
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
export async function bundle() {
  const info = state.list;
  if (info?.release) {
    try {
      const bytes = await storedBundle();
      if (bytes && (await sha256(bytes)) === info.sha256) return bytes;
      state.listError = "the stored list is damaged";
    } catch (error) {
      state.listError = errorText(error);
    }
    await putInForce(await packagedInfo());
  }
  return packagedBundle();
}

/**
 * Makes a list the one that decides.
 * @param {ListInfo} list
 * @param {Engine | null} [engine] opened with the list's bundle, if one is at hand
 */
export async function putInForce(list, engine = null) {
  state.list = list;
  state.engine = engine;
  await reread();
}

/**
 * Reads the user's choices again after one was made.
 * @returns {Promise<Sites>}
 */
export function reread() {
  bringingUp = readChosen().then((chosen) => {
    const list = state.list;
    state.sites = new Sites(list && list.sites.map((site) => site.domain), chosen);
    return state.sites;
  });
  return bringingUp;
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<string>} hexadecimal
 */
export async function sha256(bytes) {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
