/** The section about protected sites: those of the list, and those that the user added. */

import { hostOf, isSuffix, readSuffixes, registrable } from "../background/domains.js";
import { MODES } from "../background/sites.js";
import { act, lock, onSettings } from "./options-page.js";
import { ask, byId, put } from "./page.js";
import { say, sayCount } from "./words.js";

/** @typedef {import("./options-page.js").Settings} Settings */
/** @typedef {Settings["sites"][number]} Site */

/** So many of the list's are shown without being asked for. */
const FEW = 12;

/** Modes by the name of their sentence. @type {Record<string, string>} */
const NAMES = { off: "modeOff", watch: "modeWatch", protect: "modeProtect", strict: "modeStrict" };

const newSite = /** @type {HTMLInputElement} */ (byId("sites-new"));
const search = /** @type {HTMLInputElement} */ (byId("sites-search"));
const listed = /** @type {HTMLDetailsElement} */ (byId("sites-listed"));

/** @type {Site[]} */
let sites = [];
let isLocked = false;
let isFirst = true;

const suffixes = readSuffixes();

onSettings((settings) => {
  sites = settings.sites.toSorted((one, other) => nameOf(one).localeCompare(nameOf(other)));
  isLocked = settings.locked.includes("modes");
  lock("sites", isLocked, "sites-fields");
  if (isFirst) listed.open = sites.length <= FEW;
  isFirst = false;
  render();
});

/** @param {Site} site */
function nameOf({ name, domain }) {
  return name || domain;
}

function render() {
  const wanted = search.value.trim().toLowerCase();
  const found = sites.filter((site) => `${site.name} ${site.domain} ${site.allow.join(" ")}`.toLowerCase().includes(wanted));
  const focused = document.activeElement?.id ?? "";
  const own = found.filter((site) => !site.listed);
  const others = found.filter((site) => site.listed);
  byId("sites-own").hidden = own.length === 0;
  byId("sites-own-list").replaceChildren(...own.map(siteItem));
  listed.hidden = others.length === 0;
  if (wanted !== "") listed.open = true;
  put(byId("sites-listed-title"), sayCount("settingsSitesListed", others.length));
  byId("sites-listed-list").replaceChildren(...others.map(siteItem));
  put(byId("sites-found"), wanted === "" ? "" : sayCount("settingsSitesFound", found.length));
  // What was worked on was made anew: each of a row's controls has an id of its own.
  if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
}

/** @param {Site} site */
function siteItem(site) {
  const item = document.createElement("li");
  item.dataset.site = site.domain;
  const who = document.createElement("span");
  who.className = "who";
  who.append(text("span", "name", nameOf(site)));
  if (site.name && site.name !== site.domain) who.append(text("span", "domain", site.domain));
  item.append(who, modeSelect(site));
  if (!site.listed) {
    const remove = button("settingsSitesRemove", "settingsSitesRemoveOne", site.domain, () => {
      void act(() => ask({ type: "forgetSite", site: site.domain }), say("settingsSitesRemoved", site.domain)).then(() => newSite.focus());
    });
    remove.id = `remove-${site.domain}`;
    remove.classList.add("remove");
    remove.disabled = site.locked;
    item.append(remove);
  }
  if (site.allow.length > 0) item.append(letThrough(site));
  return item;
}

/** @param {Site} site */
function modeSelect({ domain, mode, locked }) {
  const select = document.createElement("select");
  select.id = `mode-${domain}`;
  select.disabled = locked;
  select.setAttribute("aria-label", say("settingsModeOn", domain));
  for (const value of MODES) {
    const option = document.createElement("option");
    option.value = value;
    option.textContent = say(NAMES[value] ?? "");
    select.append(option);
  }
  select.value = mode;
  select.addEventListener("change", () => {
    const said = say("settingsModeNow", domain, say(`hint_${select.value}`));
    void act(() => ask({ type: "mode", site: domain, mode: select.value }), said);
  });
  return select;
}

/** @param {Site} site */
function letThrough({ domain, allow }) {
  const list = document.createElement("ul");
  list.className = "let";
  list.setAttribute("aria-label", say("settingsLetThrough", domain));
  const title = text("li", "quiet", say("settingsLetThroughHere"));
  title.setAttribute("aria-hidden", "true");
  list.append(
    title,
    ...allow.map((host) => {
      const item = text("li", "", `${host} `);
      const stop = button("allowNoMore", "allowHostNoMore", host, () => {
        void act(() => ask({ type: "allow", site: domain, host, allow: false }), say("settingsStoppedAgain", host, domain)).then((isDone) => {
          if (isDone) (document.getElementById(`mode-${domain}`) ?? search).focus();
        });
      });
      stop.id = `stop-${host}-on-${domain}`;
      item.append(stop);
      return item;
    }),
  );
  return list;
}

/**
 * @param {string} tag
 * @param {string} className
 * @param {string} words
 */
function text(tag, className, words) {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = words;
  return element;
}

/**
 * @param {string} key of its word
 * @param {string} label key of its name, which says about what
 * @param {string} about
 * @param {() => void} job
 */
function button(key, label, about, job) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "plain";
  element.textContent = say(key);
  element.setAttribute("aria-label", say(label, about));
  element.disabled = isLocked;
  element.addEventListener("click", job);
  return element;
}

/**
 * The site that a typed text names.
 * @param {string} typed an address, a host, or a domain
 * @returns {{domain: string} | {problem: string}} the key of a sentence
 */
function siteIn(typed) {
  const host = hostOf(/^[a-z]+:\/\//i.test(typed) ? typed : `https://${typed}`);
  if (host === "" || host.length > 253 || !/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(host)) return { problem: "settingsSitesNoName" };
  if (isSuffix(host)) return { problem: "settingsSitesEnding" };
  return { domain: registrable(host) };
}

/** Says what would be protected, or why nothing. @returns {string} the domain, "" when there is none to add */
function look() {
  const typed = newSite.value.trim();
  const said = byId("sites-new-said");
  /** @param {string} words @param {boolean} isError */
  const answer = (words, isError) => {
    said.className = isError ? "error" : "hint";
    newSite.setAttribute("aria-invalid", String(isError));
    if (said.textContent !== words) said.textContent = words;
  };
  if (typed === "") {
    answer(say("settingsSitesAddHint"), false);
    return "";
  }
  const got = siteIn(typed);
  if ("problem" in got) {
    answer(say(got.problem), true);
    return "";
  }
  const known = sites.find(({ domain }) => domain === got.domain || got.domain.endsWith(`.${domain}`));
  if (known) {
    answer(say("settingsSitesKnown", known.domain), false);
    return "";
  }
  answer(say("settingsSitesWould", got.domain), false);
  return got.domain;
}

newSite.addEventListener("input", () => void suffixes.then(look));

byId("sites-add").addEventListener("submit", (event) => {
  event.preventDefault();
  const domain = look();
  if (domain === "") {
    newSite.focus();
    return;
  }
  void act(() => ask({ type: "mode", site: domain, mode: "protect" }), say("settingsSitesAdded", domain)).then((isDone) => {
    if (!isDone) return;
    newSite.value = "";
    look();
  });
});

search.addEventListener("input", render);

void suffixes.then(look);
