/** Answers the popup and the content script; believes neither what it need not. */

import { KEEPS, keepFor, keptFor } from "./album.js";
import { api, errorText, ownRoot } from "./api.js";
import { consent } from "./consent.js";
import { defaults, isDemo } from "./defaults.js";
import { Desk } from "./desk.js";
import { hostOf, registrable } from "./domains.js";
import { registerContent } from "./injection.js";
import { photo, relaysInForce } from "./photos.js";
import { isPredictionOff } from "./prediction.js";
import { byRecipient } from "./recipients.js";
import { recordOf } from "./record.js";
import { holdsRequests } from "./requests.js";
import { rulesProblem, writeRules } from "./rules.js";
import { isHost, isSite, MODES, stops } from "./sites.js";
import { bundle, engineReady, ready, reread, state } from "./state.js";
import { poll, pollDue, remembered, updateState } from "./updates.js";

/** @typedef {Awaited<ReturnType<typeof tabState>>} TabState what the popup shows */
/** @typedef {Awaited<ReturnType<typeof listsState>>} ListsState what the options show of lists */

/**
 * @param {unknown} message
 * @param {chrome.runtime.MessageSender} sender
 * @param {(answer: unknown) => void} answer
 * @returns {boolean} whether an answer comes later
 */
export function onMessage(message, sender, answer) {
  const answering = sender.id === api.runtime.id && handle(message, sender);
  if (!answering) return false;
  answering.then(answer, (error) => answer({ error: errorText(error) }));
  return true;
}

/**
 * @param {any} message
 * @param {chrome.runtime.MessageSender} sender
 * @returns {Promise<unknown> | null} null: not a message that this sender may send
 */
function handle(message, sender) {
  const fromOwnPage = sender.url?.startsWith(`${ownRoot}ui/`) ?? false;
  switch (message?.type) {
    case "photo":
      if (fromOwnPage || !sender.tab?.id || typeof message.url !== "string") return null;
      return photo(message.url, sender.tab);
    case "state":
      return fromOwnPage && Number.isInteger(message.tabId) ? tabState(message.tabId) : null;
    case "mode":
      return fromOwnPage && MODES.includes(message.mode) ? choose(message.site, message.mode) : null;
    case "allow":
      return fromOwnPage && typeof message.allow === "boolean" ? allow(message.site, message.host, message.allow) : null;
    case "keep":
      return fromOwnPage && KEEPS.includes(message.keep) ? keepFor(message.keep).then(() => ({})) : null;
    case "lists":
      return fromOwnPage ? listsState() : null;
    case "update":
      return fromOwnPage ? poll() : null;
    default:
      return null;
  }
}

/**
 * @param {unknown} site
 * @param {import("./sites.js").Mode} mode
 * @returns {Promise<{}>} rejects with what did not work
 */
async function choose(site, mode) {
  const sites = await ready();
  if (!sites.known) throw new Error(state.settingsError || state.listError);
  if (!isSite(site, sites)) throw new Error("not a site");
  await keep(sites.choose(site, mode));
  return {};
}

/**
 * @param {unknown} site
 * @param {unknown} host
 * @param {boolean} allowed
 * @returns {Promise<{}>} rejects with what did not work
 */
async function allow(site, host, allowed) {
  const sites = await ready();
  if (!sites.known) throw new Error(state.settingsError || state.listError);
  if (typeof site !== "string" || sites.domainOf(site) !== site || site === "") throw new Error("not a protected site");
  if (!isHost(host)) throw new Error("not a host");
  await keep(sites.allow(site, host, allowed));
  return {};
}

/** @param {import("./sites.js").Choices} choices */
async function keep(choices) {
  await api.storage.local.set(choices);
  await reread();
  await applyScope();
}

/**
 * Brings everything in the browser that depends on lists and modes up to date.
 * @param {boolean} [distrust] see {@link writeRules}
 */
export async function applyScope(distrust = false) {
  const sites = await ready();
  // What could not be read must not be written down as if nothing were protected.
  if (!sites.known || !state.list) return;
  const scope = sites.scope();
  // Neither waits for the other, nor fails with it: what stops requests must
  // not depend on what puts photos back.
  const outcomes = await Promise.allSettled([
    writeRules({ list: state.list.sha256, bundle, scope }, distrust),
    registerContent(scope),
  ]);
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

/** @param {number} tabId */
async function tabState(tabId) {
  const [sites, settings, relays, answer, kept, updates, predictionOff, access, tab] = await Promise.all([
    ready(),
    defaults(),
    relaysInForce(),
    consent(),
    keptFor(),
    updateState(),
    isPredictionOff(),
    api.permissions.contains({ origins: ["<all_urls>"] }),
    api.tabs.get(tabId),
  ]);
  const host = hostOf(tab.url);
  const domain = host && sites.domainOf(host);
  const mode = host === "" ? null : sites.modeOf(host);
  if (mode !== null && (stops(mode) || mode === "watch")) await engineReady();
  const record = recordOf(tabId);
  const list = state.list;
  const rules = await rulesProblem(list?.sha256 ?? "", sites.scope());
  return {
    site: host && (domain || registrable(host)),
    listed: sites.isListed(domain),
    name: list?.sites.find((site) => site.domain === domain)?.name ?? "",
    mode,
    allowed: [...sites.allowedOn(domain)],
    // A page that was opened before it was protected may have told everything already.
    stale: mode !== null && mode !== "off" && record?.mode !== mode,
    record: record ?? null,
    recipients: record ? byRecipient(record.hosts, list?.recipients ?? []) : [],
    holds: holdsRequests(),
    problems: {
      access: !access,
      settings: state.settingsError,
      engine: state.engineError,
      list: state.listError,
      rules: rules.state,
      rulesDetail: rules.error,
      unsaid: rules.unsaid,
      prediction: !predictionOff,
    },
    list: list && { sha256: list.sha256, counts: list.counts, release: list.release },
    updates: { server: settings.listServer !== "", checked: updates.checked, tried: updates.tried, error: updates.error },
    photos: { relays: relays.relays.map(({ name }) => name), isOwn: relays.isOwn, consent: answer, kept },
    demo: isDemo(settings),
  };
}

async function listsState() {
  const [, settings, updates, due] = await Promise.all([ready(), defaults(), updateState(), pollDue()]);
  const list = state.list;
  return {
    list: list && { sites: list.sites.length, counts: list.counts, release: list.release },
    server: settings.listServer,
    trust: settings.listServer === "" ? null : await trusted(settings),
    updates: { checked: updates.checked, tried: updates.tried, error: updates.error, due },
    problem: state.listError,
    demo: isDemo(settings),
  };
}

/** Whom a trust names, and what it was asked with: the desk is large. @type {{of: string, trust: Promise<import("./desk.js").Trust | null>} | undefined} */
let named;

/** @param {import("./defaults.js").Defaults} settings */
async function trusted(settings) {
  const client = await remembered(settings);
  const of = JSON.stringify([settings.trust, client]);
  // One that cannot be read has an error at every poll.
  if (named?.of !== of) named = { of, trust: Desk.use((desk) => desk.trust(settings.trust, client)).catch(() => null) };
  return named.trust;
}
