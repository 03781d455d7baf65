/**
 * Chromium: what carries the page's address or search words to a third party,
 * and how the browser is told to stop it, by rules that it keeps until it is
 * closed.
 *
 * As soon as a protected page is asked for, its address is known, and so are
 * the ways in which most who take it write it into a URL: for these there are
 * rules before the page has made its first request. Everything else, such as
 * what a body carries, is only seen when it leaves. From then on its like is
 * stopped on that site: the same path of the same host, and when a host turns
 * out to use several, all of it. Who sends it counts: what another site's frame
 * tells is stopped for that frame, so that it cannot have others stopped that
 * the page needs.
 *
 * What a private window tells is stopped in the tab that told it, and forgotten
 * with the tab: no other window is to know what was looked at there.
 */

import { api } from "./api.js";
import { ALL_TABS, tabOf, within } from "./private-tabs.js";

const dnr = api?.declarativeNetRequest;

/** Ids of session rules for this; the lower ones have other uses. */
const FIRST_ID = 1000;
const MAX_RULES = 1000;
/** Ids of those for the addresses of pages, and how many pages are remembered. */
const PAGES_ID = 10_000;
const MAX_PAGES = 50;
/** As package dnr's blocks of third parties: below exceptions and needs. */
const PRIORITY = 1;
/** So many paths of a host are told apart. */
const MAX_PATHS = 3;
/** The browser is told so many characters of a path: pages make them as long as they like. */
const MAX_PATH = 512;

/**
 * @typedef {object} Leak
 * @property {number} id of the rule
 * @property {string} domain protected domain of the page
 * @property {string} host
 * @property {string} filter as declarativeNetRequest writes it, "" for the whole host
 * @property {string} frame host of the other site's document that sent it, "null" for one without, "" for the page's own
 * @property {number} tab a private one, or all
 */

/** Oldest first. @type {Leak[]} */
let leaks = [];

/**
 * Pages whose address the browser knows, with the ids of their rules, the oldest first.
 * @type {Map<string, {domain: string, ids: number[], tab: number}>}
 */
const pages = new Map();
let nextId = PAGES_ID;

/** Takes back what an earlier wake of the background told the browser. */
export async function readLeaks() {
  const rules = await dnr.getSessionRules();
  for (const { id, condition } of rules.filter((rule) => rule.id >= PAGES_ID)) {
    // Which page's it was is forgotten: it counts as one by itself.
    pages.set(String(id), { domain: topDomainOf(condition), ids: [id], tab: tabOf(condition) });
    nextId = Math.max(nextId, id + 1);
  }
  leaks = rules
    .filter(({ id }) => id >= FIRST_ID && id < PAGES_ID)
    .map(({ id, condition }) => ({
      id,
      domain: topDomainOf(condition),
      host: condition.requestDomains?.[0] ?? "",
      filter: condition.urlFilter ?? "",
      frame: condition.excludedInitiatorDomains ? "null" : (condition.initiatorDomains?.[0] ?? ""),
      tab: tabOf(condition),
    }));
}

/** @param {chrome.declarativeNetRequest.RuleCondition} condition */
function topDomainOf(condition) {
  // The types of the API do not know topDomains yet.
  return /** @type {{topDomains?: string[]}} */ (condition).topDomains?.[0] ?? "";
}

/**
 * Tells the browser how the address of a page looks in URLs, before the page
 * asks for any.
 * @param {string} domain of the page
 * @param {string} page its address
 * @param {(url: string) => boolean} isLeak what the engine thinks of a third party's URL on that page
 * @param {number} tab that shows it, if it is private, or all
 * @returns {Promise<void>} rejects when the browser refuses
 */
export async function guardPage(domain, page, isLeak, tab) {
  const all = formsOf(page);
  const key = `${tab} ${all[0].text}`;
  if (pages.has(key)) return;
  /** @type {typeof all} */
  const forms = [];
  for (const form of all) {
    const isKnown = forms.some(({ text }) => form.text.includes(text));
    if (!isKnown && isLeak(`https://probe.invalid/?q=${form.text}`)) forms.push(form);
  }
  const addRules = forms.map(({ text, isCaseSensitive }) => {
    const condition = /** @type {any} */ ({ topDomains: [domain], urlFilter: text, isUrlFilterCaseSensitive: isCaseSensitive, ...within(tab) });
    return { id: nextId++, priority: PRIORITY, action: /** @type {const} */ ({ type: "block" }), condition };
  });
  /** @type {number[]} */
  let removeRuleIds = [];
  if (pages.size >= MAX_PAGES) {
    // Its own first: a site that changes its address all the time takes no other's place.
    const oldest = [...pages].find(([, page]) => page.domain === domain)?.[0] ?? [...pages.keys()][0];
    removeRuleIds = pages.get(oldest)?.ids ?? [];
    pages.delete(oldest);
  }
  pages.set(key, { domain, ids: addRules.map(({ id }) => id), tab });
  if (addRules.length + removeRuleIds.length > 0) await dnr.updateSessionRules({ removeRuleIds, addRules });
}

/**
 * How the address of a page is written into URLs: as it is, in %-escapes, in
 * %-escapes of %-escapes, and in base64, where what stands in front decides on
 * one of three forms. Where a path says enough by itself, the shorter forms
 * stand for the longer ones.
 * @param {string} page
 * @returns {{text: string, isCaseSensitive: boolean}[]} first the host and the path as they are
 */
