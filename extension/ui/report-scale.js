/**
 * Time as a report draws it: a visit is a few busy seconds and long silences,
 * so that silences are shortened and each page has room for its number. Pure.
 */

/**
 * @typedef {object} Scale
 * @property {(time: number) => number} at where a moment lies, from 0 to 1
 * @property {{at: number, ms: number}[]} silences where, and how long those were that are shortened
 */

/** A silence longer than this share of all other time is shortened to it. */
const LONGEST = 0.06;

/** A page has at least this share of the whole. */
const PAGE = 0.035;

/**
 * @param {number[]} times of requests, in any order
 * @param {number[]} starts of pages, ascending
 * @returns {Scale}
 */
export function scaleOf(times, starts) {
  const moments = [...new Set([...times, ...starts])].sort((a, b) => a - b);
  const gaps = moments.slice(1).map((moment, i) => moment - (moments[i] ?? 0));
  const longest = longestOf(gaps);
  const drawn = gaps.reduce((sum, gap) => sum + Math.min(gap, longest), 0) || 1;
  const room = starts.length > 1 ? Math.min(PAGE, 0.6 / starts.length) * drawn : 0;
  const begins = new Set(starts.slice(1));
  /** @type {number[]} */
  const places = [0];
  for (const [i, gap] of gaps.entries()) {
    const extra = begins.has(moments[i + 1] ?? 0) ? room : 0;
    places.push((places[i] ?? 0) + Math.min(gap, longest) + extra);
  }
  const end = (places.at(-1) ?? 0) + (starts.length > 0 ? room : 0) || 1;
  const silences = [];
  for (const [i, gap] of gaps.entries()) {
    const middle = ((places[i] ?? 0) + (places[i + 1] ?? 0)) / 2;
    if (gap > longest && gap >= 1000) silences.push({ at: middle / end, ms: gap });
  }
  const index = new Map(moments.map((moment, i) => [moment, i]));
  return { at: (time) => (places[index.get(time) ?? 0] ?? 0) / end, silences };
}

/**
 * How long a gap may be: one of the long ones is drawn as a share of all the
 * short ones, which are told apart from them by size.
 * @param {number[]} gaps
 */
function longestOf(gaps) {
  let short = 0;
  for (const gap of [...gaps].sort((a, b) => a - b)) {
    if (gap > 1000 && gap * LONGEST > short) break;
    short += gap;
  }
  return Math.max(1000, short * LONGEST);
}

/**
 * How many requests fall into each of so many columns.
 * @param {number[]} places from 0 to 1
 * @param {number} columns
 * @returns {Map<number, number>} by column
 */
export function columnsOf(places, columns) {
  /** @type {Map<number, number>} */
  const counts = new Map();
  for (const place of places) {
    const column = Math.min(columns - 1, Math.floor(place * columns));
    counts.set(column, (counts.get(column) ?? 0) + 1);
  }
  return counts;
}
