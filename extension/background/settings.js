/** What the options show and change, besides single sites and lists. */

import { keptFor } from "./album.js";
import { api } from "./api.js";
import { applyScope, inTurn } from "./choices.js";
import { consent } from "./consent.js";
import { defaults, isDemo } from "./defaults.js";
import { Engine } from "./engine.js";
import { managed, refuseLocked } from "./managed.js";
import { combine, keepCombined, keepOwnRules, lintRules, ownRules, refuseWrong } from "./own-rules.js";
import { ownRelay } from "./own-relay.js";
import { relaysInForce } from "./photos.js";
import { bundle, decideBy, decider, ready, reread, state } from "./state.js";

/** @typedef {Awaited<ReturnType<typeof settings>>} Settings */

let isBuilding = false;

/** What a text was found to be: the desk is large. @type {{of: string, lint: ReturnType<typeof lintRules>} | undefined} */
let linted;

export async function settings() {
  const [sites, configured, { relays, isOwn }, own, answer, keep, text, policy] = await Promise.all([
    ready(),
    defaults(),
    relaysInForce(),
    ownRelay(),
    consent(),
    keptFor(),
    ownRules(),
    managed(),
  ]);
  const names = new Map(state.list?.sites.map(({ domain, name }) => [domain, name]));
  return {
    version: api.runtime.getManifest().version,
    demo: isDemo(configured),
    managed: policy.present,
    locked: policy.locked,
    /** Values of the administrator's that are wrong, and so not in force. */
    managedProblems: policy.problems,
    scope: sites.range,
    sites: sites.scope().sites.map(({ domain, listed, mode, allow }) => ({
      domain,
      name: names.get(domain) ?? "",
      listed,
      mode,
      /** Whether an administrator has chosen the mode. */
      locked: policy.locked.includes("modes") || sites.isFixed(domain),
      allow,
    })),
    keep,
    consent: answer,
    relays: relays.map(({ name, url }) => ({ name, url, isOwn })),
    ownRelay: own,
    lists: { server: configured.listServer, trust: configured.trust, own: policy.values.listServer !== undefined },
    rules: { text, ...(await lintOf(text)), state: isBuilding ? "building" : (await decider()).error },
  };
}

/**
 * @param {string} text of own rules
 * @returns {Promise<import("./desk.js").Lint>}
 */
async function lintOf(text) {
  if (text === "") return { count: 0, problems: [] };
  if (linted?.of !== text) {
    linted = { of: text, lint: lintRules(text) };
    // What failed is tried again.
    linted.lint.catch(() => (linted = undefined));
  }
  return linted.lint;
}

/**
 * Puts a text of own rules in force, all of it or nothing.
 * @param {string} text
 * @returns {Promise<{}>} rejects with the line that is wrong, or with what else did not work
 */
export function setRules(text) {
  return inTurn(async () => {
    await refuseLocked("rules");
    await refuseWrong(text);
    await change({ ownRules: text.trim() === "" ? "" : text });
    return {};
  });
}

/**
 * What of the settings is in storage.local.
 * @typedef {object} Stored
 * @property {Record<string, import("./sites.js").Mode>} modes
 * @property {Record<string, string[]>} allowed
 * @property {import("./sites.js").Scope} scope
 * @property {import("./album.js").Keep} photosKept
 * @property {import("./relay-checks.js").OwnRelay | null} ownRelay
 * @property {string} ownRules
 */

/**
 * Stores settings and puts them in force. What does not work leaves everything
 * as it was.
 * @param {Partial<Stored>} values
 */
export async function change(values) {
  await ready();
  const old = await api.storage.local.get(Object.keys(values));
  isBuilding = values.ownRules !== undefined;
  try {
    const opened = isBuilding ? await opening(values.ownRules ?? "") : undefined;
    try {
      await store(values);
      if (opened) decideBy(opened);
      await reread();
      await applyScope();
    } catch (error) {
      await store(Object.fromEntries(Object.keys(values).map((key) => [key, old[key] ?? null])));
      if (opened) decideBy();
      await reread();
      await applyScope(true).catch(() => {});
      throw error;
    }
  } finally {
    isBuilding = false;
  }
}

/** @param {string} text of own rules */
async function opening(text) {
  const made = await combine({ sha256: state.list?.sha256 ?? "", bundle }, text);
  const engine = await Engine.open(await made.decider.bundle());
  // What is lost of this is made again at the next wake.
  await keepCombined(made).catch(() => {});
  return { decider: made.decider, engine };
}

/** @param {Record<string, unknown>} values null, or a text that is empty: none */
async function store({ ownRules: text, ...values }) {
  const gone = Object.keys(values).filter((key) => values[key] === null);
  await api.storage.local.remove(gone);
  await api.storage.local.set(Object.fromEntries(Object.entries(values).filter(([, value]) => value !== null)));
  if (text !== undefined) await keepOwnRules(/** @type {string | null} */ (text) ?? "");
}
