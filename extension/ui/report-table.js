/**
 * The table of a visit's requests. Fifty rows are in the page at a time,
 * whatever the visit has; rows stay the same elements while they are shown, so
 * that a visit that goes on takes no focus from anybody.
 */

import { byId, element, put } from "./page.js";
import { shortened } from "./report-decode.js";
import { FATES } from "./report-data.js";
import { EVERYTHING, narrowed, sorted, valuesOf } from "./report-filter.js";
import { detailOf } from "./report-row.js";
import { fateLabel } from "./report-signs.js";
import { pathOf } from "./report-timeline.js";
import { clock, country, listed, say, sayCount } from "./words.js";

/**
 * @typedef {import("./report-data.js").Row} Row
 * @typedef {import("./report-filter.js").Column} Column
 * @typedef {import("./report-filter.js").Filter} Filter
 */

const PAGE = 50;
/** So many recipients, or pages, can be chosen from; the search finds the others. */
const CHOICES = 300;

/** @type {[Column, string][]} */
const COLUMNS = [
  ["at", "reportTime"],
  ["recipient", "reportRecipient"],
  ["host", "reportHost"],
  ["type", "reportType"],
  ["fate", "reportDecision"],
  ["reason", "reportReason"],
  ["learnt", "reportTold"],
];

const SELECTS = /** @type {const} */ (["recipient", "fate", "type"]);

/** @param {string} name @returns {HTMLSelectElement} */
const select = (name) => /** @type {HTMLSelectElement} */ (byId(`filter-${name}`));
const search = /** @type {HTMLInputElement} */ (byId("filter-words"));
const onlyTold = /** @type {HTMLInputElement} */ (byId("filter-told"));
const back = /** @type {HTMLButtonElement} */ (byId("pager-back"));
const on = /** @type {HTMLButtonElement} */ (byId("pager-on"));

export class Table {
  #onFilter;
  /** @type {Row[]} */
  #rows = [];
  /** @type {{url: string}[]} */
  #pages = [];
  /** @type {(row: Row) => import("./report-row.js").Carried | undefined} */
  #carriedBy = () => undefined;
  /** @type {Filter} */
  #filter = EVERYTHING;
  /** @type {Column} */
  #column = "at";
  #descending = false;
  #start = 0;
  /** Rows that are open, by number. @type {Set<number>} */
  #open = new Set();
  /** @type {Map<number, HTMLTableRowElement[]>} */
  #made = new Map();

