/**
 * Sees every request. Where the browser lets an extension hold requests
 * (Firefox; Chromium under an administrator's policy) it decides them; in other
 * Chromium, where rules.js has told the browser what to stop, it only records
 * what happened.
 */

import { aliasIn, behind } from "./aliases.js";
import { api, isFirefox, ownRoot } from "./api.js";
import { stayAwake } from "./awake.js";
import { bodyOf } from "./body.js";
import { hostOf, originOf, registrable } from "./domains.js";
import { judge } from "./judge.js";
import { forgetLeaks, forgetLeaksOf, guardPage, isLeakStopped, readLeaks, stopLeak } from "./leaks.js";
import { movedTo, openPages, pageAround, pageOf, readPages, tabWith } from "./pages.js";
import { expectPhotos, onPlaceholder } from "./photos.js";
import { disablePrediction } from "./prediction.js";
import { ALL_TABS, isPrivate } from "./private-tabs.js";
import { note, readRecords } from "./record.js";
import { cutReferer, forgetReferers, forgetReferersOf, noteReferer, readReferers, tightenPolicy } from "./referer.js";
import { stops } from "./sites.js";
import { engineBroke, engineReady, ready, state } from "./state.js";
import { expectDocument, noteRequest, readVisits } from "./visits.js";

/**
 * What both browsers tell about a request, and what only one does.
 * @typedef {object} Details
 * @property {string} requestId
 * @property {string} url
 * @property {string} type
 * @property {string} method
 * @property {number} tabId
 * @property {number} frameId
 * @property {string} [documentId] that asked; older Firefox does not say
 * @property {number} timeStamp
 * @property {import("./body.js").RequestBody | null} [requestBody]
 * @property {{url: string}[]} [frameAncestors] Firefox: innermost first
 * @property {string} [documentUrl] Firefox
 * @property {string} [originUrl] Firefox
 * @property {{type?: string} | null} [proxyInfo] Firefox
 * @property {string} [initiator] Chromium: an origin
 */

/** @typedef {import("./judge.js").Judgement} Judgement */
/** @typedef {chrome.webRequest.BlockingResponse} Answer */

const ALL = { urls: ["<all_urls>"] };
/** Without what is packaged, which placeholders and our own pages are: telling of it would cost Chromium as much as telling of the photo. */
const NETWORK = { urls: ["http://*/*", "https://*/*", "ws://*/*", "wss://*/*"] };
/** Responses with a policy of their own for what is asked for on their behalf. */
const DOCUMENTS = { urls: ["<all_urls>"], types: ["main_frame", "sub_frame", "stylesheet", "script"] };
/** What is asked for so often that a page which sends a Referer does so with one of these. */
const TELLING = { ...NETWORK, types: ["sub_frame", "stylesheet", "script"] };
const PLACEHOLDER = `${ownRoot}content/placeholder.png`;

/**
 * Whether this Chromium lets us hold requests; not known before `prepared`.
 * @type {boolean}
 */
let mayBlock = isFirefox;

let isPrepared = false;
/** What must be known before the first answer; never rejects. */
export const prepared = prepare();

async function prepare() {
  // A preconnect in a page opens a connection that no listener is told of, so
  // the first protected page of a browser's run waits until prediction is off.
  await Promise.allSettled([ready(), disablePrediction(), readPages(), readRecords(), readVisits(), askPermission(), readRules()]);
  isPrepared = true;
}

async function askPermission() {
  mayBlock ||= await api.permissions.contains({ permissions: ["webRequestBlocking"] });
}

/** What Chromium was told for as long as it runs. */
async function readRules() {
  if (!isFirefox) await Promise.all([readLeaks(), readReferers()]);
}

/** @returns {boolean} whether requests wait here for their decision */
export function holdsRequests() {
  return mayBlock;
}

