/**
 * What the user chose, as a text to keep and to bring to another browser. It
 * holds choices only: no visit, no photo, no consent, nothing that tells this
 * browser from others. A text is restored as a whole or not at all.
 */

import { KEEPS, keptFor } from "./album.js";
import { api, errorText } from "./api.js";
import { inTurn } from "./choices.js";
import { managed, refuseLocked } from "./managed.js";
import { ownRelay } from "./own-relay.js";
import { lintRules, ownRules } from "./own-rules.js";
import { checkRelay } from "./relay-checks.js";
import { change } from "./settings.js";
import { CHOICES, isHost, isSite, MODES, SCOPES, Sites } from "./sites.js";
import { ready } from "./state.js";

/** The first words of the format; another number is another one. */
export const FORMAT = "paravent backup 1";

const MAX_TEXT = 1024 * 1024;
const MAX_SITES = 5000;
/** As many sites as the browser can be told of with hosts that are let through. */
const MAX_ALLOWED = 900;
const MAX_HOSTS = 1000;

/**
 * @typedef {object} Backup
 * @property {typeof FORMAT} format
 * @property {import("./sites.js").Scope} scope
 * @property {Record<string, import("./sites.js").Mode>} modes by site
 * @property {Record<string, string[]>} allowed hosts that are let through, by site
 * @property {import("./album.js").Keep} keep how long photos are kept
 * @property {import("./relay-checks.js").OwnRelay | null} ownRelay
 * @property {string} rules of the user's own
 */

/** @returns {Promise<string>} JSON */
export async function backup() {
  await refuseLocked("backup");
  const [stored, keep, relay, rules] = await Promise.all([api.storage.local.get(CHOICES), keptFor(), ownRelay(), ownRules()]);
  const chosen = new Sites([], stored);
  /** @type {Backup} */
  const made = { format: FORMAT, scope: chosen.range, ...chosen.choices(), keep, ownRelay: relay, rules };
  return `${JSON.stringify(made, null, 2)}\n`;
}

/**
 * @param {unknown} text
 * @returns {Promise<{}>} rejects with the field that is wrong
 */
export function restore(text) {
  return inTurn(async () => {
    await refuseLocked("backup");
    const read = readBackup(text, await ready());
    const [wrong] = (await lintRules(read.rules)).problems;
    if (wrong) throw new Error(`rules: line ${wrong.line}: ${wrong.text}: ${wrong.problem}`);
    const { locked } = await managed();
    /** @type {Partial<import("./settings.js").Stored>} */
    const values = {};
    if (!locked.includes("modes")) Object.assign(values, { modes: read.modes, allowed: read.allowed });
    if (!locked.includes("scope")) values.scope = read.scope;
    if (!locked.includes("keep")) values.photosKept = read.keep;
    if (!locked.includes("relay")) values.ownRelay = read.ownRelay;
    if (!locked.includes("rules")) values.ownRules = read.rules;
    await change(values);
    return {};
  });
}

/** What each field must be; each throws what is wrong. @type {Record<keyof Backup, (value: any, sites: Pick<Sites, "isListed">) => void>} */
const CHECKS = {
  format: (value) => want(value === FORMAT, `${quoted(value)}: want "${FORMAT}"; another version of Paravent may read it`),
  scope: (value) => oneOf(value, SCOPES),
  modes: (value, sites) => each(value, sites, MAX_SITES, (mode) => oneOf(mode, MODES)),
  allowed: (value, sites) => each(value, sites, MAX_ALLOWED, checkHosts),
  keep: (value) => oneOf(value, KEEPS),
  ownRelay: (value) => {
    if (value !== null) checkRelay(value);
  },
  rules: (value) => want(typeof value === "string", "want a text"),
};

/**
 * @param {unknown} text
 * @param {Pick<Sites, "isListed">} sites
 * @returns {Backup} what is in it, and nothing else
 * @throws what is wrong, by its field
 */
export function readBackup(text, sites) {
  if (typeof text !== "string" || text.length > MAX_TEXT) throw new Error("this is no backup of Paravent");
  /** @type {any} */
  let read;
  try {
    read = JSON.parse(text);
  } catch (error) {
    throw new Error(`this is no backup of Paravent: ${errorText(error)}`, { cause: error });
  }
  if (typeof read !== "object" || read === null || Array.isArray(read) || !Object.hasOwn(read, "format")) throw new Error('format: want an object with the format "paravent backup 1"');
  check("format", read.format, sites);
  for (const field of Object.keys(read)) want(Object.hasOwn(CHECKS, field), `${field}: there is no such field`);
  for (const field of /** @type {(keyof Backup)[]} */ (Object.keys(CHECKS))) {
    want(Object.hasOwn(read, field), `${field}: is missing`);
    check(field, read[field], sites);
  }
  return { ...read, ownRelay: read.ownRelay && checkRelay(read.ownRelay) };
}

/**
 * @param {keyof Backup} field
 * @param {unknown} value
 * @param {Pick<Sites, "isListed">} sites
 */
function check(field, value, sites) {
  try {
    CHECKS[field](value, sites);
  } catch (error) {
    throw new Error(`${field}: ${errorText(error)}`, { cause: error });
  }
}

/**
 * @param {boolean} holds
 * @param {string} problem
 */
function want(holds, problem) {
  if (!holds) throw new Error(problem);
}

/**
 * @param {unknown} value
 * @param {readonly string[]} words
 */
function oneOf(value, words) {
  want(words.includes(/** @type {any} */ (value)), `${quoted(value)}: want ${words.join(" or ")}`);
}

/** @param {unknown} value */
function quoted(value) {
  return (JSON.stringify(value) ?? String(value)).slice(0, 100);
}

/**
 * @param {unknown} value
 * @param {Pick<Sites, "isListed">} sites
 * @param {number} most
 * @param {(value: unknown) => void} checkOne
 */
function each(value, sites, most, checkOne) {
  want(typeof value === "object" && value !== null && !Array.isArray(value), "want sites with what was chosen for each");
  const entries = Object.entries(/** @type {object} */ (value));
  want(entries.length <= most, `${entries.length} sites: ${most} are the most`);
  for (const [site, chosen] of entries) {
    want(isSite(site, sites), `${quoted(site)}: want a site, such as example.com`);
    try {
      checkOne(chosen);
    } catch (error) {
      throw new Error(`${site}: ${errorText(error)}`, { cause: error });
    }
  }
}

/** @param {unknown} value */
function checkHosts(value) {
  want(Array.isArray(value) && value.length > 0 && value.length <= MAX_HOSTS, `want a list of up to ${MAX_HOSTS} hosts`);
  for (const host of /** @type {unknown[]} */ (value)) want(isHost(host), `${quoted(host)}: want a host, such as cdn.example.com`);
}
