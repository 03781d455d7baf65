/** Puts content/photos.js into protected pages, and into no other. */

import { api } from "./api.js";
import { hostOf } from "./domains.js";
import { stops } from "./sites.js";

const ID = "photos";
const FILES = ["content/photos.js"];

/** Registrations follow one another: two at once would both find none. @type {Promise<unknown>} */
let last = Promise.resolve();

/**
 * Registers the content script for the pages on which something is stopped. The
 * browser keeps the registration over its runs.
 * @param {import("./sites.js").Protected} scope
 */
export function registerContent(scope) {
  const registering = last.then(() => register(scope));
  last = registering.catch(() => {});
  return registering;
}

/** @param {import("./sites.js").Protected} scope */
async function register({ everywhere, sites }) {
  const isEverywhere = stops(everywhere);
  const matches = isEverywhere ? ["*://*/*"] : sites.filter(({ mode }) => stops(mode)).flatMap(patterns);
  const excludeMatches = isEverywhere ? sites.filter(({ mode }) => !stops(mode)).flatMap(patterns) : [];
  const [registered] = await api.scripting.getRegisteredContentScripts({ ids: [ID] });
  if (registered && sameSet(registered.matches ?? [], matches) && sameSet(registered.excludeMatches ?? [], excludeMatches)) return;
  if (registered) await api.scripting.unregisterContentScripts({ ids: [ID] });
  if (matches.length === 0) return;
  await api.scripting.registerContentScripts([
    {
      id: ID,
      js: FILES,
      matches,
      ...(excludeMatches.length > 0 ? { excludeMatches } : {}),
      allFrames: true,
      matchOriginAsFallback: true,
      runAt: "document_start",
      persistAcrossSessions: true,
    },
  ]);
}

/** @param {import("./sites.js").Site} site */
function patterns({ domain }) {
  return domain.includes(".") ? [`*://${domain}/*`, `*://*.${domain}/*`] : [`*://${domain}/*`];
}

/**
 * @param {string[]} some
 * @param {string[]} others
 */
function sameSet(some, others) {
  const set = new Set(some);
  return set.size === new Set(others).size && others.every((entry) => set.has(entry));
}

/**
 * Tabs that were open before this extension was installed have no content
 * script yet.
 * @param {import("./sites.js").Sites} sites
 */
export async function injectIntoOpenTabs(sites) {
  const tabs = await api.tabs.query({});
  await Promise.allSettled(
    tabs
      .filter((tab) => stops(sites.modeOf(hostOf(tab.url))))
      .map((tab) => api.scripting.executeScript({ target: { tabId: tab.id ?? -1, allFrames: true }, files: FILES })),
  );
}

/**
 * A frame of another site inside a protected page can show photos too, but its
 * address matches no registration.
 * @param {number} tabId
 * @param {number} frameId
 */
export async function injectIntoFrame(tabId, frameId) {
  await api.scripting.executeScript({
    target: { tabId, frameIds: [frameId] },
    files: FILES,
    injectImmediately: true,
  });
}