/**
 * Registers all listeners, in one go at the top level of the background: a
 * listener registered any later misses the requests that woke it. They hear of
 * every site's requests, which costs Chromium a start on sites that are not
 * protected: no filter knows which page asks, and those that were registered
 * only once a protected page is asked for would miss its first requests.
 */
export function watchRequests() {
  // In Chromium without the policy this listener is accepted and never called.
  api.webRequest.onBeforeRequest.addListener(/** @type {any} */ (hold), ALL, ["blocking", "requestBody"]);
  if (isFirefox) {
    api.webRequest.onBeforeSendHeaders.addListener(/** @type {any} */ (holdHeaders(refererCut)), ALL, ["blocking", "requestHeaders"]);
    api.webRequest.onHeadersReceived.addListener(
      /** @type {any} */ (holdHeaders(policyTightened)), /** @type {any} */ (DOCUMENTS), ["blocking", "responseHeaders"],
    );
    return;
  }
  api.webRequest.onBeforeRequest.addListener(/** @type {any} */ (observe("asked")), NETWORK, ["requestBody"]);
  api.webRequest.onBeforeSendHeaders.addListener(
    /** @type {any} */ (observeReferer), /** @type {any} */ (TELLING), ["requestHeaders", "extraHeaders"],
  );
  api.webRequest.onBeforeRedirect.addListener(/** @type {any} */ (observe("redirected")), NETWORK);
  api.webRequest.onResponseStarted.addListener(/** @type {any} */ (observe("answered")), NETWORK);
  api.webRequest.onErrorOccurred.addListener(/** @type {any} */ (observe("failed")), NETWORK);
}

/**
 * The address of the top document that a request belongs to.
 * @param {Details} details
 * @returns {string} "" when it belongs to none
 */
function pageFor(details) {
  const ancestors = details.frameAncestors;
  const candidates = isFirefox
    ? [ancestors?.[ancestors.length - 1]?.url, details.documentUrl, details.originUrl]
    : [pageIn(details), details.initiator];
  // A window that was opened blank and written into has its opener's origin.
  const page = candidates.find((url) => hostOf(url) !== "") ?? "";
  return isFirefox ? movedTo(details.tabId, page) : page;
}

/**
 * Chromium: the page that a tab shows, unless the request is from the one
 * before it. That one knows where it leads to, and what it tells of the next
 * page must not count as the next page's doing.
 * @param {Details} details
 */
function pageIn({ tabId, frameId, initiator = "" }) {
  const page = pageOf(tabId);
  if (hostOf(initiator) === "" || hostOf(page) === "" || originOf(page) === initiator) return page;
  if (frameId > 0) return pageAround(tabId);
  return frameId === 0 ? initiator : page;
}

/** @param {Details} details */
function isOwn({ originUrl, documentUrl, initiator }) {
  const from = originUrl ?? documentUrl ?? initiator;
  return from !== undefined && `${from}/`.startsWith(ownRoot);
}

/**
 * Answers the browser, which waits for it. A promise that rejects would let the
 * request go, so none does.
 * @param {Details} details
 * @returns {Answer | Promise<Answer>}
 */
function hold(details) {
  if (isOwn(details)) return {};
  if (!isPrepared) return stayAwake(prepared.then(() => decide(details)).catch(() => failClosed(details)));
  try {
    const decision = decide(details);
    return decision instanceof Promise ? stayAwake(decision) : decision;
  } catch {
    return failClosed(details);
  }
}

/**
 * @param {Details} details
 * @returns {Answer | Promise<Answer>}
 */
function decide(details) {
  if (!state.engine && wantsEngine(details)) {
    const started = engineReady();
    // The document itself is never held back for the engine, only warms it up.
    if (details.type !== "main_frame") {
      return started.then(() => answer(details)).catch(() => failClosed(details));
    }
  }
  return answer(details);
}

/**
 * @param {Details} details
 * @returns {boolean} whether its page, or the page that it opens, may be protected
 */
function wantsEngine(details) {
  const page = details.type === "main_frame" ? details.url : pageFor(details);
  const host = hostOf(page);
  return host !== "" && state.sites?.modeOf(host) !== "off";
}

