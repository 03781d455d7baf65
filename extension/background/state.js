/**
 * What every decision needs, brought up once per wake of the background: the
 * sites at once (small), the engine when a protected page first asks (large).
 */

import { api, errorText, inTime } from "./api.js";
import { defaults } from "./defaults.js";
import { sha256 } from "./digest.js";
import { readSuffixes } from "./domains.js";
import { Engine } from "./engine.js";
import { managed } from "./managed.js";
import { withOwnRules } from "./own-rules.js";
import { CHOICES, damageOf, Sites } from "./sites.js";
import { isOwn, packagedBundle, packagedInfo, storedBundle, storedInfo } from "./store.js";

/**
 * @typedef {import("./store.js").ListInfo} ListInfo
 * @typedef {import("./own-rules.js").Decider} Decider
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
/** The list in force with the user's own rules. @type {Promise<Decider> | undefined} */
let deciding;
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
  const [list, chosen, { values }] = await Promise.all([readList(), readChosen(), managed(), suffixes]);
  state.list = list;
  state.sites = new Sites(list && list.sites.map((site) => site.domain), chosen, values);
  return state.sites;
}

/**
 * Reads everything again, after an administrator has changed something.
 * @returns {Promise<Sites>}
 */
export async function bringUpAgain() {
  bringingUp = bringUp();
  const sites = await bringingUp;
  deciding = undefined;
  state.engine = null;
  return sites;
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

/** @returns {Promise<Record<string, unknown> | null>} null when they cannot be read, or are damaged */
async function readChosen() {
  try {
    const chosen = await inTime(api.storage.local.get(CHOICES));
    state.settingsError = damageOf(chosen);
    return state.settingsError === "" ? chosen : null;
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
      engine = await Engine.open(ready().then(decider).then((list) => list.bundle()));
    } catch (error) {
      if (!state.list?.release) throw error;
      // Another version of this extension may have stored it in another format.
      state.listError = errorText(error);
      await putInForce(await packagedInfo());
      engine = await Engine.open(decider().then((list) => list.bundle()));
    }
    // It asks for them; if they could not be read before, they are tried again.
    await readSuffixes();
    // Whatever was put in force meanwhile is newer.
    state.engine ??= engine;
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
 * Starts the engine again, however recently it broke.
 * @returns {Promise<void>} rejects when it breaks again
 */
export async function restartEngine() {
  failedAt = -Infinity;
  if (!(await engineReady())) throw new Error(state.engineError);
}

/** Puts the packaged list in force; rejects when that cannot be read either. */
export async function takePackaged() {
  const packaged = await packagedInfo();
  state.listError = "";
  failedAt = -Infinity;
  await putInForce(packaged);
}

/**
 * What decides: the list in force with the user's own rules. Never rejects for
 * their sake.
 * @returns {Promise<Decider>}
 */
export async function decider() {
  await ready();
  deciding ??= withOwnRules({ sha256: state.list?.sha256 ?? "", bundle });
  return deciding;
}

/**
 * The bytes of the list in force, without the user's own rules. A stored list
 * whose bytes are not what was verified when it was taken gives way to the
 * packaged one.
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
 * @param {{decider: Decider, engine: Engine}} [opened] the list with the user's
 *   own rules, and the engine that was opened with both, if they are at hand
 */
export async function putInForce(list, opened) {
  state.list = list;
  // One that a release has brought is sound, whatever the last one was.
  if (list.release) state.listError = "";
  decideBy(opened);
  await reread();
}

/**
 * @param {{decider: Decider, engine: Engine}} [opened] what decides from now on; left out: to be made again
 */
export function decideBy(opened) {
  deciding = opened && Promise.resolve(opened.decider);
  state.engine = opened?.engine ?? null;
}

/**
 * Reads the user's choices again after one was made.
 * @returns {Promise<Sites>}
 */
export function reread() {
  bringingUp = Promise.all([readChosen(), managed()]).then(([chosen, { values }]) => {
    const list = state.list;
    state.sites = new Sites(list && list.sites.map((site) => site.domain), chosen, values);
    return state.sites;
  });
  return bringingUp;
}
