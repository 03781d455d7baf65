/**
 * Chromium: what carries the page's address or search words to a third party is
 * only seen when it leaves. The browser is then told to stop its like on that
 * site until it is closed: the same path of the same host, and when a host
 * turns out to use several, all of it.
 */

import { api } from "./api.js";

const dnr = api?.declarativeNetRequest;

/** Ids of session rules for this; the lower ones have other uses. */
const FIRST_ID = 1000;
const MAX_RULES = 1000;
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

/** Takes back what an earlier wake of the background told the browser. */
export async function readLeaks() {
  const rules = await dnr.getSessionRules();
  leaks = rules
    .filter(({ id }) => id >= FIRST_ID)
    .map(({ id, condition: { topDomains, requestDomains, urlFilter } }) => ({
      id,
      domain: topDomains?.[0] ?? "",
      host: requestDomains?.[0] ?? "",
      filter: urlFilter ?? "",
    }));
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
 * The path of a request as a pattern: up to a character that would mean
 * something there, else to its end.
 * @param {string} url
 * @returns {string}
 */
function filterOf(url) {
  const { host, pathname } = new URL(url);
  const special = pathname.search(/[*^|]/);
  return `||${host}${special < 0 ? `${pathname}^` : pathname.slice(0, special)}`.toLowerCase();
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