/**
 * @param {Details} details
 * @returns {Answer | Promise<Answer>}
 */
function answer(details) {
  if (details.type === "main_frame") {
    expectDocument(details.tabId, details);
    if (wantsEngine(details)) expectPhotos();
    return {};
  }
  const asked = ask(details);
  const alias = asked.judgement.reason === "unlisted" ? aliasIn(details.url, asked.page, details.proxyInfo) : "";
  if (alias === "") return settle(asked);
  return behind(alias)
    .then((name) => settle(name === "" ? asked : unmasked(asked, name)))
    .catch(() => failClosed(details));
}

/**
 * What is thought of a request when its host's real name is known: only what a
 * list says of that name counts, for sites keep much of their own with others.
 * @param {Asked} asked
 * @param {string} name
 * @returns {Asked}
 */
function unmasked(asked, name) {
  const url = Object.assign(new URL(asked.details.url), { hostname: name }).href;
  const { judgement } = ask({ ...asked.details, url });
  return judgement.reason === "listed" ? { ...asked, judgement } : asked;
}

/**
 * @param {Asked} asked
 * @returns {Answer}
 */
function settle(asked) {
  const { action, would } = asked.judgement;
  put(asked, action === "allow" && would !== "allow" ? "would" : action);
  if (action === "block") return { cancel: true };
  if (action === "relay") return { redirectUrl: PLACEHOLDER };
  return {};
}

/**
 * A request with what was thought of it.
 * @typedef {object} Asked
 * @property {Details} details
 * @property {string} page
 * @property {Judgement} judgement
 * @property {Uint8Array | string | undefined} body
 */

/**
 * @param {Details} details
 * @returns {Asked}
 */
function ask(details) {
  const page = pageFor(details);
  if (!state.sites) throw new Error("the sites are not known yet");
  const { url, type, method } = details;
  const body = bodyOf(details.requestBody);
  const judgement = judge({ url, type, page, method, body }, state.sites, state.engine);
  if (judgement.failure !== null) engineBroke(judgement.failure);
  return { details, page, judgement, body };
}

/**
 * What is left when even judging failed: documents go on, nothing else does.
 * @param {Details} details
 * @returns {Answer}
 */
function failClosed(details) {
  return { cancel: details.type !== "main_frame" };
}

/** @typedef {Details & {requestHeaders?: chrome.webRequest.HttpHeader[], responseHeaders?: chrome.webRequest.HttpHeader[]}} WithHeaders */

/**
 * Answers the browser about headers, as {@link hold} does about requests.
 * @param {(details: WithHeaders) => Answer} change
 * @returns {(details: WithHeaders) => Answer | Promise<Answer>}
 */
function holdHeaders(change) {
  const changed = (/** @type {WithHeaders} */ details) => {
    try {
      return change(details);
    } catch {
      return failClosed(details);
    }
  };
  return (details) => {
    // What we ask for ourselves may be what is waited for.
    if (isOwn(details)) return {};
    return isPrepared ? changed(details) : stayAwake(prepared.then(() => changed(details)));
  };
}

/**
 * @param {WithHeaders} details
 * @returns {Answer}
 */
function refererCut(details) {
  const page = pageFor(details);
  if (details.type === "main_frame" || !isGuarded(page)) return {};
  const requestHeaders = cutReferer(details.url, page, details.requestHeaders ?? []);
  return requestHeaders ? { requestHeaders } : {};
}

/**
 * @param {WithHeaders} details
 * @returns {Answer}
 */
function policyTightened(details) {
  // Whoever else answers on a page decides about what is his own.
  if (!isGuarded(details.url)) return {};
  const responseHeaders = tightenPolicy(details.responseHeaders ?? []);
  return responseHeaders ? { responseHeaders } : {};
}

/**
 * @param {string} page address
 * @returns {boolean} whether what it sends is to be stopped or cut
 */
