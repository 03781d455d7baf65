/** The section that says all that is kept on this computer, and whom the extension talks to. */

import { isFirefox } from "../background/api.js";
import { STORED } from "../background/stored.js";
import { act, onSettings } from "./options-page.js";
import { ask, byId } from "./page.js";
import { say } from "./words.js";

/** @typedef {import("./options-page.js").Settings} Settings */

onSettings((settings) => {
  byId("privacy-contacts").replaceChildren(...contacts(settings).flatMap(fact));
});

/**
 * @param {Settings} settings
 * @returns {[string, ...string[]][]} who, where, and what they learn
 */
function contacts({ lists, relays, consent }) {
  /** @type {[string, ...string[]][]} */
  const all = [];
  if (lists.server) all.push([say("factServer"), lists.server, say("privacyListServer")]);
  for (const { name, url } of relays) {
    all.push([say("privacyRelay", name), url, consent === "granted" ? say("photosWhoRelay") : say("privacyRelayNotYet")]);
  }
  if (all.length === 0) all.push([say("privacyNobodyTitle"), say("privacyNobody")]);
  if (isFirefox) all.push([say("privacyNames"), say("privacyNamesLead")]);
  return all;
}

/** All that is kept, each once: several keys may hold one thing. @returns {[string, ...string[]][]} */
function kept() {
  const on = (/** @type {boolean} */ isDisk) =>
    new Set(STORED.filter(({ area }) => (area !== "session") === isDisk).map(({ message }) => say(message)));
  return [
    [say("privacyOnDisk"), ...on(true)],
    [say("privacyInMemory"), ...on(false)],
  ];
}

/** @param {[string, ...string[]]} fact what it is, and what is said of it */
function fact([name, ...about]) {
  const term = document.createElement("dt");
  term.textContent = name;
  const list = document.createElement("ul");
  list.append(
    ...about.map((text) => {
      const line = document.createElement("li");
      line.textContent = text;
      return line;
    }),
  );
  const said = document.createElement("dd");
  said.append(list);
  return [term, said];
}

byId("privacy-stored").append(...kept().flatMap(fact));

byId("privacy-forget").addEventListener("click", () => {
  void act(() => ask({ type: "forget" }), say("privacyForgotten"));
});
