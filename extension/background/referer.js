/**
 * Sees to it that a third party learns a page's origin at most, whatever the
 * page asks for by its Referrer-Policy, a <meta>, an attribute or a script.
 *
 * Where requests are held, the header is cut. In other Chromium the rules of
 * package dnr take it away from what protected pages send to third parties,
 * since a rule cannot shorten a header; but what needs to know which site it
 * serves is then broken. So once a page is seen to send a Referer, a rule for
 * the session sets it to the page's origin.
 */

import { api, isFirefox } from "./api.js";
import { hostOf, registrable } from "./domains.js";
import { tabOf, within } from "./private-tabs.js";
import { stops } from "./sites.js";

const dnr = api?.declarativeNetRequest;

/** Ids of session rules for this, and their place above package dnr's rule that takes the header away. */
const FIRST_ID = 2;
const MAX_RULES = 500;
const PRIORITY = 10;

/** What a document's policy becomes when it is weaker. */
const POLICY = "strict-origin-when-cross-origin";
const POLICIES = [
  "no-referrer", "no-referrer-when-downgrade", "same-origin", "origin", "strict-origin", "origin-when-cross-origin",
  POLICY, "unsafe-url",
];
const WEAKER = ["no-referrer-when-downgrade", "origin-when-cross-origin", "unsafe-url"];

/** @typedef {chrome.webRequest.HttpHeader} Header */

/**
 * The headers of a request without more in the Referer than the page's origin.
 * @param {string} url of the request
 * @param {string} page address of the top document
 * @param {Header[]} headers
 * @returns {Header[] | null} null when nothing is to change
 */
export function cutReferer(url, page, headers) {
  const at = headers.findIndex(({ name }) => name.toLowerCase() === "referer");
  const referer = headers[at]?.value ?? "";
  const site = registrable(hostOf(page));
  // What a third party's frame says of itself is its own business.
  if (registrable(hostOf(referer)) !== site || registrable(hostOf(url)) === site) return null;
  const origin = `${new URL(referer).origin}/`;
  if (referer === origin) return null;
  return headers.with(at, { name: headers[at].name, value: origin });
}

/**
 * The headers of a document's response with a policy that is not weaker than
 * what browsers do by themselves.
 * @param {Header[]} headers
 * @returns {Header[] | null} null when nothing is to change
 */
export function tightenPolicy(headers) {
  const isPolicy = (/** @type {Header} */ { name }) => name.toLowerCase() === "referrer-policy";
  const words = headers.filter(isPolicy).flatMap(({ value = "" }) => value.toLowerCase().split(","));
  // Of several the last one that is known counts.
  const policy = words.map((word) => word.trim()).findLast((word) => POLICIES.includes(word)) ?? "";
  if (!WEAKER.includes(policy)) return null;
  return [...headers.filter((header) => !isPolicy(header)), { name: "Referrer-Policy", value: POLICY }];
}

/** Ids of the rules by origin, and by the tab, if it is private; the oldest first. @type {Map<string, {id: number, tab: number}>} */
const known = new Map();

/** Takes back what an earlier wake of the background told the browser. */
export async function readReferers() {
  if (isFirefox) return;
  for (const { id, action, condition } of await dnr.getSessionRules()) {
    const origin = action.requestHeaders?.[0]?.value;
    const tab = tabOf(condition);
    if (origin) known.set(`${tab} ${origin}`, { id, tab });
  }
}

/**
 * Takes back all that the browser was told here.
 * @returns {Promise<void>} rejects when the browser refuses
 */
export async function forgetReferers() {
  const removeRuleIds = [...known.values()].map(({ id }) => id);
  known.clear();
  await dnr.updateSessionRules({ removeRuleIds });
}

/**
 * Takes back what the browser was told of a tab that is closed.
 * @param {number} tab
 * @returns {Promise<void>} rejects when the browser refuses
 */
export async function forgetReferersOf(tab) {
  const ofTab = [...known].filter(([, rule]) => rule.tab === tab);
  for (const [key] of ofTab) known.delete(key);
  if (ofTab.length > 0) await dnr.updateSessionRules({ removeRuleIds: ofTab.map(([, { id }]) => id) });
}

/**
 * Chromium: a request was about to leave with a Referer.
 * @param {string} page address of the top document
 * @param {Header[] | undefined} headers
 * @param {import("./sites.js").Sites} sites
 * @param {number} tab whose page it is, if it is private, or all
 * @returns {Promise<void>} rejects when the browser refuses
 */
export async function noteReferer(page, headers, sites, tab) {
  const referer = headers?.find(({ name }) => name.toLowerCase() === "referer")?.value ?? "";
  const host = hostOf(referer);
  if (host === "" || !stops(sites.modeOf(host)) || registrable(host) !== registrable(hostOf(page))) return;
  const origin = `${new URL(referer).origin}/`;
  const key = `${tab} ${origin}`;
  if (known.has(key)) return;
  const id = freeId();
  known.set(key, { id, tab });
  const condition = {
    topDomains: [sites.domainOf(host)],
    initiatorDomains: [host],
    excludedRequestDomains: [registrable(host)],
    // Neither to less secure addresses, which the browser tells nothing, nor to web sockets.
    urlFilter: origin.startsWith("https:") ? "|https:" : "|http",
    ...within(tab),
  };
  await dnr.updateSessionRules({
    removeRuleIds: [id],
    addRules: [
      {
        id,
        priority: PRIORITY,
        action: { type: "modifyHeaders", requestHeaders: [{ header: "referer", operation: "set", value: origin }] },
        condition: /** @type {any} */ (condition),
      },
    ],
  });
}

/** @returns {number} the lowest that no rule has, or that of the oldest rule, which gives way */
function freeId() {
  const [oldest] = known;
  if (known.size >= MAX_RULES && oldest) {
    known.delete(oldest[0]);
    return oldest[1].id;
  }
  const taken = new Set([...known.values()].map(({ id }) => id));
  let id = FIRST_ID;
  while (taken.has(id)) id++;
  return id;
}
