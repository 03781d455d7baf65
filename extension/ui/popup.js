/** The popup: how this site is treated, who was kept out, and what went wrong. */

import { api, errorText, isFirefox } from "../background/api.js";
import { answerConsent } from "../background/consent.js";
import { ask, byId, checked, element, keepPlace, put } from "./page.js";
import { Recipients, allowButton, ranked } from "./recipients.js";
import { verdict } from "./verdict.js";
import { ago, country, day, listed, rehearse, say, sayAll, sayCount } from "./words.js";

/** @typedef {import("../background/tab-state.js").TabState} TabState */
/** @typedef {TabState["recipients"][number]} Recipient */
/** @typedef {Document & {tabId: number | null, asked: Promise<TabState | {error: string}>}} Asked by popup-ask.js */

const REFRESH_MS = 1000;
/** A background that has not answered after so many milliseconds may take ten seconds: nobody is left with nothing to read. */
const SLOW_MS = 1000;
/** So many recipients stand there without unfolding anything. */
const FIRST = 4;

const modes = /** @type {HTMLFieldSetElement} */ (byId("modes"));
const mendButton = /** @type {HTMLButtonElement} */ (byId("mend"));
const keptForADay = /** @type {HTMLInputElement} */ (byId("photos-day"));
const updateButton = /** @type {HTMLButtonElement} */ (byId("update"));

/** Last shown, so that nothing is rewritten, or read aloud, without need. */
let shown = "";
/** How often the background was asked, and which of these answers is shown. */
let questions = 0;
let answered = 0;
/** A problem of the last thing that was asked for here. */
let failure = "";
/** Whether the page was opened before what was chosen here. */
let outdated = false;
/** What the button in the verdict does. @type {import("./verdict.js").Mend} */
let mend = "";
let site = "";
/** The tab that all this is about; null: the one below the popup, not known before the first answer. */
let { tabId } = /** @type {Asked} */ (document);

const first = new Recipients(byId("recipients"), letThrough);
const others = new Recipients(inFold("others"), letThrough);
const needed = new Recipients(inFold("needed"), letThrough);

/** @param {string} fold */
function inFold(fold) {
  return /** @type {HTMLElement} */ (byId(fold).querySelector("ul"));
}

/** @param {Promise<TabState>} [answer] what the background says */
async function refresh(answer = ask({ type: "state", tabId })) {
  const question = ++questions;
  const state = await answer;
  // What was asked later may be answered first, and is newer.
  if (question < answered) return;
  answered = question;
  tabId = state.tabId;
  const text = JSON.stringify([state, failure, outdated]);
  if (text !== shown) {
    shown = text;
    const goOn = keepPlace();
    render(state);
    goOn();
  }
}

/**
 * Looks again and again, though never before the last look is answered: a
 * browser that cannot read what it keeps for us takes seconds for each try, one
 * after the other, and would be asked for ever more.
 * @param {Promise<TabState>} [answer] what the background says
 */
async function follow(answer) {
  try {
    await refresh(answer);
  } finally {
    setTimeout(() => void follow().catch(() => {}), REFRESH_MS);
  }
}

/** @param {TabState} state */
function render(state) {
  clearTimeout(slow);
  site = state.site;
  byId("demo").hidden = !state.demo;
  renderStatus(state);
  renderModes(state);
  renderReport(state);
  renderAllowed(state);
  renderList(state);
  for (const page of ["report", "broken", "workshop"]) {
    const link = /** @type {HTMLAnchorElement} */ (byId(`to-${page}`));
    link.href = `${page}.html?tab=${state.tabId}`;
    link.hidden = state.record === null && page !== "workshop";
  }
  byId("private").hidden = !state.problems.private;
  document.querySelector("main")?.removeAttribute("aria-busy");
}

/** @param {TabState} state */
function renderStatus(state) {
  const { key, tone, mend: way, problem } = verdict(state);
  const status = byId("status");
  if (tone === "none") delete status.dataset.tone;
  else status.dataset.tone = tone;
  status.dataset.verdict = key;
  put(byId("site"), state.name && state.name !== state.site ? `${state.name} · ${state.site}` : state.site);
  put(byId("verdict"), say(`verdict${key}`));
  put(byId("detail"), say(`detail${key}`));
  mend = way;
  put(mendButton, mend && say(`mend_${mend}`));
  put(byId("problem"), [failure, problem].filter(Boolean).join("\n"));
  byId("technical").hidden = byId("problem").hidden;
}

