/**
 * What an administrator decides: the values of `storage.managed`, which come
 * from the browser's policies (samples in policies/). Most browsers have none.
 *
 * A value wins over the user's own and locks it. Each is checked by itself: one
 * that is wrong is left out, all of it, and named to whoever opens the settings.
 */

import { KEEPS } from "./album.js";
import { api, errorText, inTime } from "./api.js";
import { checkAddress, checkRelay } from "./relay-checks.js";
import { isHost, MODES, SCOPES } from "./sites.js";

/**
 * @typedef {object} Values
 * @property {import("./sites.js").Mode} [mode] of every protected site that `sites` does not name
 * @property {Record<string, import("./sites.js").Mode>} [sites] sites that are protected besides those of the list, or in another mode
 * @property {import("./sites.js").Scope} [scope]
 * @property {string} [listServer] instead of the build's
 * @property {string} [trust] who must have signed its releases
 * @property {import("./relay.js").Relay[]} [relays] that photos are asked through, instead of all others
 * @property {import("./album.js").Keep} [keep]
 * @property {boolean} [skipWelcome]
 * @property {Lock[]} [locked] what users cannot change, besides what has a value here
 */

/**
 * @typedef {object} Managed
 * @property {boolean} present whether an administrator has set anything
 * @property {Values} values
 * @property {{field: string, problem: string}[]} problems
 * @property {Lock[]} locked sorted
 */

/** @typedef {"modes" | "scope" | "lists" | "relay" | "keep" | "rules" | "backup" | "welcome"} Lock */

/** @type {readonly Lock[]} */
export const LOCKS = ["modes", "scope", "lists", "relay", "keep", "rules", "backup", "welcome"];

/** What a value locks. @type {Partial<Record<keyof Values, Lock>>} */
const LOCKED_BY = { mode: "modes", scope: "scope", listServer: "lists", trust: "lists", relays: "relay", keep: "keep", skipWelcome: "welcome" };

/** What a trust text cannot do without. */
const TRUST_WORDS = ["threshold", "maintainer", "log", "quorum"];

/**
 * Each throws what is wrong, and what is wanted.
 * @type {Record<keyof Values, (value: any) => void>}
 */
const CHECKS = {
  mode: oneOf(MODES),
  sites: checkSites,
  scope: oneOf(SCOPES),
  listServer: checkServer,
  trust: checkTrust,
  relays: checkRelays,
  // Not before it is asked for: the album asks here in its turn.
  keep: (value) => oneOf(KEEPS)(value),
  skipWelcome: (value) => want(typeof value === "boolean", "want true or false"),
  locked: (value) => {
    want(Array.isArray(value), `want a list of ${LOCKS.join(", ")}`);
    for (const name of value) oneOf(LOCKS)(name);
  },
};

/** @type {Promise<Managed> | undefined} */
let reading;

/** @returns {Promise<Managed>} never rejects */
export function managed() {
  reading ??= read();
  return reading;
}

/** What was read is no longer so. */
export function forgetManaged() {
  reading = undefined;
}

async function read() {
  // Firefox rejects when there is no policy, as if something had failed; other
  // browsers have nothing of the kind.
  const stored = api.storage.managed && (await inTime(api.storage.managed.get(null)).catch(() => ({})));
  return readManaged(stored ?? {});
}

/**
 * @param {Record<string, unknown>} stored
 * @returns {Managed}
 */
export function readManaged(stored) {
  /** @type {Record<string, any>} */
  const values = {};
  const problems = [];
  for (const [field, value] of Object.entries(stored)) {
    try {
      if (!Object.hasOwn(CHECKS, field)) throw new Error(`there is no such setting: want ${Object.keys(CHECKS).join(", ")}`);
      CHECKS[/** @type {keyof Values} */ (field)](value);
      values[field] = value;
    } catch (error) {
      problems.push({ field, problem: errorText(error) });
    }
  }
  // A server without those who must have signed could not be believed, and the
  // build's own server is not answerable to somebody else's keys.
  for (const [one, other] of [["listServer", "trust"], ["trust", "listServer"]]) {
    if (!values[one] || values[other]) continue;
    problems.push({ field: one, problem: `want a right ${other} beside it` });
    delete values[one];
    break;
  }
  const locked = new Set(/** @type {Values} */ (values).locked);
  for (const field of /** @type {(keyof Values)[]} */ (Object.keys(values))) {
    const lock = LOCKED_BY[field];
    if (lock && values[field] !== false) locked.add(lock);
  }
  return { present: Object.keys(stored).length > 0, values, problems, locked: [...locked].sort() };
}

/**
 * @param {Lock} name
 * @returns {Promise<void>} rejects when users cannot change it
 */
export async function refuseLocked(name) {
  if ((await managed()).locked.includes(name)) throw new Error(`${name}: set by an administrator`);
}

/**
 * @param {boolean} holds
 * @param {string} problem
 */
function want(holds, problem) {
  if (!holds) throw new Error(problem);
}

/** @param {readonly string[]} words */
function oneOf(words) {
  return (/** @type {unknown} */ value) => want(words.includes(/** @type {any} */ (value)), `${JSON.stringify(value)}: want ${words.join(", ")}`);
}

/** @param {unknown} value */
function checkSites(value) {
  want(typeof value === "object" && value !== null && !Array.isArray(value), "want domains, each with its mode");
  for (const [domain, mode] of Object.entries(/** @type {object} */ (value))) {
    want(isHost(domain) && domain.includes("."), `${domain}: want a domain, such as example.com`);
    oneOf(MODES)(mode);
  }
}

/** @param {unknown} value */
function checkServer(value) {
  if (value === "") return;
  const { pathname, search, hash } = checkAddress(value);
  want(pathname === "/" && search === "" && hash === "" && !String(value).endsWith("/"), `${value}: want an origin, such as https://lists.example, without a path`);
}

/** @param {unknown} value */
function checkTrust(value) {
  want(typeof value === "string", "want the text of a trust.txt");
  for (const word of TRUST_WORDS) {
    want(new RegExp(`^[ \\t]*${word}[ \\t]`, "m").test(String(value)), `has no line "${word}": give all of a trust.txt`);
  }
}

/** @param {unknown} value */
function checkRelays(value) {
  want(Array.isArray(value) && value.length > 0, "want a list of relays, each with name, url and keys");
  /** @type {any[]} */ (value).forEach((relay, i) => {
    want(typeof relay === "object" && relay !== null && Array.isArray(relay.keys) && relay.keys.length > 0, `[${i}]: want name, url and keys`);
    for (const key of relay.keys) {
      try {
        checkRelay({ name: relay.name, url: relay.url, key });
      } catch (error) {
        throw new Error(`[${i}]: ${errorText(error)}`, { cause: error });
      }
    }
  });
}
