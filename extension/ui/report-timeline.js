/**
 * The visit in time: its pages as bands, its requests as strokes, a lane for
 * each thing that became of them. What the drawing says is also said in a
 * sentence and in a list of pages, each of which narrows the report to itself.
 */

import { byId, drawing, element, put } from "./page.js";
import { shortened } from "./report-decode.js";
import { FATES } from "./report-data.js";
import { columnsOf, scaleOf } from "./report-scale.js";
import { countLabel } from "./report-signs.js";
import { say, sayCount, span } from "./words.js";

/** @typedef {import("./report-data.js").Row} Row */

const COLUMNS = 320;
const HEIGHT = 30;
/** So many pages are told apart. */
const PAGES = 300;

let shown = "";

/**
 * @param {Row[]} rows
 * @param {{url: string, at: number}[]} pages
 * @param {number} chosen page, -1 when none is
 * @param {(page: number) => void} choose
 */
export function showTimeline(rows, pages, chosen, choose) {
  const text = JSON.stringify([rows.length, rows.at(-1)?.at, pages, chosen]);
  if (text === shown) return;
  shown = text;
  const last = rows.reduce((latest, { at }) => Math.max(latest, at), 0);
  put(byId("time-words"), `${sayCount("reportTimePages", pages.length)} ${sayCount("reportTimeRequests", rows.length, span(last))}`);
  draw(rows, pages.slice(0, PAGES), chosen);
  listPages(rows, pages.slice(0, PAGES), chosen, choose);
}

/**
 * @param {Row[]} rows
 * @param {{at: number}[]} pages
 * @param {number} chosen
 */
function draw(rows, pages, chosen) {
  const starts = pages.map(({ at }) => at);
  const scale = scaleOf(rows.map(({ at }) => at), starts);
  const bands = starts.map((start, i) => {
    const from = scale.at(start);
    const to = scale.at(starts[i + 1] ?? NaN) || 1;
    const band = element("span", { classes: ["band"], text: String(i + 1), data: { chosen: String(i === chosen) } });
    band.style.insetInlineStart = `${from * 100}%`;
    band.style.inlineSize = `${((i + 1 < starts.length ? to : 1) - from) * 100}%`;
    return band;
  });
  const silences = scale.silences.map(({ at, ms }) => {
    const mark = element("span", { classes: ["silence"], text: span(ms) });
    mark.style.insetInlineStart = `${at * 100}%`;
    return mark;
  });
  const lanes = FATES.map((fate) => ({ fate, here: rows.filter((row) => row.fate === fate) })).filter(({ here }) => here.length > 0);
  const timeline = byId("timeline");
  timeline.replaceChildren(
    element("div", { classes: ["bands"], attributes: { "aria-hidden": "true" } }, ...bands),
    ...lanes.map(({ fate, here }) =>
      element(
        "div",
        { classes: ["lane"] },
        element("p", { classes: ["small"] }, countLabel(fate, here.length)),
        strokes(here.map(({ at }) => scale.at(at)), fate),
      ),
    ),
    element("div", { classes: ["silences"], attributes: { "aria-hidden": "true" } }, ...silences),
  );
}

/**
 * @param {number[]} places
 * @param {import("./report-data.js").Fate} fate
 */
function strokes(places, fate) {
  const most = Math.log2(1 + places.length);
  const marks = [...columnsOf(places, COLUMNS)].map(([column, count]) => {
    const height = 8 + (HEIGHT - 8) * Math.min(1, Math.log2(1 + count) / Math.max(4, most));
    return drawing("path", { d: `M${column + 0.5} ${HEIGHT}v${-height.toFixed(1)}` });
  });
  return drawing(
    "svg",
    { viewBox: `0 0 ${COLUMNS} ${HEIGHT}`, preserveAspectRatio: "none", "data-fate": fate, "aria-hidden": "true" },
    ...marks,
  );
}

/**
 * @param {Row[]} rows
 * @param {{url: string, at: number}[]} pages
 * @param {number} chosen
 * @param {(page: number) => void} choose
 */
function listPages(rows, pages, chosen, choose) {
  const list = byId("time-pages");
  const focused = [...list.querySelectorAll("button")].findIndex((button) => button === document.activeElement);
  const counted = pages.map(() => new Map(FATES.map((fate) => [fate, 0])));
  for (const { page, fate } of rows) counted[page]?.set(fate, (counted[page].get(fate) ?? 0) + 1);
  list.replaceChildren(
    ...pages.map(({ url }, page) => {
      const button = element("button", { classes: ["plain"], text: pathOf(url), attributes: { type: "button", "aria-pressed": String(page === chosen) } });
      button.addEventListener("click", () => choose(page === chosen ? -1 : page));
      const labels = [...(counted[page] ?? [])].filter(([, count]) => count > 0).map(([fate, count]) => countLabel(fate, count));
      return element("li", {}, button, element("span", { classes: ["counts"] }, ...labels));
    }),
  );
  list.querySelectorAll("button")[focused]?.focus();
}

/**
 * @param {string} url
 * @returns {string} what tells a page from the others of its site
 */
export function pathOf(url) {
  try {
    const { pathname, search } = new URL(url);
    return shortened(decodeURI(pathname) + search, 200);
  } catch {
    return shortened(url, 200) || say("reportPageUnknown");
  }
}
