/**
 * Chromium: tells the browser itself what to stop on protected sites, by
 * declarativeNetRequest rules that the desk writes from the same bundle. They
 * outlive the browser's runs, so that the very first page of a run is covered.
 */

import { api, errorText, isFirefox } from "./api.js";
import { Desk } from "./desk.js";

const dnr = api?.declarativeNetRequest;

/** The rule that allows everything on sites in mode off or watch. */
const SWITCH = 1;
/** The rule with all hosts: whenever there are rules at all, it is among them. */
const HOSTS = 2;
const PLACEHOLDER = "/content/placeholder.svg";

/**
 * What the browser's rules were last written from, and whether it took them.
 * @typedef {object} RulesState
 * @property {"ok" | "unsupported" | "failed"} state
 * @property {string} list SHA-256 of the bundle
 * @property {string} protected
 * @property {string} allowed
 * @property {string} error
 */

/**
 * What rules are written from.
 * @typedef {object} Wanted
 * @property {string} list SHA-256 of the bundle
 * @property {() => Promise<Uint8Array>} bundle
 * @property {{protected: string[], allowed: string[]}} scope
 */

/** Writings follow one another: each starts from what the last one left. */
/** @type {Promise<unknown>} */
let last = Promise.resolve();

/** @returns {Promise<RulesState | undefined>} undefined when they were never written */
export async function rulesState() {
  return /** @type {RulesState | undefined} */ ((await api.storage.local.get("rules")).rules);
}

/**
 * Sees to it that the browser's rules are those of a list and the sites' modes,
 * writing as little as possible.
 * @param {Wanted} wanted
 * @param {boolean} [distrust] look whether the browser still has the rules, and try again what failed
 * @returns {Promise<void>} rejects when the browser keeps its older rules; the reason is also in {@link rulesState}
 */
export function writeRules(wanted, distrust = false) {
  if (isFirefox) return Promise.resolve();
  const writing = last.then(() => write(wanted, distrust));
  last = writing.catch(() => {});
  return writing;
}

/**
 * @param {Wanted} wanted
 * @param {boolean} distrust
 */
async function write({ list, bundle, scope }, distrust) {
  const have = await rulesState();
  const want = { list, protected: scope.protected.join(" "), allowed: scope.allowed.join(" ") };
  const settings = { ...scope, placeholder: PLACEHOLDER };
  const sameRules = have?.list === want.list && have.protected === want.protected;
  if (sameRules && have.state !== "ok" && !distrust && have.allowed === want.allowed) return;
  try {
    if (!(await isScopeKnown())) {
      await keep({ ...want, state: "unsupported", error: "" });
      return;
    }
    if (sameRules && have.state === "ok" && !(distrust && (await areLost(scope)))) {
      if (have.allowed === want.allowed) return;
      const written = await Desk.use((desk) => desk.switchRule(settings));
      await dnr.updateDynamicRules({ removeRuleIds: [SWITCH], addRules: written.switch });
    } else {
      const bytes = await bundle();
      const written = await Desk.use((desk) => desk.rules(settings, bytes));
      const old = (await dnr.getDynamicRules()).map((rule) => rule.id);
      await dnr.updateDynamicRules({ removeRuleIds: old, addRules: [...written.switch, ...written.rules] });
    }
    await keep({ ...want, state: "ok", error: "" });
  } catch (error) {
    await keep({ ...want, state: "failed", error: errorText(error) });
    throw error;
  }
}

/** @param {{protected: string[]}} scope */
async function areLost(scope) {
  return scope.protected.length > 0 && (await dnr.getDynamicRules({ ruleIds: [HOSTS] })).length === 0;
}

/** @param {RulesState} rules */
async function keep(rules) {
  await api.storage.local.set({ rules });
}

/**
 * Whether the browser knows the condition `topDomains`. One that does not would
 * ignore it and apply our rules to every page; one that does must refuse an
 * empty list. The probe allows what nobody can ask for, so that it does nothing
 * where it is accepted.
 * @returns {Promise<boolean>}
 */
async function isScopeKnown() {
  const id = 1;
  const probe = {
    id,
    action: { type: "allow" },
    condition: { requestDomains: ["probe.invalid"], topDomains: [] },
  };
  try {
    await dnr.updateSessionRules({ removeRuleIds: [id], addRules: [/** @type {any} */ (probe)] });
  } catch {
    return true;
  }
  await dnr.updateSessionRules({ removeRuleIds: [id] });
  return false;
}
