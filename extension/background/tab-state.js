/** How it stands with the page of a tab: what the popup shows. */

import { keptFor } from "./album.js";
import { api } from "./api.js";
import { consent } from "./consent.js";
import { defaults, isDemo } from "./defaults.js";
import { hostOf, registrable } from "./domains.js";
import { managed } from "./managed.js";
import { relaysInForce } from "./photos.js";
import { isPredictionOff } from "./prediction.js";
import { byRecipient } from "./recipients.js";
import { recordOf } from "./record.js";
import { holdsRequests } from "./requests.js";
import { isRestricted } from "./restricted.js";
import { rulesProblem } from "./rules.js";
import { stops } from "./sites.js";
import { decider, engineReady, ready, state } from "./state.js";
import { updateState } from "./updates.js";
import { carriersSeen } from "./visits.js";

/** @typedef {Awaited<ReturnType<typeof tabState>>} TabState */

/** @param {number} tabId */
export async function tabState(tabId) {
  const [sites, settings, relays, answer, kept, updates, predictionOff, access, inPrivate, { locked }, tab] = await Promise.all([
    ready(),
    defaults(),
    relaysInForce(),
    consent(),
    keptFor(),
    updateState(),
    isPredictionOff(),
    api.permissions.contains({ origins: ["<all_urls>"] }),
    api.extension.isAllowedIncognitoAccess(),
    managed(),
    api.tabs.get(tabId),
  ]);
  const host = hostOf(tab.url);
  const domain = host && sites.domainOf(host);
  const mode = host === "" ? null : sites.modeOf(host);
  if (mode !== null && (stops(mode) || mode === "watch")) await engineReady();
  const record = recordOf(tabId);
  const list = state.list;
  const rules = await rulesProblem((await decider()).sha256, sites.scope());
  return {
    site: host && (domain || registrable(host)),
    listed: sites.isListed(domain),
    name: list?.sites.find((site) => site.domain === domain)?.name ?? "",
    mode,
    locked: locked.includes("modes"),
    restricted: isRestricted(tab.url ?? ""),
    allowed: [...sites.allowedOn(domain)],
    // A page that was opened before it was protected may have told everything already.
    stale: mode !== null && mode !== "off" && record?.mode !== mode,
    record: record ?? null,
    recipients: record ? byRecipient(record.hosts, list?.recipients ?? [], record.domain) : [],
    carriers: record ? carriersSeen(tabId) : [],
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
      private: !inPrivate,
    },
    list: list && { sha256: list.sha256, counts: list.counts, release: list.release },
    updates: { server: settings.listServer !== "", checked: updates.checked, tried: updates.tried, error: updates.error },
    photos: { relays: relays.relays.map(({ name }) => name), isOwn: relays.isOwn, consent: answer, kept },
    demo: isDemo(settings),
  };
}
