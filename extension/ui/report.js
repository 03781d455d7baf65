/**
 * The report: who was told what by a tab's visit, request by request, while it
 * goes on; or by a visit that a file holds, judged afresh. Nothing here leaves
 * the machine, and nothing is written to it until the user saves it.
 */

import { errorText } from "../background/api.js";
import { ask, byId, element, put } from "./page.js";
import { groupsOf, rowsOf, visitOf } from "./report-data.js";
import { Reader } from "./report-desk.js";
import { MAX_FILE, fileName, onFile, save } from "./report-files.js";
import { offer } from "./report-handover.js";
import { showHead } from "./report-head.js";
import { Picture } from "./report-picture.js";
import { Table, fill, pageOptions } from "./report-table.js";
import { pathOf, showTimeline } from "./report-timeline.js";
import { showTold } from "./report-told.js";
import { moment, say, sayAll, sayCount } from "./words.js";

/**
 * @typedef {import("./report-data.js").Group} Group
 * @typedef {import("./report-data.js").Row} Row
 * @typedef {import("./report-desk.js").Found} Found
 * @typedef {import("./report-filter.js").Filter} Filter
 * @typedef {import("./report-handover.js").Printed} Shown
 */

/** How often a visit that goes on is asked after, in milliseconds. */
const REFRESH_MS = 1000;
/** What takes longer than this says so. */
const SOON_MS = 500;

const given = new URLSearchParams(location.search).get("tab");
const tabId = given === null ? -1 : Number(given);

sayAll();
document.title = say("reportTitle");

let reader = new Reader();
/** The visit that is shown, as far as it is known here. @type {import("../background/visits.js").Visit | null} */
let visit = null;
/** How many of its requests were asked for. */
let total = 0;
/** Whether the tab is still followed. */
let isLive = given !== null;
let isBusy = false;
/** @type {Shown | null} */
let shown = null;
/** @type {Filter | null} */
let filter = null;
/** Who stands behind the rows that are shown, of the whole visit and of the chosen page. @type {{rows: Row[], all: Group[], page: number, groups: Group[]} | null} */
let grouped = null;

const table = new Table((changed) => {
  filter = changed;
  renderParts();
});
const picture = new Picture(byId("picture"), (recipient) => table.narrow({ recipient }));
const pageSelect = /** @type {HTMLSelectElement} */ (byId("who-page"));
pageSelect.addEventListener("change", () => choosePage(pageSelect.value === "" ? -1 : Number(pageSelect.value)));
/** @type {HTMLAnchorElement} */ (byId("print")).href = `print.html?from=${offer(() => shown)}`;

/** @param {number} page */
function choosePage(page) {
  table.narrow({ page });
}

/**
 * @param {Found} found
 * @param {boolean} isFile
 * @param {string} name
 */
function show({ report, entries, visit: header }, isFile, name) {
  const rows = rowsOf(entries, report.recipients);
  shown = { visit: header, rows, known: report.recipients, isFile, name };
  document.title = say("reportTitleOf", header.domain || name);
  table.show(rows, header.pages, ({ id }) => (isFile ? undefined : visit?.requests[id]));
  renderParts();
  byId("report").hidden = false;
  byId("visits").hidden = true;
  byId("save-har").closest("li")?.toggleAttribute("hidden", isFile);
  settled();
}

function renderParts() {
  if (!shown) return;
  const { visit: header, rows, known, name } = shown;
  const page = filter?.page ?? -1;
  if (grouped?.rows !== rows) grouped = { rows, all: groupsOf(rows, known), page: -1, groups: [] };
  if (grouped.page !== page || page < 0) {
    const groups = page < 0 ? grouped.all : groupsOf(rows.filter((row) => row.page === page), known);
    grouped = { ...grouped, page, groups };
  }
  const { all, groups } = grouped;
  showHead({ visit: header, groups: all, name });
  fill(pageSelect, pageOptions(header.pages), page < 0 ? "" : String(page));
  byId("picture").hidden = groups.length === 0;
  byId("words-title").hidden = groups.length === 0;
  put(byId("who-lead"), say(groups.length === 0 ? "reportWhoNobody" : "reportWhoLead"));
  picture.show(groups, page < 0 ? header.domain : pathOf(header.pages[page]?.url ?? ""), filter?.recipient ?? "");
  showTold(groups, { domain: header.domain, mode: header.mode || "watch" });
  showTimeline(rows, header.pages, page, choosePage);
}

function settled() {
  document.querySelector("main")?.removeAttribute("aria-busy");
}

/**
 * @param {string} words
 * @param {string} detail
 */
function trouble(words, detail) {
  byId("trouble").hidden = words === "";
  put(byId("trouble-words"), words);
  put(byId("trouble-detail"), detail);
}

/**
 * @param {string} words
 * @param {string} [act] of the button beside them
 * @param {() => void} [press]
 */
function notice(words, act = "", press = () => {}) {
  byId("notice").hidden = words === "";
  put(byId("notice-words"), words);
  const button = byId("notice-act");
  put(button, act);
  button.onclick = press;
}

/** @param {"reportChipLive" | "reportChipEnded" | "reportChipFile"} key */
function chip(key) {
  const place = byId("source");
  place.dataset.tone = key === "reportChipLive" ? "good" : "care";
  put(place, say(key));
}

