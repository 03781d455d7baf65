/** The section about the list: who signed and saw it, how old it is, and what went wrong. */

import { errorText } from "../background/api.js";
import { lock, onSettings } from "./options-page.js";
import { ask, byId, put } from "./page.js";
import { ago, day, moment, say, sayCount } from "./words.js";

/** @typedef {import("../background/lists-state.js").ListsState} ListsState */

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

const updateButton = /** @type {HTMLButtonElement} */ (byId("update"));

/** Last shown, so that nothing is rewritten, or read aloud, without need. */
let shown = "";
/** A problem of the last thing that was asked for here. */
let failure = "";

export async function showLists() {
  try {
    show(await ask({ type: "lists" }));
  } catch (error) {
    trouble(say("askFailed"), errorText(error));
  }
}

/** @param {ListsState} state */
function show(state) {
  // Ages are in minutes.
  const text = JSON.stringify([state, failure, Math.floor(Date.now() / MINUTE_MS)]);
  if (text === shown) return;
  shown = text;
  renderStatus(state);
  renderError(state);
  byId("lists-facts").replaceChildren(...facts(state).flatMap(fact));
  updateButton.hidden = state.server === "";
}

/** @param {ListsState} state */
function renderStatus({ list }) {
  const release = list?.release;
  const status = byId("lists-status");
  const isStale = release ? Date.parse(release.expires) < Date.now() : false;
  status.dataset.tone = list ? (isStale ? "care" : "good") : "bad";
  if (!list) put(byId("lists-name"), say("listUnread"));
  else put(byId("lists-name"), release ? say("listsRelease", String(release.index)) : say("listPackaged"));
  put(byId("lists-age"), release ? say(isStale ? "listStale" : "listsFresh", day(release.expires)) : "");
}

/** @param {string} time RFC 3339 */
function issued(time) {
  const isAhead = Date.parse(time) > Date.now() + DAY_MS;
  return isAhead ? say("listsClock", day(time)) : say("listsIssued", day(time), ago(Date.parse(time)));
}

/** @param {ListsState} state */
function renderError({ updates: { error }, problem }) {
  let words = "";
  let detail = "";
  if (failure) {
    words = say("askFailed");
    detail = failure;
  } else if (error) {
    words = `${say(`update_${error.code}`)} ${say("updateKept")}`;
    detail = error.detail;
  } else if (problem) {
    words = say("listDamaged", problem);
  }
  trouble(words, detail);
}

/**
 * @param {string} words hide all when empty
 * @param {string} detail
 */
function trouble(words, detail) {
  byId("lists-error").hidden = words === "";
  put(byId("lists-error-words"), words);
  put(byId("lists-error-detail"), detail);
}

/**
 * @param {ListsState} state
 * @returns {[string, string | string[]][]} what it is, and one or several texts about it
 */
function facts({ list, server, trust, updates }) {
  /** @type {[string, string | string[]][]} */
  const all = [];
  const release = list?.release;
  if (list) {
    const { hosts, rules } = list.counts;
    all.push(["factContent", [sayCount("sites", list.sites), sayCount("hosts", hosts), sayCount("rules", rules)].join(" ")]);
  }
  if (release) {
    all.push(["factIssued", issued(release.issued)], ["factSigners", release.signers]);
  }
  if (trust) {
    all.push(["factTrust", say("factTrustNeeds", String(trust.threshold), trust.maintainers.join(", "))]);
    all.push(["factWitnesses", witnesses(trust, release?.witnesses ?? [])]);
  }
  all.push(["factServer", server || say("listNoServer")]);
  if (server) {
    const checked = updates.checked > 0 ? ago(updates.checked) : say("never");
    all.push(["factChecked", updates.error ? [checked, say("updateTried", ago(updates.tried))] : checked]);
    if (updates.due > 0) all.push(["factDue", ago(updates.due)]);
  }
  return all;
}

/**
 * @param {import("../background/desk.js").Trust} trust
 * @param {import("../background/desk.js").Witness[]} seen
 * @returns {string | string[]}
 */
function witnesses(trust, seen) {
  if (!trust.witnessed && seen.length === 0) return say("noWitness");
  if (seen.length > 0) return seen.map(({ name, time }) => say("witnessed", name, moment(time)));
  return say("witnessesWanted", trust.witnesses.join(", "));
}

/** @param {[string, string | string[]]} fact */
function fact([key, text]) {
  const name = document.createElement("dt");
  name.textContent = say(key);
  const about = document.createElement("dd");
  about.dataset.fact = key;
  if (typeof text === "string") about.textContent = text;
  else {
    const items = document.createElement("ul");
    items.append(
      ...text.map((line) => {
        const item = document.createElement("li");
        item.textContent = line;
        return item;
      }),
    );
    about.append(items);
  }
  return [name, about];
}

updateButton.addEventListener("click", async () => {
  updateButton.disabled = true;
  try {
    failure = "";
    await ask({ type: "update" });
  } catch (error) {
    failure = errorText(error);
  }
  updateButton.disabled = false;
  await showLists();
});

onSettings(({ locked }) => lock("lists", locked.includes("lists")));
