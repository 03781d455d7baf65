/**
 * Chromium: tells the browser itself what to stop on protected sites, by
 * declarativeNetRequest rules that the desk writes from the same bundle. They
 * outlive the browser's runs, so that the very first page of a run is covered.
 */

import { api, errorText, isFirefox } from "./api.js";
import { Desk } from "./desk.js";
import { sha256 } from "./digest.js";
import { stops } from "./sites.js";

const dnr = api?.declarativeNetRequest;

/** Rules of the modes and of what users allow have ids below this, those of the list from here on. */
const LARGE = 1000;
const SMALL_IDS = Array.from({ length: LARGE - 1 }, (_, i) => i + 1);
/** Above all others: a rule that does nothing but say what the others are of. */
const MARK = 2_000_000_000;
/** Of a rule without which rules for every page would stop our own requests too. */
const OWN = MARK + 1;
/** Above all of package dnr's. */
const OWN_PRIORITY = 12;
const PLACEHOLDER = "/content/placeholder.png";
/** The same for whoever is told where a picture came from, and must not learn an address of ours. */
const INLINE = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" width="128" height="128"><path d="M0 0h128v128H0z" fill="#dfe7e4"/>' +
    '<path d="M64 34a20 20 0 1 1 0 40 20 20 0 1 1 0-40zM24 112c0-20 16-30 40-30s40 10 40 30z" fill="#4f6a61"/></svg>',
)}`;

/** Why the browser itself refuses a rule that it has words for. */
const REFUSED = "regular expressions that the browser refuses";

/**
 * What the browser's rules were last written from, and whether it took them.
 * @typedef {object} RulesState
 * @property {"ok" | "writing" | "unsupported" | "failed"} state "writing" is left
 *   when the browser stopped us meanwhile: it may have the new rules or the old
 * @property {string} list SHA-256 of the bundle that decides, with the user's own rules
 * @property {string} sites what the large rules depend on
 * @property {string} choices what the small rules depend on
 * @property {Record<string, number>} unsaid how many rules of the list the browser was not told, by reason
 * @property {string} error
 */

/** @typedef {Pick<RulesState, "list" | "sites" | "choices">} Of */

/**
 * What rules are written from.
 * @typedef {object} Wanted
 * @property {string} list SHA-256 of the bundle
 * @property {() => Promise<Uint8Array>} bundle
 * @property {import("./sites.js").Protected} scope
 */

/** Writings follow one another: each starts from what the last one left. */
/** @type {Promise<unknown>} */
let last = Promise.resolve();

/** @returns {Promise<RulesState | undefined>} undefined when they were never written, or nobody can tell any more */
async function rulesState() {
  const rules = /** @type {RulesState | undefined} */ ((await api.storage.local.get("rules")).rules);
  return typeof rules?.state === "string" && typeof rules.unsaid === "object" ? rules : undefined;
}

/**
 * How it stands with the browser's rules.
 * @param {string} list SHA-256 of the bundle in force
 * @param {Wanted["scope"]} scope
 * @returns {Promise<{state: "" | "pending" | "unsupported" | "failed" | "lost", error: string, unsaid: number}>}
 *   "": they are those of list and scope; "lost": they were, and the browser has
 *   others now; `unsaid` counts rules of the list that the browser was not told
 */
export async function rulesProblem(list, scope) {
  if (isFirefox) return { state: "", error: "", unsaid: 0 };
  const [have, mark] = await Promise.all([rulesState(), readMark()]);
  const want = wantedFor(list, scope);
  const isCurrent = have?.list === want.list && have.sites === want.sites && have.choices === want.choices;
  const unsaid = Object.values(have?.unsaid ?? {}).reduce((sum, count) => sum + count, 0);
  if (have?.state === "failed" || have?.state === "unsupported") return { state: have.state, error: have.error, unsaid };
  // What was written between the two readings is looked for again.
  const isTheirs = mark === (await markFor(want)).condition.urlFilter || (await isMarked(want));
  if (isTheirs) return { state: "", error: "", unsaid };
  return { state: isCurrent && have.state === "ok" ? "lost" : "pending", error: "", unsaid };
}

/**
 * @param {string} list
 * @param {Wanted["scope"]} scope
 */
function wantedFor(list, { everywhere, sites }) {
  const name = (/** @type {import("./sites.js").Site} */ { domain, own }) => `${domain}<${own}`;
  return {
    list,
    // Where every page is protected, those that the list does not name are the small rules' affair.
    sites: stops(everywhere) ? ["*", ...sites.filter(({ listed }) => listed).map(name)].join(" ") : sites.map(name).join(" "),
    choices: [everywhere, ...sites.map((site) => [name(site), site.mode, ...site.allow].join(","))].join(" "),
  };
}

/**
 * Sees to it that the browser's rules are those of a list and the sites' modes,
 * writing as little as possible.
 * @param {Wanted} wanted
 * @param {boolean} [distrust] look whether the browser still has the rules, and try again what failed
 * @returns {Promise<void>} rejects when the browser keeps its older rules; the reason is also in {@link rulesProblem}
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
  const want = { ...wantedFor(list, scope), unsaid: have?.unsaid ?? {} };
  const settings = { ...scope, placeholder: PLACEHOLDER, inline: INLINE };
  const sameRules = have?.list === want.list && have.sites === want.sites;
  const isSettled = have?.state === "failed" || have?.state === "unsupported";
  if (sameRules && isSettled && !distrust && have.choices === want.choices) return;
  try {
    if (!(await isScopeKnown())) {
      await keep({ ...want, state: "unsupported", error: "" });
      return;
    }
    // What was to be written down behind the rules may not have been.
    const doubts = distrust || have?.state === "writing";
    if (sameRules && !isSettled && !(doubts && !(await isMarked(have)))) {
      if (have.choices === want.choices && have.state === "ok") return;
      const small = await Desk.use((desk) => desk.smallRules(settings));
      await dnr.updateDynamicRules({ removeRuleIds: [...SMALL_IDS, MARK], addRules: [await markFor(want), ...small] });
    } else {
      const bytes = await bundle();
      const { small, large, counts } = await Desk.use((desk) => desk.rules(settings, bytes));
      const said = await supported(large);
      want.unsaid = counts.unsaid;
      if (said.length < large.length) want.unsaid[REFUSED] = large.length - said.length;
      await keep({ ...want, state: "writing", error: "" });
      const old = (await dnr.getDynamicRules()).map((rule) => rule.id);
      await dnr.updateDynamicRules({ removeRuleIds: old, addRules: [await markFor(want), ...own(scope), ...small, ...said] });
    }
  } catch (error) {
    await keep({ ...want, state: "failed", error: errorText(error) });
    throw error;
  }
  // The rules are marked: without room for this they hold all the same.
  await keep({ ...want, state: "ok", error: "" }).catch(() => {});
}

/**
 * Lets through what the extension itself asks for: a list, a photo.
 * @param {Wanted["scope"]} scope
 * @returns {chrome.declarativeNetRequest.Rule[]}
 */
function own({ everywhere }) {
  if (!stops(everywhere)) return [];
  return [{ id: OWN, priority: OWN_PRIORITY, action: { type: "allow" }, condition: { initiatorDomains: [api.runtime.id] } }];
}

/**
 * Leaves out the regular expressions that are too large for the browser: one of
 * them would make it refuse all rules.
 * @param {chrome.declarativeNetRequest.Rule[]} rules
 */
async function supported(rules) {
  const verdicts = await Promise.all(
    rules.map(async ({ condition: { regexFilter: regex, isUrlFilterCaseSensitive: isCaseSensitive = false } }) =>
      regex === undefined || (await dnr.isRegexSupported({ regex, isCaseSensitive })).isSupported,
    ),
  );
  return rules.filter((_, i) => verdicts[i]);
}

/**
 * A rule for addresses that there are none of. It is written with every other
 * one, all or none, so that it can be asked what they are of: what storage says
 * may be older, or lost, when the computer went down.
 * @param {Of} of
 * @returns {Promise<chrome.declarativeNetRequest.Rule>}
 */
async function markFor({ list, sites, choices }) {
  const chosen = await sha256(new TextEncoder().encode(JSON.stringify([sites, choices])));
  return { id: MARK, action: { type: "allow" }, condition: { urlFilter: `|paravent:${list}/${chosen}` } };
}

/**
 * Whether the browser's rules are those of a list, its sites and their modes.
 * @param {Of} want
 */
async function isMarked(want) {
  return (await readMark()) === (await markFor(want)).condition.urlFilter;
}

/** @returns {Promise<string | undefined>} what the browser has of {@link markFor} */
async function readMark() {
  const [mark] = await dnr.getDynamicRules({ ruleIds: [MARK] });
  return mark?.condition.urlFilter;
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