/** @param {TabState} state */
function renderModes(state) {
  modes.hidden = state.mode === null || state.restricted;
  modes.disabled = state.mode === "unknown" || state.locked;
  for (const input of modes.querySelectorAll("input")) input.checked = input.value === state.mode;
  const hint = state.locked ? say("settingsLocked") : say(`hint_${state.mode}`);
  put(byId("hint"), modes.hidden || state.mode === "unknown" ? "" : hint);
  byId("reload").hidden = mend === "reload" || !(outdated || (state.mode === "off" && state.record !== null));
}

/** @param {TabState} state */
function renderReport(state) {
  const { record } = state;
  byId("report").hidden = record === null;
  if (!record) return;
  renderPhotos(state, record);
  const where = { domain: record.domain, mode: record.mode };
  const isTold = (/** @type {Recipient} */ { counts: { block, relay, would, missed } }) => block + relay + would + missed > 0;
  const told = ranked(state.recipients.filter(isTold), where);
  const rest = state.recipients.filter((recipient) => !isTold(recipient));

  const isWatched = record.mode === "watch";
  // Whoever got one request is not kept out.
  const kept = isWatched ? 0 : told.filter(({ counts }) => counts.missed === 0).length;
  const title = kept > 0 ? sayCount("popupKept", kept) : sayCount("popupTold", told.length);
  put(byId("recipients-title"), told.length === 0 ? "" : title);
  const stopped = isWatched ? record.total.would : record.total.block + record.total.relay;
  put(byId("requests"), stopped === 0 ? "" : sayCount(isWatched ? "would" : "stopped", stopped));
  byId("nobody").hidden = told.length > 0;

  // Whoever stands somewhere stays there.
  const room = FIRST - told.filter(({ name }) => first.has(name)).length;
  const newcomers = told.filter(({ name }) => !first.has(name) && !others.has(name)).slice(0, Math.max(0, room));
  const isFirst = (/** @type {Recipient} */ recipient) => first.has(recipient.name) || newcomers.includes(recipient);
  const folded = told.filter((recipient) => !isFirst(recipient));
  first.show(told.filter(isFirst), where);
  others.show(folded, where);
  byId("others").hidden = folded.length === 0;
  put(byId("others-title"), sayCount("popupOthers", folded.length));
  needed.show(rest, where);
  byId("needed").hidden = rest.length === 0;
  put(byId("needed-title"), sayCount("popupNeeded", rest.length));
  const { carriers } = state;
  put(byId("carriers"), carriers.length === 0 ? "" : sayCount("popupCarriers", carriers.length, listed(carriers.map(({ name, country: code }) => say("popupCarrier", name, country(code))))));
}

/**
 * @param {TabState} state
 * @param {NonNullable<TabState["record"]>} record
 */
function renderPhotos({ photos: { relays, isOwn, consent, kept } }, { total, photos: { shown, failed, problem } }) {
  byId("photos").hidden = total.relay === 0 && shown === 0;
  const isPossible = relays.length > 0;
  const isWanted = isPossible && consent === "granted";
  let sentence = shown === 0 ? say("photosShownNone") : sayCount("photosShown", shown);
  if (!isPossible) sentence = sayCount("photosReplaced", total.relay);
  else if (consent === "unasked") sentence = say("photosAsk");
  else if (consent === "refused") sentence = say("photosRefused");
  else if (failed > 0) sentence += ` ${sayCount("photosFailed", failed)}`;
  put(byId("photos-said"), sentence);
  put(byId("photos-problem"), isWanted && problem ? say(`photo_${problem}`) : "");
  byId("photos-who").hidden = !isPossible;
  byId("photos-own").hidden = !isOwn;
  keptForADay.checked = kept === "day";
  byId("photos-yes").hidden = !isPossible || isWanted;
  byId("photos-no").hidden = !isPossible || consent === "refused";
}

/** @param {string} host */
function letThrough(host) {
  changeAllowed(host, true);
}

/**
 * @param {string} host
 * @param {boolean} allow
 */
function changeAllowed(host, allow) {
  void act(async () => {
    await ask({ type: "allow", site, host, allow });
    outdated = true;
  });
}

