/** Whom this extension may talk to: what the build says, and above it what an administrator does. */

import { api } from "./api.js";
import { managed } from "./managed.js";

/**
 * What a fresh install is configured with. Empty addresses are legal: such a
 * build contacts nobody.
 * @typedef {object} Defaults
 * @property {string} listServer origin of a list server
 * @property {string} trust who must have signed its releases
 * @property {import("./relay.js").Relay[]} relays that photos are asked through, instead of those of the release in force
 * @property {number} pollSeconds
 * @property {boolean} [welcome] false: a fresh install does not open the page that introduces it
 * @property {string} [tryOn] address of a site to try it on, which that page links to
 */

/** @type {Promise<Defaults> | undefined} */
let loaded;

/** @returns {Promise<Defaults>} */
export async function defaults() {
  loaded ??= fetch(api.runtime.getURL("defaults.json")).then((response) => response.json());
  const [{ listServer, trust, relays, pollSeconds, welcome = true, tryOn = "" }, { values }] = await Promise.all([loaded, managed()]);
  return {
    listServer: values.listServer ?? listServer,
    trust: values.trust ?? trust,
    relays: values.relays ?? relays,
    pollSeconds,
    welcome: welcome && !values.skipWelcome,
    tryOn,
  };
}

/**
 * A demo's servers are on this computer; the popup says so.
 * @param {Defaults} settings
 * @returns {boolean}
 */
export function isDemo(settings) {
  return [settings.listServer, ...settings.relays.map(({ url }) => url)].some(
    (address) => address !== "" && /(^|\.)localhost$/.test(new URL(address).hostname),
  );
}