/**
 * Says what takes long, and lets the user give it up.
 * @template T
 * @param {string} words nothing is said without
 * @param {() => Promise<T>} job
 * @returns {Promise<T>}
 */
async function busy(words, job) {
  isBusy = true;
  const timer = setTimeout(() => {
    byId("progress").hidden = words === "";
    put(byId("progress-words"), words);
    byId("progress-bar").setAttribute("aria-label", words);
  }, SOON_MS);
  try {
    return await job();
  } finally {
    clearTimeout(timer);
    byId("progress").hidden = true;
    isBusy = false;
  }
}

byId("progress-end").addEventListener("click", () => {
  reader.end();
  reader = new Reader();
});

/** @param {unknown} error */
const isGivenUp = (error) => error instanceof DOMException && error.name === "AbortError";

/** Asks what the tab has done since, and shows it. */
async function follow() {
  if (!isLive || isBusy || document.hidden) return;
  const answer = await ask({ type: "visit", tabId, from: total });
  if (!isLive) return;
  if (!answer || (visit && answer.visit.started !== visit.started)) {
    if (visit) end(Boolean(answer));
    else await offerVisits();
    return;
  }
  const before = visit && JSON.stringify({ ...visit, requests: visit.requests.length });
  total = answer.total;
  const requests = [...(visit?.requests ?? []), ...answer.requests];
  const now = { ...answer.visit, requests };
  visit = now;
  if (before === JSON.stringify({ ...now, requests: requests.length })) return;
  /** @type {Found} */
  const found = await busy(shown ? "" : say("reportJudging"), () => reader.run("visit", now));
  if (!isLive) return;
  trouble("", "");
  chip("reportChipLive");
  show({ ...found, visit: now }, false, await siteName());
}

/** @type {Promise<string> | null} */
let named = null;

/** What people call the site. */
function siteName() {
  named ??= ask({ type: "state", tabId }).then(({ name }) => name, () => "");
  return named;
}

/** @param {boolean} isFollowed by another visit in the same tab */
function end(isFollowed) {
  isLive = false;
  chip("reportChipEnded");
  if (isFollowed) notice(say("reportEnded"), say("reportShowNew"), () => location.reload());
  else notice(say("reportEnded"));
}

/** Without a visit of its own the page shows which there are. */
async function offerVisits() {
  /** @type {{tabId: number, domain: string, started: number, requests: number}[]} */
  const visits = await ask({ type: "visits" });
  byId("visits").hidden = false;
  byId("visits-none").hidden = visits.length > 0;
  if (given !== null && !shown) notice(say("reportNoVisit"));
  const items = visits.map(({ tabId: tab, domain, started, requests }) =>
    element(
      "li",
      {},
      element("a", { text: domain, attributes: { href: `report.html?tab=${tab}` } }),
      element("span", { classes: ["quiet"], text: moment(started) }),
      element("span", { classes: ["quiet"], text: sayCount("reportRows", requests) }),
    ),
  );
  const list = byId("visits-list");
  const text = items.map(({ innerHTML }) => innerHTML).join();
  if (list.dataset.shown !== text) list.replaceChildren(...items);
  list.dataset.shown = text;
  settled();
}

/** @param {File} file that the user chose */
async function open(file) {
  if (isBusy) reader.end();
  if (file.size > MAX_FILE) {
    trouble(say("reportFileTooLarge", file.name), "");
    return;
  }
  trouble("", "");
  try {
    /** @type {Found} */
    const found = await busy(say("reportReading", file.name), () => reader.run("file", file));
    isLive = false;
    visit = visitOf(found);
    notice(say("reportIsFile", file.name), given === null ? "" : say("reportBackToTab"), () => location.reload());
    chip("reportChipFile");
    table.reset();
    filter = null;
    show(found, true, file.name);
    byId("notice").scrollIntoView({ block: "start" });
  } catch (error) {
    // What broke the desk must not break the next file.
    reader.end();
    reader = new Reader();
    if (!isGivenUp(error)) trouble(say("reportFileBad", file.name), errorText(error));
    byId("trouble").scrollIntoView({ block: "start" });
  }
}

onFile((file) => void open(file));

for (const [format, type, ending] of /** @type {const} */ ([
  ["har", "application/json", "har"],
  ["inspection", "application/json", "inspection.json"],
  ["csv", "text/csv", "csv"],
])) {
  byId(`save-${format}`).addEventListener("click", async () => {
    if (!shown || isBusy) return;
    try {
      const bytes = await busy(say("reportSaving"), () => reader.run("export", format, visit));
      const name = fileName(shown.visit.domain, shown.visit.started, ending);
      save(name, type, bytes);
      put(byId("saved"), say("reportSaved", name));
    } catch (error) {
      if (isGivenUp(error)) return;
      trouble(say("askFailed"), errorText(error));
      byId("trouble").scrollIntoView({ block: "center" });
    }
  });
}

async function refresh() {
  try {
    if (given === null && !shown) await offerVisits();
    else await follow();
  } catch (error) {
    if (!isGivenUp(error)) trouble(say("askFailed"), errorText(error));
    settled();
  }
}

void ask({ type: "lists" }).then(({ demo }) => {
  byId("demo").hidden = !demo;
});
for (;;) {
  await refresh();
  await new Promise((done) => setTimeout(done, REFRESH_MS));
}
