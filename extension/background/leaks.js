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
 * out to use several, all of it.
 */

import { api } from "./api.js";

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

/**
 * @typedef {object} Leak
 * @property {number} id of the rule
 * @property {string} domain protected domain of the page
 * @property {string} host
 * @property {string} filter as declarativeNetRequest writes it, "" for the whole host
 */

/** Oldest first. @type {Leak[]} */
let leaks = [];

/** Pages whose address the browser knows, with the ids of their rules, the oldest first. @type {Map<string, number[]>} */
const pages = new Map();
let nextId = PAGES_ID;

/** Takes back what an earlier wake of the background told the browser. */
export async function readLeaks() {
  const rules = await dnr.getSessionRules();
  for (const { id } of rules.filter((rule) => rule.id >= PAGES_ID)) {
    // Which page's it was is forgotten: it counts as one by itself.
    pages.set(String(id), [id]);
    nextId = Math.max(nextId, id + 1);
  }
  leaks = rules
    .filter(({ id }) => id >= FIRST_ID && id < PAGES_ID)
    .map(({ id, condition: { topDomains, requestDomains, urlFilter } }) => ({
      id,
      domain: topDomains?.[0] ?? "",
      host: requestDomains?.[0] ?? "",
      filter: urlFilter ?? "",
    }));
}

/**
 * Tells the browser how the address of a page looks in URLs, before the page
 * asks for any.
 * @param {string} domain of the page
 * @param {string} page its address
 * @param {(url: string) => boolean} isLeak what the engine thinks of a third party's URL on that page
 * @returns {Promise<void>} rejects when the browser refuses
 */
export async function guardPage(domain, page, isLeak) {
  const all = formsOf(page);
  const key = all[0].text;
  if (pages.has(key)) return;
  /** @type {typeof all} */
  const forms = [];
  for (const form of all) {
    const isKnown = forms.some(({ text }) => form.text.includes(text));
    if (!isKnown && isLeak(`https://probe.invalid/?q=${form.text}`)) forms.push(form);
  }
  const addRules = forms.map(({ text, isCaseSensitive }) => {
    const condition = /** @type {any} */ ({ topDomains: [domain], urlFilter: text, isUrlFilterCaseSensitive: isCaseSensitive });
    return { id: nextId++, priority: PRIORITY, action: /** @type {const} */ ({ type: "block" }), condition };
  });
  pages.set(key, addRules.map(({ id }) => id));
  const removeRuleIds = [];
  for (const [oldest, ids] of pages) {
    if (pages.size <= MAX_PAGES) break;
    pages.delete(oldest);
    removeRuleIds.push(...ids);
  }
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
 * A path up to the first character that would mean something in a urlFilter.
 * @param {string} path
 */
function literal(path) {
  const special = path.search(/[*^|]/);
  return special < 0 ? path : path.slice(0, special);
}

/**
 * Whether the browser stops a request because its like has leaked before.
 * @param {string} domain of the page
 * @param {string} url
 * @returns {boolean}
 */
export function isLeakStopped(domain, url) {
  if (leaks.length === 0) return false;
  const { hostname } = new URL(url);
  return leaks.some((leak) => leak.domain === domain && leak.host === hostname && holds(leak.filter, url));
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
 * @returns {Promise<void>} rejects when the browser refuses
 */
export async function stopLeak(domain, url) {
  if (isLeakStopped(domain, url)) return;
  const { hostname: host } = new URL(url);
  const same = leaks.filter((leak) => leak.domain === domain && leak.host === host);
  const id = 1 + leaks.reduce((highest, leak) => Math.max(highest, leak.id), FIRST_ID - 1);
  const leak = { id, domain, host, filter: same.length < MAX_PATHS ? filterOf(url) : "" };
  const gone = leak.filter === "" ? same : leaks.slice(0, Math.max(0, leaks.length + 1 - MAX_RULES));
  leaks = [...leaks.filter((old) => !gone.includes(old)), leak];
  await dnr.updateSessionRules({ removeRuleIds: gone.map((old) => old.id), addRules: [ruleFor(leak)] });
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
function ruleFor({ id, domain, host, filter }) {
  // The types of the API do not know topDomains yet.
  const condition = /** @type {any} */ ({ topDomains: [domain], requestDomains: [host] });
  if (filter !== "") condition.urlFilter = filter;
  return { id, priority: PRIORITY, action: { type: "block" }, condition };
}
