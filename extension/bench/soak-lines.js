/** The lines of a soak's table: what was measured, and whether it holds. */

import { quantile } from "./measure.js";

/**
 * @typedef {object} Line
 * @property {string} what
 * @property {number | ""} first
 * @property {number | ""} last
 * @property {number | string} value that is judged
 * @property {number | ""} most that it may be, "" when it is told alone
 * @property {boolean} holds
 */

/**
 * Compares the first third of a time with its last.
 * @template {{at: number}} Sample
 * @param {string} what
 * @param {Sample[]} samples at: milliseconds since 1970
 * @param {(sample: Sample) => number} of
 * @param {object} how
 * @param {number} how.from when the time begins
 * @param {number} how.to when it ends
 * @param {number} [how.share] the quantile that stands for a third: what else a
 *   machine does lengthens some times, what lengthens all is the program's
 * @param {number} [how.most] times that the last may be the first, left out: told alone
 * @param {number} [how.least] a difference that counts as none, in the figure's own unit
 * @returns {Line}
 */
export function compared(what, samples, of, { from, to, share = 0.5, most, least = 0 }) {
  const third = (to - from) / 3;
  /** @type {(from: number, to: number) => number} */
  const between = (from, to) => quantile(samples.filter(({ at }) => at >= from && at < to).map(of).sort((a, b) => a - b), share);
  const first = between(from, from + third);
  const last = between(to - third, to);
  // Without samples nothing is known, and nothing holds.
  const holds = most === undefined || last <= first * most || last - first <= least;
  return { what, first: first ?? "", last: last ?? "", value: last / first, most: most ?? "", holds };
}

/**
 * @param {string} what
 * @param {number} count
 * @param {number} [most] left out: told alone
 * @param {string[]} [why] said when there are more
 * @returns {Line}
 */
export function counted(what, count, most, why = []) {
  const holds = most === undefined || count <= most;
  if (!holds) for (const line of why.slice(0, 10)) console.log(`${what}: ${line}`);
  return { what, first: "", last: "", value: String(count), most: most ?? "", holds };
}
