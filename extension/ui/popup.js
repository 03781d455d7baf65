/** The popup: how this site is treated, who was stopped, and what went wrong. */

import { api, errorText } from "../background/api.js";
import { answerConsent } from "../background/consent.js";
import { isAllowed, stops } from "../background/sites.js";
import { ask, byId, put } from "./page.js";
import { verdict } from "./verdict.js";
import { ago, country, day, say, sayAll, sayCount } from "./words.js";

/** @typedef {import("../background/tab-state.js").TabState} TabState */

const REFRESH_MS = 1000;

const modes = /** @type {HTMLFieldSetElement} */ (byId("modes"));
const keptForADay = /** @type {HTMLInputElement} */ (byId("photos-day"));
const updateButton = /** @type {HTMLButtonElement} */ (byId("update"));

const tabId = await findTab();

/** Last shown, so that nothing is rewritten, or read aloud, without need. */
let shown = "";
/** A problem of the last thing that was asked for here. */
let failure = "";
/** Whether the page was opened before what was chosen here. */
let outdated = false;

/** The tab below the popup; a page of its own is told which one it is about. */
async function findTab() {
  const given = new URLSearchParams(location.search).get("tab");
  if (given !== null) return Number(given);
  const [tab] = await api.tabs.query({ active: true, currentWindow: true });
  return tab?.id ?? -1;
}

async function refresh() {
  /** @type {TabState} */
  const state = await ask({ type: "state", tabId });
  const text = JSON.stringify([state, failure, outdated]);
  if (text !== shown) {
    shown = text;
    render(state);
  }
}

/** @param {TabState} state */
function render(state) {
  byId("demo").hidden = !state.demo;
  renderStatus(state);
  renderModes(state);
  const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.host : undefined;
  renderReport(state);
  renderAllowed(state);
  // A button that was pressed gives way to its opposite.
  if (focused) /** @type {HTMLElement | null} */ (document.querySelector(`[data-host="${CSS.escape(focused)}"]`))?.focus();
  renderList(state);
  byId("prediction").hidden = !(state.problems.prediction && state.mode !== null && stops(state.mode));
  document.querySelector("main")?.removeAttribute("aria-busy");
}

/** @param {TabState} state */
function renderStatus(state) {
  const { key, tone, problem } = verdict(state);
  const status = byId("status");
  if (tone === "none") delete status.dataset.tone;
  else status.dataset.tone = tone;
  status.dataset.verdict = key;
  put(byId("site"), state.name && state.name !== state.site ? `${state.name} · ${state.site}` : state.site);
  put(byId("verdict"), say(`verdict${key}`));
  put(byId("detail"), say(`detail${key}`));
  put(byId("problem"), failure || problem);
}

/** @param {TabState} state */
function renderModes(state) {
  modes.hidden = state.mode === null;
  modes.disabled = state.mode === "unknown";
  for (const input of modes.querySelectorAll("input")) input.checked = input.value === state.mode;
  put(byId("hint"), state.mode === null || state.mode === "unknown" ? "" : say(`hint_${state.mode}`));
  byId("reload").hidden = !(state.stale || outdated || (state.mode === "off" && state.record !== null));
}

/** @param {TabState} state */
function renderReport(state) {
  const record = state.record;
  byId("report").hidden = record === null;
  if (!record) return;
  renderPhotos(state, record);
  const stopped = record.total.block + record.total.relay;
  const title = record.mode === "watch" ? sayCount("would", record.total.would) : sayCount("stopped", stopped);
  put(byId("recipients-title"), title);
  const met = state.recipients.filter(({ counts }) => counts.block + counts.relay + counts.would + counts.missed > 0);
  byId("recipients").replaceChildren(...met.map((recipient) => recipientItem(recipient, state)));
  byId("nobody").hidden = met.length > 0;
}

/**
 * @param {TabState} state
 * @param {NonNullable<TabState["record"]>} record
 */