  /** @param {(filter: Filter) => void} onFilter called when the user narrows the table */
  constructor(onFilter) {
    this.#onFilter = onFilter;
    byId("table-head").append(
      ...COLUMNS.map(([column, name]) => {
        const button = element("button", { classes: ["plain"], text: say(name), attributes: { type: "button" } });
        button.addEventListener("click", () => this.#sort(column));
        return element("th", { attributes: { scope: "col" }, data: { column } }, button);
      }),
    );
    byId("filters").addEventListener("input", () => this.#read());
    byId("filters").addEventListener("submit", (event) => event.preventDefault());
    byId("filter-clear").addEventListener("click", () => {
      this.narrow({ ...EVERYTHING });
      search.focus();
    });
    // Narrow windows leave columns out: what a row opens to has what is left.
    new ResizeObserver(() => {
      const width = String(columnsShown());
      for (const cell of byId("table-body").querySelectorAll(".detail > td")) cell.setAttribute("colspan", width);
    }).observe(byId("table"));
    back.addEventListener("click", () => this.#turn(-PAGE));
    on.addEventListener("click", () => this.#turn(PAGE));
  }

  /** Another visit is shown from now on. */
  reset() {
    this.#open.clear();
    this.#made.clear();
    this.#start = 0;
    this.#filter = EVERYTHING;
  }

  /**
   * @param {Row[]} rows
   * @param {{url: string}[]} pages
   * @param {(row: Row) => import("./report-row.js").Carried | undefined} carriedBy
   */
  show(rows, pages, carriedBy) {
    // A visit only grows, but a judgement may come later than its request.
    for (const [id] of this.#made) {
      const before = this.#rows[id];
      const now = rows[id];
      if (before?.fate !== now?.fate || before?.url !== now?.url || before?.learnt.length !== now?.learnt.length) this.#made.delete(id);
    }
    this.#rows = rows;
    this.#pages = pages;
    this.#carriedBy = carriedBy;
    this.#render();
  }

  /** @param {Partial<Filter>} change */
  narrow(change) {
    this.#filter = { ...this.#filter, ...change };
    this.#start = 0;
    this.#render();
    this.#onFilter(this.#filter);
  }

  #read() {
    const { value: page } = select("page");
    this.narrow({
      recipient: select("recipient").value,
      fate: select("fate").value,
      type: select("type").value,
      page: page === "" ? -1 : Number(page),
      told: onlyTold.checked,
      words: search.value,
    });
  }

  /** @param {Column} column */
  #sort(column) {
    this.#descending = this.#column === column ? !this.#descending : column === "learnt";
    this.#column = column;
    this.#start = 0;
    this.#render();
  }

  /** @param {number} by */
  #turn(by) {
    this.#start += by;
    this.#render();
    byId("requests-title").scrollIntoView({ block: "start" });
  }

  #render() {
    this.#renderFilters();
    const found = narrowed(this.#rows, this.#filter);
    const rows = sorted(found, this.#column, this.#descending, wordsOf);
    this.#start = Math.max(0, Math.min(this.#start, Math.floor((rows.length - 1) / PAGE) * PAGE));
    const here = rows.slice(this.#start, this.#start + PAGE);
    this.#renderRows(here);
    const table = byId("table");
    table.hidden = rows.length === 0;
    table.setAttribute("aria-rowcount", String(rows.length + 1));
    byId("table-none").hidden = rows.length > 0;
    const isAll = rows.length === this.#rows.length;
    put(byId("count"), isAll ? sayCount("reportRows", rows.length) : sayCount("reportRowsOf", rows.length, String(this.#rows.length)));
    byId("filter-clear").hidden = JSON.stringify(this.#filter) === JSON.stringify(EVERYTHING);
    for (const heading of byId("table-head").children) {
      const isSorted = /** @type {HTMLElement} */ (heading).dataset.column === this.#column;
      if (isSorted) heading.setAttribute("aria-sort", this.#descending ? "descending" : "ascending");
      else heading.removeAttribute("aria-sort");
    }
    byId("pager").hidden = rows.length <= PAGE;
    byId("pager").setAttribute("aria-label", say("reportTableTitle"));
    put(byId("pager-words"), say("reportPager", String(this.#start + 1), String(this.#start + here.length), String(rows.length)));
    back.disabled = this.#start === 0;
    on.disabled = this.#start + PAGE >= rows.length;
  }

  #renderFilters() {
    const filter = this.#filter;
    for (const name of SELECTS) {
      const chosen = filter[name] === "" ? [] : [filter[name]];
      const most = new Set([...chosen, ...valuesOf(this.#rows, name).slice(0, CHOICES)]);
      const values = [...most].map((value) => ({ value, text: optionText(name, value) }));
      if (name === "fate") values.sort((a, b) => FATES.indexOf(/** @type {any} */ (a.value)) - FATES.indexOf(/** @type {any} */ (b.value)));
      else values.sort((a, b) => a.text.localeCompare(b.text));
      fill(select(name), values, filter[name]);
    }
    fill(select("page"), pageOptions(this.#pages), filter.page < 0 ? "" : String(filter.page));
    if (search.value !== filter.words) search.value = filter.words;
    onlyTold.checked = filter.told;
  }

  /** @param {Row[]} rows */
  #renderRows(rows) {
    const body = byId("table-body");
    const wanted = rows.flatMap((row, i) => {
      const made = this.#made.get(row.id) ?? this.#make(row);
      this.#made.set(row.id, made);
      for (const line of made) line.setAttribute("aria-rowindex", String(this.#start + i + 2));
      return made;
    });
    const ids = new Set(rows.map(({ id }) => id));
    for (const [id] of this.#made) if (!ids.has(id)) this.#made.delete(id);
    // Those that stay where they are are not touched: they may have the focus.
    const stays = new Set(/** @type {Element[]} */ (wanted));
    for (const old of [...body.children]) if (!stays.has(old)) old.remove();
    for (const [i, line] of wanted.entries()) if (body.children[i] !== line) body.insertBefore(line, body.children[i] ?? null);
  }

  /**
   * @param {Row} row
   * @returns {HTMLTableRowElement[]} the row, and what it opens to when it is open
   */
  #make(row) {
    const isOpen = this.#open.has(row.id);
    const button = element("button", {
      classes: ["opener"],
      text: clock(row.at),
      attributes: { type: "button", "aria-expanded": String(isOpen), "aria-label": say("reportOpenRow", clock(row.at), row.recipient) },
    });
    button.addEventListener("click", () => {
      if (!this.#open.delete(row.id)) this.#open.add(row.id);
      this.#made.delete(row.id);
      this.#render();
      this.#made.get(row.id)?.[0]?.querySelector("button")?.focus();
    });
    const who = element("td", { data: { column: "recipient" } }, element("span", { classes: ["name"], text: shortened(row.recipient, 80) }));
    if (row.country) who.append(element("span", { classes: ["country"], text: country(row.country) }));
    const line = element(
      "tr",
      { data: { id: String(row.id), fate: row.fate } },
      element("td", { classes: ["number"], data: { column: "at" } }, button),
      who,
      cell("host", shortened(row.host, 80)),
      cell("type", wordsOf("type", row)),
      element("td", { data: { column: "fate" } }, fateLabel(row.fate)),
      cell("reason", wordsOf("reason", row)),
      cell("learnt", toldText(row)),
    );
    if (!isOpen) return [line];
    line.dataset.open = "true";
    const detail = detailOf(row, this.#pages[row.page]?.url ?? "", this.#carriedBy(row));
    return [line, element("tr", { classes: ["detail"] }, element("td", { attributes: { colspan: String(columnsShown()) } }, detail))];
  }
}

/** How many columns the window has room for. */
function columnsShown() {
  return [...byId("table-head").children].filter((heading) => getComputedStyle(heading).display !== "none").length;
}

/**
 * @param {string} column
 * @param {string} text
 */
function cell(column, text) {
  return element("td", { text, data: { column } });
}

/**
 * What a person reads in a column.
 * @param {Column} column
 * @param {Row} row
 */
function wordsOf(column, row) {
  switch (column) {
    case "type":
      return typeText(row.type);
    case "fate":
      return String(FATES.indexOf(row.fate));
    case "reason":
      return say(`reportReason_${row.reason}`) || row.reason;
    default:
      return String(row[column]);
  }
}

/** @param {string} type */
function typeText(type) {
  return say(`reportType_${type}`) || type;
}

/** @param {Row} row */
function toldText({ learnt }) {
  return listed([...new Set(learnt.map(({ what, place }) => say(`reportTold_${what}_${place}`)))]);
}

/**
 * @param {"recipient" | "fate" | "type"} name
 * @param {string} value
 */
function optionText(name, value) {
  if (name === "recipient") return shortened(value, 60);
  return name === "fate" ? say(`reportFate_${value}`) : typeText(value);
}

/** @param {{url: string}[]} pages */
export function pageOptions(pages) {
  return pages.slice(0, CHOICES).map(({ url }, i) => ({ value: String(i), text: `${i + 1} · ${shortened(pathOf(url), 60)}` }));
}

/**
 * @param {HTMLSelectElement} place
 * @param {{value: string, text: string}[]} options
 * @param {string} chosen
 */
export function fill(place, options, chosen) {
  const all = [{ value: "", text: say("reportAll") }, ...options];
  const text = JSON.stringify(all);
  if (place.dataset.options !== text) {
    place.dataset.options = text;
    place.replaceChildren(...all.map(({ value, text }) => new Option(text, value)));
  }
  if (place.value !== chosen) place.value = chosen;
}
