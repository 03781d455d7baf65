/** Answers the extension's own pages and its content script; believes neither what it need not. */

import { KEEPS, forgetAlbum, keepFor } from "./album.js";
import { api, errorText, ownRoot } from "./api.js";
import { backup, restore } from "./backup.js";
import { allow, choose, chooseScope, forgetSite } from "./choices.js";
import { listsState } from "./lists-state.js";
import { MENDABLE, mend } from "./mend.js";
import { setOwnRelay } from "./own-relay.js";
import { lintRules } from "./own-rules.js";
import { bringTo } from "./photos.js";
import { forgetRecords } from "./record.js";
import { forgetPages, prepared } from "./requests.js";
import { setRules, settings } from "./settings.js";
import { MODES, SCOPES } from "./sites.js";
import { decider } from "./state.js";
import { tabState } from "./tab-state.js";
import { poll } from "./updates.js";
import { allVisits, forgetVisits, visitOf } from "./visits.js";

/**
 * What the extension's own pages may ask, by the type of the message. Null: not
 * a message that makes sense.
 * @type {Record<string, (message: any) => Promise<unknown> | null>}
 */
const ANSWERS = {
  state: ({ tabId }) => (Number.isInteger(tabId) || tabId === null ? tabState(tabId) : null),
  mode: ({ site, mode }) => (MODES.includes(mode) ? choose(site, mode) : null),
  allow: ({ site, host, allow: allowed }) => (typeof allowed === "boolean" ? allow(site, host, allowed) : null),
  keep: ({ keep }) => (KEEPS.includes(keep) ? keepFor(keep).then(() => ({})) : null),
  mend: ({ what }) => (MENDABLE.includes(what) ? mend(what) : null),
  settings: () => settings(),
  scope: ({ scope }) => (SCOPES.includes(scope) ? chooseScope(scope) : null),
  forgetSite: ({ site }) => forgetSite(site),
  ownRelay: ({ relay }) => (relay === undefined ? null : setOwnRelay(relay)),
  lintRules: ({ text }) => (typeof text === "string" ? lintRules(text) : null),
  rules: ({ text }) => (typeof text === "string" ? setRules(text) : null),
  backup: () => backup(),
  restore: ({ text }) => restore(text),
  lists: () => listsState(),
  update: () => poll(),
  visit: ({ tabId, from }) => (Number.isInteger(tabId) && Number.isInteger(from) ? prepared.then(() => visitOf(tabId, from)) : null),
  visits: () => prepared.then(allVisits),
  forget: () => prepared.then(forget),
  bundle: () => decider().then((list) => list.bundle()).then((bytes) => bytes.buffer),
};

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
  const type = message?.type;
  if (sender.url?.startsWith(`${ownRoot}ui/`)) return Object.hasOwn(ANSWERS, type) ? (ANSWERS[type]?.(message) ?? null) : null;
  if (!sender.tab?.id) return null;
  return type === "explain" ? explain(sender.tab) : null;
}

/** @param {chrome.runtime.Port} port on which a page's content script asks for photos */
export function onConnect(port) {
  const { sender } = port;
  if (port.name === "photos" && sender?.id === api.runtime.id && sender.tab) bringTo(port, sender.tab);
  else port.disconnect();
}

/**
 * Somebody clicked on what stands in for a photo: the popup says why. A browser
 * may refuse to open it; then the page is as it was.
 * @param {chrome.tabs.Tab} tab
 */
async function explain({ active, windowId }) {
  // The popup is about the tab that is in front.
  if (active) await api.action.openPopup({ windowId }).catch(() => {});
  return {};
}

/** Everything about whoever used the browser before is gone: visits, counts, badges, photos, and what the browser was told of their pages. */
async function forget() {
  forgetVisits();
  forgetRecords();
  await Promise.all([forgetAlbum(), forgetPages()]);
  return {};
}