function renderPhotos({ photos: { relays, isOwn, consent, kept } }, { total, photos: { shown, failed, problem } }) {
  byId("photos").hidden = total.relay === 0 && shown === 0;
  const isPossible = relays.length > 0;
  const isWanted = isPossible && consent === "granted";
  let sentence = sayCount("photosShown", shown);
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

/**
 * @param {TabState["recipients"][number]} recipient
 * @param {TabState} state
 */
function recipientItem(recipient, { mode, allowed }) {
  const item = document.createElement("li");
  const name = document.createElement("span");
  name.className = "name";
  name.textContent = recipient.name;
  if (recipient.country) {
    const where = document.createElement("span");
    where.className = "country";
    where.textContent = ` · ${country(recipient.country)}`;
    name.append(where);
  }
  const { block, relay, would, missed } = recipient.counts;
  const count = document.createElement("span");
  count.className = "count";
  count.textContent = sayCount("times", block + relay + would);
  if (missed > 0) {
    count.classList.add("missed");
    count.textContent = sayCount("missed", missed);
  }
  item.append(name, count);
  for (const { host, reason } of recipient.hosts) {
    // To stand on the list needs no words.
    const words = [host === recipient.name ? "" : host, say(`reason_${reason}`)].filter((text) => text !== "");
    const mayAllow = mode !== null && stops(mode) && !isAllowed(host, allowed);
    if (words.length === 0 && !mayAllow) continue;
    const line = document.createElement("span");
    line.className = "host";
    line.textContent = words.join(" · ");
    item.append(line);
    if (mayAllow) item.append(allowButton(host, true));
  }
  return item;
}

/**
 * @param {string} host
 * @param {boolean} allow or stop it again
 */
function allowButton(host, allow) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain";
  button.textContent = say(allow ? "allow" : "allowNoMore");
  button.setAttribute("aria-label", say(allow ? "allowHost" : "allowHostNoMore", host));
  button.dataset.host = host;
  button.addEventListener("click", () => {
    button.disabled = true;
    void act(async () => {
      /** @type {TabState} */
      const { site } = await ask({ type: "state", tabId });
      await ask({ type: "allow", site, host, allow });
      outdated = true;
    });
  });
  return button;
}

/** @param {TabState} state */
function renderAllowed({ allowed }) {
  byId("allowed").hidden = allowed.length === 0;
  byId("allowed-hosts").replaceChildren(
    ...allowed.map((host) => {
      const item = document.createElement("li");
      const name = document.createElement("span");
      name.className = "name";
      name.textContent = host;
      item.append(name, allowButton(host, false));
      return item;
    }),
  );
}

/** @param {TabState} state */
function renderList({ list, updates, problems }) {
  const lines = [];
  if (!list) {
    lines.push(say("listUnread"));
  } else {
    const { release } = list;
    lines.push(release ? say("listRelease", String(release.index), day(release.issued)) : say("listPackaged"));
    lines.push(sayCount("hosts", list.counts.hosts));
    if (release && Date.parse(release.expires) < Date.now()) lines.push(say("listStale", day(release.expires)));
  }
  if (problems.unsaid > 0) lines.push(sayCount("unsaid", problems.unsaid));
  if (!updates.server) lines.push(say("listNoServer"));
  else if (updates.checked > 0) lines.push(say("listChecked", ago(updates.checked)));
  put(byId("list"), lines.join(" "));
  const error = updates.error;
  const failed = error ? `${say(`update_${error.code}`)} ${say("updateKept")} (${error.detail})` : "";
  put(byId("update-error"), failed || (problems.list && say("listDamaged", problems.list)));
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

modes.addEventListener("change", (event) => {
  const { value } = /** @type {HTMLInputElement} */ (event.target);
  void act(async () => {
    /** @type {TabState} */
    const { site } = await ask({ type: "state", tabId });
    await ask({ type: "mode", site, mode: value });
  });
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
  void act(() => api.tabs.reload(tabId));
});

updateButton.addEventListener("click", () => {
  updateButton.disabled = true;
  void act(() => ask({ type: "update" })).finally(() => {
    updateButton.disabled = false;
  });
});

byId("options").addEventListener("click", async () => {
  await api.runtime.openOptionsPage();
  window.close();
});

sayAll();
await act(async () => {});
setInterval(() => void refresh().catch(() => {}), REFRESH_MS);