/** @param {TabState} state */
function renderAllowed({ allowed }) {
  const section = byId("allowed");
  const focused = section.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.host : undefined;
  section.hidden = allowed.length === 0;
  byId("allowed-hosts").replaceChildren(
    ...allowed.map((host) => {
      const item = element("li");
      const button = allowButton(host, false);
      button.addEventListener("click", () => changeAllowed(host, false));
      item.append(element("span", { classes: ["host"], text: host }), button);
      return item;
    }),
  );
  if (focused) /** @type {HTMLElement | null} */ (section.querySelector(`[data-host="${CSS.escape(focused)}"]`))?.focus();
}

/** @param {TabState} state */
function renderList({ list, updates, problems }) {
  const release = list?.release;
  let title = say("listPackaged");
  if (!list) title = say("listUnread");
  else if (release) title = say("listRelease", String(release.index), day(release.issued));
  byId("lists").hidden = false;
  put(byId("list"), title);
  const lines = [];
  if (list) lines.push(sayCount("hosts", list.counts.hosts));
  if (release && Date.parse(release.expires) < Date.now()) lines.push(say("listStale", day(release.expires)));
  if (problems.unsaid > 0) lines.push(sayCount("unsaid", problems.unsaid));
  if (!updates.server) lines.push(say("listNoServer"));
  else if (updates.checked > 0) lines.push(say("listChecked", ago(updates.checked)));
  put(byId("list-more"), lines.join(" "));
  const { error } = updates;
  put(byId("update-error"), error ? `${say(`update_${error.code}`)} ${say("updateKept")} (${error.detail})` : "");
  updateButton.hidden = !updates.server;
}

/**
 * Does what was asked for here, and says what did not work.
 * @param {() => Promise<unknown>} job
 */
async function act(job) {
  try {
    failure = "";
    await job();
  } catch (error) {
    failure = errorText(error);
  }
  await refresh();
}

/**
 * A button that was pressed and cannot be pressed again yet. One that is really
 * disabled would lose the keyboard.
 * @param {HTMLButtonElement} button
 * @param {boolean} busy
 */
function setBusy(button, busy) {
  button.setAttribute("aria-disabled", String(busy));
}

/** @param {HTMLButtonElement} button */
function isBusy(button) {
  return button.getAttribute("aria-disabled") === "true";
}

/** @returns {Promise<unknown>} */
function mended() {
  // At once: the browser asks only from a click.
  if (mend === "access") return api.permissions.request({ origins: ["<all_urls>"] });
  if (mend === "reload") return api.tabs.reload(/** @type {number} */ (tabId));
  return ask({ type: "mend", what: mend });
}

mendButton.addEventListener("click", () => {
  if (isBusy(mendButton)) return;
  const isReload = mend === "reload";
  const mending = mended();
  setBusy(mendButton, true);
  mendButton.textContent = say("popupMending");
  void act(async () => {
    await mending;
    // What the page asked for meanwhile may have left.
    outdated = !isReload;
  }).finally(() => {
    setBusy(mendButton, false);
    const goOn = keepPlace();
    put(mendButton, mend && say(`mend_${mend}`));
    goOn();
  });
});

modes.addEventListener("change", (event) => {
  const { value } = /** @type {HTMLInputElement} */ (event.target);
  void act(() => ask({ type: "mode", site, mode: value }));
});

for (const [id, wanted] of /** @type {const} */ ([["photos-yes", true], ["photos-no", false]])) {
  byId(id).addEventListener("click", () => {
    // At once: the browser asks only from a click.
    const answered = answerConsent(wanted);
    void act(async () => {
      await answered;
      outdated = true;
    });
  });
}

keptForADay.addEventListener("change", () => {
  void act(() => ask({ type: "keep", keep: keptForADay.checked ? "day" : "tab" }));
});

byId("reload-now").addEventListener("click", () => {
  outdated = false;
  void act(() => api.tabs.reload(/** @type {number} */ (tabId)));
});

updateButton.addEventListener("click", () => {
  if (isBusy(updateButton)) return;
  setBusy(updateButton, true);
  void act(() => ask({ type: "update" })).finally(() => {
    setBusy(updateButton, false);
  });
});

// Firefox opens its page for extensions to nobody.
byId("private-open").hidden = isFirefox;
byId("private-open").addEventListener("click", async () => {
  await api.tabs.create({ url: `chrome://extensions/?id=${api.runtime.id}` });
  window.close();
});

const slow = setTimeout(() => put(byId("detail"), say("popupSlow")), SLOW_MS);
sayAll();
rehearse();
await follow(/** @type {Asked} */ (document).asked.then(checked));