export function formsOf(page) {
  const { host, origin, pathname } = new URL(page);
  const place = literal(pathname);
  const whole = host + place;
  const once = encodeURIComponent;
  const twice = (/** @type {string} */ text) => once(once(text));
  const texts = [whole, once(place), twice(place), origin + place, once(origin + place), twice(origin + place)];
  const forms = texts.map((text) => ({ text, isCaseSensitive: false }));
  for (const before of [0, 1, 2]) {
    // A character of base64 is six bits: those that a neighbour has a part in are left out.
    const bytes = before + whole.length;
    const text = btoa("\0".repeat(before) + whole).slice(Math.ceil((before * 8) / 6), Math.floor((bytes * 8) / 6));
    for (const variant of new Set([text, text.replaceAll("+", "-").replaceAll("/", "_"), encodeURIComponent(text)])) {
      forms.push({ text: variant, isCaseSensitive: true });
    }
  }
  return forms;
}

/**
 * A path up to the first character that would mean something in a urlFilter, or
 * as much of it as the browser is told.
 * @param {string} path
 */
function literal(path) {
  const special = path.search(/[*^|]/);
  return path.slice(0, special < 0 ? MAX_PATH : Math.min(special, MAX_PATH));
}

/**
 * Whether the browser stops a request because its like has leaked before.
 * @param {string} domain of the page
 * @param {string} url
 * @param {string} frame see {@link Leak}
 * @param {number} tab whose page sends it
 * @returns {boolean}
 */
export function isLeakStopped(domain, url, frame, tab) {
  if (leaks.length === 0) return false;
  const { hostname } = new URL(url);
  return leaks.some((leak) => leak.domain === domain && leak.host === hostname && isOf(leak, frame, tab) && holds(leak.filter, url));
}

/**
 * Whether what was learnt of a leak holds for who sends a request.
 * @param {Leak} leak
 * @param {string} frame
 * @param {number} tab
 */
function isOf(leak, frame, tab) {
  return (leak.frame === "" || leak.frame === frame) && (leak.tab === ALL_TABS || leak.tab === tab);
}

/**
 * @param {string} filter that {@link filterOf} made
 * @param {string} url
 */
function holds(filter, url) {
  const { host, pathname, search } = new URL(url);
  const text = `||${host}${pathname}${search}`.toLowerCase();
  if (!filter.endsWith("^")) return text.startsWith(filter);
  const literal = filter.slice(0, -1);
  return text.startsWith(literal) && /^([^a-z0-9_.%-]|$)/.test(text.slice(literal.length));
}

/**
 * Tells the browser to stop the like of a request that leaked.
 * @param {string} domain of the page
 * @param {string} url
 * @param {string} frame see {@link Leak}
 * @param {number} tab whose page sent it, if it is private, or all
 * @returns {Promise<void>} rejects when the browser refuses
 */
export async function stopLeak(domain, url, frame, tab) {
  if (isLeakStopped(domain, url, frame, tab)) return;
  const { hostname: host } = new URL(url);
  const same = leaks.filter((leak) => leak.domain === domain && leak.host === host && leak.frame === frame && leak.tab === tab);
  const taken = new Set(leaks.map((leak) => leak.id));
  let id = FIRST_ID;
  while (taken.has(id)) id++;
  const leak = { id, domain, host, filter: same.length < MAX_PATHS ? filterOf(url) : "", frame, tab };
  const gone = leak.filter === "" ? same : tooMany(domain);
  leaks = [...leaks.filter((old) => !gone.includes(old)), leak];
  await dnr.updateSessionRules({ removeRuleIds: gone.map((old) => old.id), addRules: [ruleFor(leak)] });
}

/**
 * What gives way to one more: a site that leaks in many ways takes no other's place.
 * @param {string} domain
 */
function tooMany(domain) {
  if (leaks.length < MAX_RULES) return [];
  return [leaks.find((leak) => leak.domain === domain) ?? leaks[0]];
}

/**
 * Takes back all that the browser was told here.
 * @returns {Promise<void>} rejects when the browser refuses
 */
export async function forgetLeaks() {
  const removeRuleIds = [...leaks.map(({ id }) => id), ...[...pages.values()].flatMap(({ ids }) => ids)];
  leaks = [];
  pages.clear();
  await dnr.updateSessionRules({ removeRuleIds });
}

/**
 * Takes back what the browser was told of a tab that is closed.
 * @param {number} tab
 * @returns {Promise<void>} rejects when the browser refuses
 */
export async function forgetLeaksOf(tab) {
  const ofTab = [...pages].filter(([, page]) => page.tab === tab);
  const removeRuleIds = [...leaks.filter((leak) => leak.tab === tab).map(({ id }) => id), ...ofTab.flatMap(([, { ids }]) => ids)];
  leaks = leaks.filter((leak) => leak.tab !== tab);
  for (const [key] of ofTab) pages.delete(key);
  if (removeRuleIds.length > 0) await dnr.updateSessionRules({ removeRuleIds });
}

/**
 * The path of a request as a pattern.
 * @param {string} url
 * @returns {string}
 */
function filterOf(url) {
  const { host, pathname } = new URL(url);
  const path = literal(pathname);
  return `||${host}${path}${path === pathname ? "^" : ""}`.toLowerCase();
}

/**
 * @param {Leak} leak
 * @returns {chrome.declarativeNetRequest.Rule}
 */
function ruleFor({ id, domain, host, filter, frame, tab }) {
  // The types of the API do not know topDomains yet.
  const condition = /** @type {any} */ ({ topDomains: [domain], requestDomains: [host], ...within(tab) });
  if (filter !== "") condition.urlFilter = filter;
  // Who has no name is not the page itself.
  if (frame === "null") condition.excludedInitiatorDomains = [domain];
  else if (frame !== "") condition.initiatorDomains = [frame];
  return { id, priority: PRIORITY, action: { type: "block" }, condition };
}
