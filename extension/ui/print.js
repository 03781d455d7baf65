/**
 * A report on paper, or in a PDF: evidence for an authority or a doctor. It
 * says what was seen and how, and leaves the judgement of it to its readers.
 */

import { api } from "../background/api.js";
import { ask, byId, element, put } from "./page.js";
import { fatesOf, groupsOf } from "./report-data.js";
import { shortened } from "./report-decode.js";
import { receive } from "./report-handover.js";
import { carriersWords, headWords } from "./report-head.js";
import { fateLabel } from "./report-signs.js";
import { pathOf } from "./report-timeline.js";
import { hostsText } from "./report-hosts.js";
import { learntBy, nameOf, purposesOf } from "./sentences.js";
import { clock, country, day, listed, moment, say, sayAll, sayCount, span } from "./words.js";

/**
 * @typedef {import("./report-data.js").Group} Group
 * @typedef {import("./report-handover.js").Printed} Printed
 */

/** Of an address so much is printed, in characters. */
const ADDRESS = 220;
/** So many pages of the visit are named, recipients told of, and requests listed. */
const PAGES = 20;
const RECIPIENTS = 300;
const REQUESTS = 5000;

sayAll();

/** @param {Printed} printed */
async function show(printed) {
  const { visit, rows, known, name } = printed;
  const groups = groupsOf(rows, known);
  document.title = say("reportTitleOf", visit.domain || name);
  const site = name && name !== visit.domain ? `${name} · ${visit.domain}` : visit.domain;
  const pages = visit.pages.slice(0, PAGES).map(({ url }) => element("li", { text: pathOf(url) }));
  if (visit.pages.length > PAGES) pages.push(element("li", { text: sayCount("reportMorePages", visit.pages.length - PAGES) }));
  const last = rows.reduce((latest, { at }) => Math.max(latest, at), 0);
  facts("facts", [
    ["reportPrintSite", site],
    ["reportPrintWhen", visit.started > 0 ? moment(visit.started) : say("reportPrintUnknown")],
    ["reportPrintPages", element("ol", {}, ...pages)],
    ["reportPrintRequests", sayCount("reportTimeRequests", rows.length, span(last))],
  ]);
  put(byId("recipients-more"), groups.length > RECIPIENTS ? sayCount("reportMoreRecipients", groups.length - RECIPIENTS) : "");
  put(byId("short"), headWords({ visit, groups, name }).join(" "));
  put(byId("carriers"), carriersWords(visit));
  byId("recipients").hidden = groups.length === 0;
  byId("recipients-none").hidden = groups.length > 0;
  const where = { domain: visit.domain, mode: visit.mode || "watch" };
  byId("recipients-body").replaceChildren(...groups.slice(0, RECIPIENTS).map((group) => recipientRow(group, where)));
  showRequests(printed);
  await showHow(printed);
  byId("letter").hidden = false;
}

/**
 * @param {string} id
 * @param {[string, string | Node][]} pairs key of the name, and what is known
 */
function facts(id, pairs) {
  byId(id).replaceChildren(
    ...pairs.flatMap(([key, what]) => [element("dt", { text: say(key) }), element("dd", {}, what)]),
  );
}

/**
 * @param {Group} group
 * @param {{domain: string, mode: string}} where
 */
function recipientRow(group, where) {
  const who = element("th", { attributes: { scope: "row" } }, element("p", { text: group.name }));
  if (group.country) who.append(element("p", { classes: ["country"], text: country(group.country) }));
  const hosts = group.hosts.map(({ host }) => host).filter((host) => host !== group.name);
  if (hosts.length > 0) who.append(element("p", { classes: ["technical"], text: hostsText(hosts) }));
  const learnt = learntBy(group, where).map((text) => element("p", { text }));
  const purposes = purposesOf(group);
  if (purposes) learnt.push(element("p", { classes: ["quiet"], text: purposes }));
  const done = fatesOf(group).map(({ fate, count }) => element("p", { text: sayCount(`reportCount_${fate}`, count) }));
  return element("tr", {}, who, element("td", {}, ...learnt), element("td", {}, ...done));
}

/** @param {Printed} printed */
function showRequests({ rows }) {
  const which = /** @type {HTMLSelectElement} */ (byId("which"));
  const telling = rows.filter(({ fate, learnt }) => fate !== "passed" || learnt.length > 0);
  which.replaceChildren(
    new Option(sayCount("reportPrintTelling", telling.length), "telling"),
    new Option(sayCount("reportPrintAll", rows.length), "all"),
    new Option(say("reportPrintNone"), "none"),
  );
  const render = () => {
    const chosen = ({ telling, all: rows, none: [] }[which.value] ?? telling).slice(0, REQUESTS);
    put(byId("requests-words"), sayCount("reportRowsOf", chosen.length, String(rows.length)));
    byId("requests").hidden = chosen.length === 0;
    byId("requests-body").replaceChildren(
      ...chosen.map((row) =>
        element(
          "tr",
          {},
          element("td", { classes: ["number"], text: clock(row.at) }),
          element("td", { text: nameOf({ name: row.recipient, country: row.country }) }),
          element("td", { classes: ["technical"], text: shortened(row.url, ADDRESS) }),
          element("td", { text: listed([...new Set(row.learnt.map(({ what, place }) => say(`reportTold_${what}_${place}`)))]) }),
          element("td", {}, fateLabel(row.fate)),
        ),
      ),
    );
  };
  which.addEventListener("change", render);
  render();
}

/** @param {Printed} printed */
async function showHow({ isFile, name, visit }) {
  const { list } = await ask({ type: "lists" });
  const release = list?.release;
  facts("how", [
    ["reportPrintSource", isFile ? say("reportPrintFile", name) : say("reportPrintTab", say(`reportMode_${visit.mode}`))],
    ["reportPrintVersion", api.runtime.getManifest().version],
    ["reportPrintList", release ? say("listRelease", String(release.index), day(release.issued)) : say("listPackaged")],
    ["reportPrintBrowser", navigator.userAgent],
    ["reportPrintMade", moment(Date.now())],
  ]);
}

byId("print").addEventListener("click", () => print());

const note = /** @type {HTMLTextAreaElement} */ (byId("note"));
note.addEventListener("input", () => {
  byId("note-printed").textContent = note.value;
});

try {
  await show(await receive(new URLSearchParams(location.search).get("from") ?? ""));
} catch {
  byId("trouble").hidden = false;
  put(byId("trouble-words"), say("reportPrintGone"));
}
document.querySelector("main")?.removeAttribute("aria-busy");
