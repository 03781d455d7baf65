/**
 * The background: registers every listener before anything else happens, in one
 * go and without waiting, because a browser that wakes it delivers the waking
 * event only to listeners that exist by then.
 */

import "../vendor/wasm_exec.js";
import { forgetTab, onAlarm as onAlbumAlarm } from "./album.js";
import { api, isFirefox } from "./api.js";
import { watchCarriers } from "./carriers.js";
import { bringUpToDate } from "./choices.js";
import { hostOf } from "./domains.js";
import { injectIntoFrame, injectIntoOpenTabs } from "./injection.js";
import { forgetManaged } from "./managed.js";
import { onConnect, onMessage } from "./messages.js";
import { followPages, pageOf } from "./pages.js";
import { forgetTerms } from "./photos.js";
import { beginRecord, endRecord, recordOf } from "./record.js";
import { forgetPagesOf, guard, prepared, watchRequests } from "./requests.js";
import { stops } from "./sites.js";
import { bringUpAgain, ready, state } from "./state.js";
import { onAlarm, schedulePolls } from "./updates.js";
import { welcome } from "./welcome.js";
import { beginPage, endVisit, movePage } from "./visits.js";

watchRequests();
watchCarriers();

// Browsers write down how long each thing took that was asked for here, 250 of them. Nobody reads it.
performance.setResourceTimingBufferSize(0);

followPages(begin, moved, end);

/** @param {number} tabId of a tab that was closed */
async function end(tabId) {
  endVisit(tabId);
  forgetTab(tabId);
  // Else what an earlier wake recorded of it would come back.
  await prepared;
  endRecord(tabId);
  forgetPagesOf(tabId);
}

/**
 * @param {number} tabId
 * @param {string} url of its new document
 */
async function begin(tabId, url) {
  // At once, if it can be: the page's first requests are close behind.
  const page = protectionOf(url, state.sites ?? (await ready()));
  beginRecord(tabId, page.domain, page.mode);
  beginPage(tabId, page);
}

/**
 * @param {number} tabId
 * @param {string} url that its document has given itself
 */
async function moved(tabId, url) {
  void guard(tabId, url);
  movePage(tabId, protectionOf(url, state.sites ?? (await ready())));
}

/**
 * @param {string} url of a page
 * @param {import("./sites.js").Sites} sites
 */
function protectionOf(url, sites) {
  const host = hostOf(url);
  const mode = host === "" ? "off" : sites.modeOf(host);
  const domain = mode === "off" ? "" : sites.domainOf(host) || host;
  return { url, domain, mode, allow: sites.allowedOn(domain) };
}

api.webNavigation.onCommitted.addListener(async ({ tabId, frameId, url }) => {
  if (frameId === 0) return;
  const sites = await ready();
  const host = hostOf(url);
  if (host === "" || !stops(sites.modeOf(hostOf(pageOf(tabId)))) || stops(sites.modeOf(host))) return;
  // A frame can be gone before its script is there.
  await injectIntoFrame(tabId, frameId).catch(() => {});
});

api.runtime.onMessage.addListener(onMessage);
api.runtime.onConnect.addListener(onConnect);
api.permissions.onAdded.addListener(forgetTerms);
api.permissions.onRemoved.addListener(forgetTerms);
api.storage.onChanged.addListener(async (_, area) => {
  if (area !== "session") forgetTerms();
  if (area !== "managed") return;
  forgetManaged();
  await bringUpAgain();
  await start(false);
});
api.alarms.onAlarm.addListener(onAlarm);
api.alarms.onAlarm.addListener(onAlbumAlarm);

api.runtime.onInstalled.addListener(async (details) => {
  void welcome(details);
  await start(true);
  await injectIntoOpenTabs(await ready());
});
api.runtime.onStartup.addListener(async () => {
  await start(true);
  // Chromium's rules protect pages that come up with the browser from the first
  // request on, even where nobody is awake to see it. Firefox, where it remembers
  // that we listen, tells of them; where it does not, they went unprotected.
  if (isFirefox) return;
  for (const tab of await api.tabs.query({})) {
    if (tab.id !== undefined && tab.url && !recordOf(tab.id)) await begin(tab.id, tab.url);
  }
});

void start(false);

/**
 * What every wake sees to; cheap when nothing has changed.
 * @param {boolean} distrust whether the browser may have lost what it was told
 */
async function start(distrust) {
  await ready();
  // Each says itself what went wrong where the popup finds it.
  await Promise.allSettled([bringUpToDate(distrust), schedulePolls()]);
}
