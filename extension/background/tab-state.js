/** How it stands with the page of a tab: what the popup shows. */

import { keptFor } from "./album.js";
import { api, errorText, inTime } from "./api.js";
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
import { isAllowed, stops } from "./sites.js";
import { decider, engineReady, ready, state } from "./state.js";
import { updateState } from "./updates.js";
import { carriersSeen } from "./visits.js";

/** @typedef {Awaited<ReturnType<typeof tabState>>} TabState */

/** @param {number | null} asked the tab; null: the one in front */
export async function tabState(asked) {
  const sites = await ready();
  // All at once: the browser is busy opening what shows this.
  const [settings, relays, answer, kept, updates, predictionOff, access, inPrivate, { locked }, tab, rules] = await Promise.all([
    defaults(),
    // What cannot be read is no reason to say nothing: the settings' problem is said.
    inTime(relaysInForce()).catch(() => ({ relays: [], isOwn: false })),
    inTime(consent()).catch(() => /** @type {const} */ ("unasked")),
    inTime(keptFor()).catch(() => /** @type {const} */ ("tab")),
    inTime(updateState()).catch(() => ({ checked: 0, tried: 0, error: null })),
    isPredictionOff(),
    api.permissions.contains({ origins: ["<all_urls>"] }),
    api.extension.isAllowedIncognitoAccess(),
    managed(),
    asked === null ? frontTab() : api.tabs.get(asked),
    inTime(decider().then(({ sha256 }) => rulesProblem(sha256, sites.scope())))
      .catch((error) => ({ state: /** @type {const} */ ("failed"), error: errorText(error), unsaid: 0 })),
  ]);
  const { id: tabId = -1 } = tab;
  const host = hostOf(tab.url);
  const domain = host && sites.domainOf(host);
  const mode = host === "" ? null : sites.modeOf(host);
  const isStopping = mode !== null && stops(mode);
  if (isStopping || mode === "watch") await engineReady();
  const allowed = sites.allowedOn(domain);
  const record = recordOf(tabId);
  const list = state.list;
  const recipients = record ? byRecipient(record.hosts, list?.recipients ?? [], record.domain) : [];
  const mayAllow = (/** @type {string} */ host) => isStopping && !isAllowed(host, allowed);
  return {
    tabId,
    site: host && (domain || registrable(host)),
    listed: sites.isListed(domain),
    name: list?.sites.find((site) => site.domain === domain)?.name ?? "",
    mode,
    locked: locked.includes("modes"),
    restricted: isRestricted(tab.url ?? ""),
    allowed: [...allowed],
    // A page that was opened before it was protected may have told everything already.
    stale: mode !== null && mode !== "off" && record?.mode !== mode,
    record: record ?? null,
    recipients: recipients.map((recipient) => withChoices(recipient, mayAllow)),
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
      prediction: isStopping && !predictionOff,
      private: !inPrivate,
    },
    list: list && { sha256: list.sha256, counts: list.counts, release: list.release },
    updates: { server: settings.listServer !== "", checked: updates.checked, tried: updates.tried, error: updates.error },
    photos: { relays: relays.relays.map(({ name }) => name), isOwn: relays.isOwn, consent: answer, kept },
    demo: isDemo(settings),
  };
}

/** @returns {Promise<chrome.tabs.Tab>} the tab that a popup is opened over */
async function frontTab() {
  const [tab] = await api.tabs.query({ active: true, lastFocusedWindow: true });
  if (!tab) throw new Error("no tab is in front: close this and open it again over a tab");
  return tab;
}

/**
 * @param {import("./recipients.js").Recipient} recipient
 * @param {(host: string) => boolean} mayAllow whether the user could let a host through, if it is stopped
 */
function withChoices(recipient, mayAllow) {
  const { block, relay, missed } = recipient.counts;
  const hosts = recipient.hosts.map(({ host, reason }) => ({ host, reason, mayAllow: block + relay + missed > 0 && mayAllow(host) }));
  return { ...recipient, hosts };
}
