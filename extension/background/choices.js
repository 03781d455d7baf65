/** What the user chooses, and what in the browser depends on it. */

import { api, inTime } from "./api.js";
import { registerContent } from "./injection.js";
import { refuseLocked } from "./managed.js";
import { writeRules } from "./rules.js";
import { CHOICES, isHost, isSite, Sites } from "./sites.js";
import { decider, ready, reread, state } from "./state.js";

/** Choices follow one another, and what puts a list in force: each is made from what the last one left. @type {Promise<unknown>} */
let last = Promise.resolve();

/**
 * @template T
 * @param {() => Promise<T>} job
 * @returns {Promise<T>}
 */
export function inTurn(job) {
  const turn = last.then(job);
  last = turn.catch(() => {});
  return turn;
}

/**
 * @param {unknown} site
 * @param {import("./sites.js").Mode} mode
 * @returns {Promise<{}>} rejects with what did not work
 */
export function choose(site, mode) {
  return inTurn(async () => {
    const sites = await known();
    if (!isSite(site, sites)) throw new Error("not a site");
    await refuseFixed(site, sites);
    await keep(sites.choose(site, mode));
    return {};
  });
}

/**
 * Takes back all that the user chose for a site.
 * @param {unknown} site
 * @returns {Promise<{}>} rejects with what did not work
 */
export function forgetSite(site) {
  return inTurn(async () => {
    const sites = await known();
    if (typeof site !== "string" || !sites.scope().sites.some(({ domain }) => domain === site)) throw new Error("not a site that was chosen");
    await refuseFixed(site, sites);
    await keep(sites.forget(site));
    return {};
  });
}

/**
 * @param {unknown} site
 * @param {unknown} host
 * @param {boolean} allowed
 * @returns {Promise<{}>} rejects with what did not work
 */
export function allow(site, host, allowed) {
  return inTurn(async () => {
    const sites = await known();
    if (typeof site !== "string" || sites.domainOf(site) !== site || site === "") throw new Error("not a protected site");
    if (!isHost(host)) throw new Error("not a host");
    await refuseLocked("modes");
    await keep(sites.allow(site, host, allowed));
    return {};
  });
}

/**
 * @param {import("./sites.js").Scope} scope
 * @returns {Promise<{}>} rejects with what did not work
 */
export function chooseScope(scope) {
  return inTurn(async () => {
    await known();
    await refuseLocked("scope");
    await keep({ scope });
    return {};
  });
}

/**
 * @param {string} site
 * @param {import("./sites.js").Sites} sites
 */
async function refuseFixed(site, sites) {
  await refuseLocked("modes");
  if (sites.isFixed(site)) throw new Error(`${site}: set by an administrator`);
}

/** @returns {Promise<import("./sites.js").Sites>} rejects when a choice would be made from what could not be read */
async function known() {
  const sites = await ready();
  if (!sites.known) throw new Error(state.settingsError || state.listError);
  return sites;
}

/** Keeps what is whole of choices that are damaged: the rest is lost. */
export function keepWhole() {
  return inTurn(async () => {
    const left = new Sites(null, await inTime(api.storage.local.get(CHOICES)));
    await api.storage.local.set({ ...left.choices(), scope: left.range });
    await reread();
  });
}

/** @param {object} choices */
async function keep(choices) {
  await api.storage.local.set(choices);
  await reread();
  await applyScope();
}

/**
 * {@link applyScope} for whoever has no turn yet.
 * @param {boolean} [distrust] see {@link writeRules}
 */
export function bringUpToDate(distrust = false) {
  return inTurn(() => applyScope(distrust));
}

/**
 * Brings everything in the browser that depends on lists and modes up to date.
 * @param {boolean} [distrust] see {@link writeRules}
 */
export async function applyScope(distrust = false) {
  const sites = await ready();
  // What could not be read must not be written down as if nothing were protected.
  if (!sites.known || !state.list) return;
  const scope = sites.scope();
  const { sha256, bundle } = await decider();
  // Neither waits for the other, nor fails with it: what stops requests must
  // not depend on what puts photos back.
  const outcomes = await Promise.allSettled([
    writeRules({ list: sha256, bundle, scope }, distrust),
    registerContent(scope),
  ]);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}
