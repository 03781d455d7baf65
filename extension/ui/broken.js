/**
 * "Something is broken": turns protection down a step, and makes a report that
 * the patient reads, cuts down and saves. Nothing is sent, and the page is
 * reloaded only when the patient says so.
 */

import { api, errorText } from "../background/api.js";
import { isStopped, reportText, rowsOf, shortened } from "./broken-report.js";
import { ask, byId, element, findTab, put } from "./page.js";
import { fileName, save } from "./report-files.js";
import { say, sayAll, sayCount } from "./words.js";

/** @typedef {import("../background/tab-state.js").TabState} TabState */
/** @typedef {import("./broken-report.js").Row} Row */

/** The step below each mode; below the last nothing is stopped already. @type {Record<string, string>} */
const BELOW = { strict: "protect", protect: "watch", watch: "off" };

const says = /** @type {HTMLTextAreaElement} */ (byId("says"));
const withPaths = /** @type {HTMLInputElement} */ (byId("paths"));
const withPage = /** @type {HTMLInputElement} */ (byId("page"));
const withPassed = /** @type {HTMLInputElement} */ (byId("passed"));
const turnDown = /** @type {HTMLButtonElement} */ (byId("turn-down"));
const reload = /** @type {HTMLButtonElement} */ (byId("reload"));

const tabId = await findTab();

let site = "";
let mode = "";
let started = 0;
/** As the page was when this was opened: turning down does not change what happened. @type {Row[]} */
let rows = [];
/** Those that the patient does not want in the report. @type {Set<Row>} */
const out = new Set();

/** @returns {Promise<TabState | null>} null when the tab is gone */
async function stateNow() {
  return ask({ type: "state", tabId }).catch(() => null);
}

/** @param {TabState | null} state */
function renderLess(state) {
  const isPage = state !== null && state.mode !== null && state.mode !== "unknown";
  byId("none").hidden = isPage && state.record !== null;
  byId("less").hidden = !isPage;
  if (!isPage || state.mode === null) return;
  ({ site, mode } = state);
  put(byId("now"), say(`brokenNow_${mode}`, site));
  const below = BELOW[mode] ?? "";
  byId("locked").hidden = !state.locked;
  turnDown.hidden = below === "" || state.locked;
  turnDown.textContent = turnDown.hidden ? "" : say(`brokenTo_${below}`);
  put(byId("next"), turnDown.hidden ? "" : say(`brokenNext_${below}`));
}

function renderRows() {
  const wanted = rows.filter((row) => isStopped(row) || withPassed.checked);
  byId("requests").replaceChildren(...wanted.map(rowElement));
  put(byId("requests-title"), sayCount("brokenRequests", wanted.length));
  renderPreview();
}

/** @param {Row} row */
function rowElement(row) {
  const address = shortened(row.url, withPaths.checked);
  const box = element("input", { attributes: { type: "checkbox", "aria-label": say("brokenInclude", address) } });
  box.checked = !out.has(row);
  box.addEventListener("change", () => {
    if (box.checked) out.delete(row);
    else out.add(row);
    renderPreview();
  });
  const what = element("td", {}, say(`brokenDecision_${row.decision}`));
  if (row.rule) what.append(element("div", { classes: ["technical", "quiet"], text: row.rule }));
  const where = element("td", {}, element("div", { text: address.replace(/^https?:\/\//, "") }), element("div", { classes: ["small", "quiet"], text: row.type }));
  return element("tr", {}, element("td", {}, element("label", {}, box)), where, what);
}

function textNow() {
  const wanted = rows.filter((row) => (isStopped(row) || withPassed.checked) && !out.has(row));
  return reportText({ site, says: says.value, rows: wanted, withPaths: withPaths.checked, withPage: withPage.checked });
}

function renderPreview() {
  byId("preview").textContent = textNow();
  put(byId("saved"), "");
}

turnDown.addEventListener("click", async () => {
  turnDown.disabled = true;
  put(byId("failed"), "");
  try {
    await ask({ type: "mode", site, mode: BELOW[mode] });
    reload.hidden = false;
    byId("reload-why").hidden = false;
  } catch (error) {
    put(byId("failed"), `${say("askFailed")} ${errorText(error)}`);
  }
  turnDown.disabled = false;
  renderLess(await stateNow());
  (turnDown.hidden ? reload : turnDown).focus();
});

reload.addEventListener("click", async () => {
  await api.tabs.update(tabId, { active: true });
  await api.tabs.reload(tabId);
});

for (const box of [withPaths, withPassed]) box.addEventListener("change", renderRows);
withPage.addEventListener("change", renderPreview);
says.addEventListener("input", renderPreview);

byId("save").addEventListener("click", () => {
  save(fileName(site, started, "report.json"), "application/json", new TextEncoder().encode(textNow()));
  put(byId("saved"), say("brokenSaved"));
});

sayAll();
document.title = say("brokenTitle");
renderLess(await stateNow());
/** @type {import("../background/visits.js").VisitPart | null} */
const part = await ask({ type: "visit", tabId, from: 0 });
if (part) {
  rows = rowsOf(part.requests, part.visit.pages);
  started = part.visit.started;
  site ||= part.visit.domain;
  byId("report").hidden = rows.length === 0;
  renderRows();
}
document.querySelector("main")?.removeAttribute("aria-busy");