function isGuarded(page) {
  const host = hostOf(page);
  const mode = host === "" ? "off" : (state.sites?.modeOf(host) ?? "unknown");
  return stops(mode) || mode === "unknown";
}

/**
 * Chromium: a page is asked for, or has given itself another address. See
 * {@link guardPage}.
 * @param {number} tabId
 * @param {string} url
 */
export async function guard(tabId, url) {
  await prepared;
  const host = hostOf(url);
  const { sites } = state;
  if (mayBlock || !sites || !stops(sites.modeOf(host))) return;
  const engine = await engineReady();
  // Last, for the tab may be closed meanwhile.
  const tab = await learningTab(tabId);
  if (!engine || tab === null) return;
  const isLeak = (/** @type {string} */ probe) => engine.decide(probe, url, "image", "protect", { leaks: true }).reason === "leak";
  // What the browser refuses here is stopped when it has been seen to leave.
  await guardPage(sites.domainOf(host), url, isLeak, tab).catch(() => {});
}

/**
 * Chromium: for which tabs the browser is told of what one of them shows or
 * sends.
 * @param {number} tabId -1 when it is none
 * @returns {Promise<number | null>} null: it may have been a private one, and is gone
 */
async function learningTab(tabId) {
  if (tabId < 0) return ALL_TABS;
  return isPrivate(tabId).then((yes) => (yes ? tabId : ALL_TABS), () => null);
}

/**
 * Chromium: what the browser was told of a private tab's pages is taken back.
 * @param {number} tabId of a tab that is closed
 */
export function forgetPagesOf(tabId) {
  for (const forgotten of [forgetLeaksOf(tabId), forgetReferersOf(tabId)]) void forgotten.catch(() => {});
}

/**
 * Chromium: what the browser was told of pages is taken back, but for those
 * that are still open.
 */
export async function forgetPages() {
  if (isFirefox) return;
  await Promise.all([forgetLeaks(), forgetReferers()]);
  await Promise.all(openPages().filter(({ url }) => hostOf(url) !== "").map(({ tabId, url }) => guard(tabId, url)));
}

/**
 * Chromium: see {@link noteReferer}.
 * @param {WithHeaders} details
 */
async function observeReferer(details) {
  await prepared;
  // What the browser refuses here costs a Referer, no more.
  if (isOwn(details) || !state.sites) return;
  const page = pageFor(details);
  const tab = await learningTab(tabOf(details, page));
  if (tab !== null && state.sites) await noteReferer(page, details.requestHeaders, state.sites, tab).catch(() => {});
}

/**
 * The tab of a request's page.
 * @param {Details} details
 * @param {string} page
 * @returns {number} -1 when none shows it
 */
function tabOf({ tabId }, page) {
  const site = hostOf(page);
  return tabId >= 0 ? tabId : tabWith((open) => hostOf(open) === site);
}

/**
 * Writes down what became of a request of a protected page.
 * @param {Asked} asked
 * @param {import("./record.js").Outcome} outcome
 */
function put({ details, page, judgement, body }, outcome) {
  if (judgement.reason === "off") return;
  if (outcome === "relay") onPlaceholder(details);
  const { url, type, method, timeStamp: time } = details;
  const host = hostOf(url);
  if (host === "") return;
  const tabId = tabOf(details, page);
  if (tabId < 0) return;
  const { rule, reason, isPhoto, told } = judgement;
  note(tabId, { outcome, host, url, type, rule, reason, isPhoto, told });
  noteRequest(tabId, { url, type, method, page, time, outcome, reason, rule, told, body, referer: "" });
}

/** @typedef {"asked" | "redirected" | "answered" | "failed"} Stage */

/**
 * Requests that the browser should stop by its rules, until it is seen whether
 * it did.
 * @type {Map<string, Asked>}
 */
const awaited = new Map();
const MAX_AWAITED = 2000;

/**
 * Stages that wait for the state or the engine, in their order.
 * @type {{stage: Stage, details: Outcomes}[]}
 */
