/** What the user chooses for a site, and what in the browser depends on it. */

import { api } from "./api.js";
import { registerContent } from "./injection.js";
import { writeRules } from "./rules.js";
import { isHost, isSite } from "./sites.js";
import { bundle, ready, reread, state } from "./state.js";

/**
 * @param {unknown} site
 * @param {import("./sites.js").Mode} mode
 * @returns {Promise<{}>} rejects with what did not work
 */
export async function choose(site, mode) {
  const sites = await ready();
  if (!sites.known) throw new Error(state.settingsError || state.listError);
  if (!isSite(site, sites)) throw new Error("not a site");
  await keep(sites.choose(site, mode));
  return {};
}

/**
 * @param {unknown} site
 * @param {unknown} host
 * @param {boolean} allowed
 * @returns {Promise<{}>} rejects with what did not work
 */
export async function allow(site, host, allowed) {
  const sites = await ready();
  if (!sites.known) throw new Error(state.settingsError || state.listError);
  if (typeof site !== "string" || sites.domainOf(site) !== site || site === "") throw new Error("not a protected site");
  if (!isHost(host)) throw new Error("not a host");
  await keep(sites.allow(site, host, allowed));
  return {};
}

/** @param {import("./sites.js").Choices} choices */
async function keep(choices) {
  await api.storage.local.set(choices);
  await reread();
  await applyScope();
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
  // Neither waits for the other, nor fails with it: what stops requests must
  // not depend on what puts photos back.
  const outcomes = await Promise.allSettled([
    writeRules({ list: state.list.sha256, bundle, scope }, distrust),
    registerContent(scope),
  ]);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}
