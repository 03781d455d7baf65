/** Which rows of a report's table are shown, and in which order. Pure. */

/**
 * @typedef {import("./report-data.js").Row} Row
 * @typedef {"at" | "recipient" | "host" | "type" | "fate" | "reason" | "learnt"} Column
 */

/**
 * "" and -1 stand for all.
 * @typedef {object} Filter
 * @property {string} recipient
 * @property {string} fate
 * @property {string} type
 * @property {number} page
 * @property {boolean} told only what carried something of the page
 * @property {string} words all of them in address, host, recipient or rule
 */

/** @type {Readonly<Filter>} */
export const EVERYTHING = Object.freeze({ recipient: "", fate: "", type: "", page: -1, told: false, words: "" });

/**
 * @param {Row[]} rows
 * @param {Filter} filter
 * @returns {Row[]}
 */
export function narrowed(rows, { recipient, fate, type, page, told, words }) {
  const wanted = words.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter(
    (row) =>
      (recipient === "" || row.recipient === recipient) &&
      (fate === "" || row.fate === fate) &&
      (type === "" || row.type === type) &&
      (page < 0 || row.page === page) &&
      (!told || row.learnt.length > 0) &&
      (wanted.length === 0 || holds(row, wanted)),
  );
}

/**
 * @param {Row} row
 * @param {string[]} words
 */
function holds({ url, recipient, rule }, words) {
  const text = `${url}\n${recipient}\n${rule}`.toLowerCase();
  return words.every((word) => text.includes(word));
}

/**
 * @param {Row[]} rows
 * @param {Column} column
 * @param {boolean} descending
 * @param {(column: Column, row: Row) => string} say what a person reads in the column
 * @returns {Row[]} those that are alike in the order of the visit
 */
export function sorted(rows, column, descending, say) {
  const sign = descending ? -1 : 1;
  if (column === "at" || column === "learnt") {
    const value = (/** @type {Row} */ row) => (column === "at" ? row.at : row.learnt.length);
    return [...rows].sort((a, b) => sign * (value(a) - value(b)) || a.id - b.id);
  }
  // A few words stand in many rows: each is compared once.
  const words = [...new Set(rows.map((row) => say(column, row)))].sort(new Intl.Collator().compare);
  const ranks = new Map(words.map((word, rank) => [word, rank]));
  const rankOf = (/** @type {Row} */ row) => ranks.get(say(column, row)) ?? 0;
  return [...rows].sort((a, b) => sign * (rankOf(a) - rankOf(b)) || a.id - b.id);
}

/**
 * What rows have in one field, for a choice of it.
 * @param {Row[]} rows
 * @param {"recipient" | "fate" | "type"} field
 * @returns {string[]} what most have first
 */
export function valuesOf(rows, field) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const row of rows) counts.set(row[field], (counts.get(row[field]) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a).map(([value]) => value);
}