const queue = [];
const MAX_QUEUE = 5000;

/** @typedef {Details & {error?: string, redirectUrl?: string}} Outcomes */

/**
 * @param {Stage} stage
 * @returns {(details: Outcomes) => void}
 */
function observe(stage) {
  return (details) => {
    if (details.type === "main_frame") {
      if (stage === "asked") {
        expectDocument(details.tabId, details);
        void guard(details.tabId, details.url);
      }
      return;
    }
    if (isPrepared && queue.length === 0 && !(stage === "asked" && lacksEngine(details))) {
      follow(stage, details);
    } else if (queue.length < MAX_QUEUE) {
      queue.push({ stage, details });
      if (queue.length === 1) void drain();
    }
  };
}

/**
 * @param {Details} details
 * @returns {boolean} whether the engine must be started to say something about it
 */
function lacksEngine(details) {
  return !mayBlock && !state.engine && wantsEngine(details) && !isOwn(details);
}

async function drain() {
  await prepared;
  if (queue.some(({ stage, details }) => stage === "asked" && lacksEngine(details))) await engineReady();
  for (const { stage, details } of queue.splice(0)) follow(stage, details);
}

/**
 * @param {Stage} stage
 * @param {Outcomes} details
 */
function follow(stage, details) {
  if (mayBlock) return;
  if (stage === "asked") {
    if (!wantsEngine(details) || isOwn(details)) return;
    const asked = ask(details);
    const { judgement, page } = asked;
    // Without the engine there is nothing to compare the browser's doings with.
    if (judgement.reason === "failed") return;
    const domain = state.sites?.domainOf(hostOf(page)) ?? "";
    if (judgement.action !== "allow") {
      // It may be on its way already, but the next one will not get there.
      if (judgement.reason === "leak") void learn(domain, asked).catch(() => {});
      expect(asked);
    } else if (judgement.would !== "allow") {
      put(asked, "would");
    } else if (judgement.reason === "unlisted" && isLeakStopped(domain, details.url, frameOf(details, page), tabOf(details, page))) {
      expect({ ...asked, judgement: { ...judgement, reason: "leak" } });
    } else {
      put(asked, "allow");
    }
    return;
  }
  const request = awaited.get(details.requestId);
  if (!request) return;
  awaited.delete(details.requestId);
  const stopped =
    (stage === "failed" && details.error === "net::ERR_BLOCKED_BY_CLIENT") ||
    (stage === "redirected" && /^(chrome-extension|data):/.test(details.redirectUrl ?? ""));
  if (stopped) put(request, stage === "failed" ? "block" : "relay");
  else if (request.judgement.action === "allow") put({ ...request, judgement: { ...request.judgement, reason: "unlisted" } }, "allow");
  else put(request, "missed");
}

/**
 * Chromium: see {@link stopLeak}.
 * @param {string} domain of the page
 * @param {Asked} asked
 */
async function learn(domain, { details, page }) {
  const tab = await learningTab(tabOf(details, page));
  if (tab !== null) await stopLeak(domain, details.url, frameOf(details, page), tab);
}

/**
 * Chromium: whose document a request comes from, see {@link stopLeak}.
 * @param {Details} details
 * @param {string} page
 * @returns {string} "" when it is the page, or of its site; "null" when it has no name
 */
function frameOf({ initiator = "null", frameId }, page) {
  if (frameId === 0) return "";
  const host = hostOf(initiator);
  if (host === "") return "null";
  return registrable(host) === registrable(hostOf(page)) ? "" : host;
}

/** @param {Asked} asked */
function expect({ details, page, judgement, body }) {
  // What it carries is not kept any longer, unless it told something.
  const told = judgement.told.some(({ place }) => place === "body") ? body : undefined;
  if (awaited.size < MAX_AWAITED) awaited.set(details.requestId, { details: { ...details, requestBody: null }, page, judgement, body: told });
}
