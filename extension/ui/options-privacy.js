/** The section that says all that is kept on this computer, and whom the extension talks to. */

import { act, onSettings } from "./options-page.js";
import { ask, byId } from "./page.js";
import { say } from "./words.js";

/** @typedef {import("./options-page.js").Settings} Settings */

onSettings((settings) => {
  byId("privacy-contacts").replaceChildren(...contacts(settings).flatMap(fact));
});

/**
 * @param {Settings} settings
 * @returns {[string, string, string][]} who, where, and what they learn
 */
function contacts({ lists, relays, consent }) {
  /** @type {[string, string, string][]} */
  const all = [];
  if (lists.server) all.push([say("factServer"), lists.server, say("privacyListServer")]);
  for (const { name, url } of relays) {
    all.push([say("privacyRelay", name), url, consent === "granted" ? say("photosWhoRelay") : say("privacyRelayNotYet")]);
  }
  if (all.length === 0) all.push([say("privacyNobodyTitle"), "", say("privacyNobody")]);
  return all;
}

/** @param {[string, string, string]} fact */
function fact([name, value, means]) {
  const term = document.createElement("dt");
  term.textContent = name;
  const about = document.createElement("dd");
  for (const text of [value, means].filter((line) => line !== "")) {
    const line = document.createElement("p");
    line.textContent = text;
    about.append(line);
  }
  return [term, about];
}

byId("privacy-forget").addEventListener("click", () => {
  void act(() => ask({ type: "forget" }), say("privacyForgotten"));
});
