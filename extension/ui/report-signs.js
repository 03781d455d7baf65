/** The sign, the word and the line of each thing that can become of a request: never a colour alone. */

import { drawing, element } from "./page.js";
import { say, sayCount } from "./words.js";

/** @typedef {import("./report-data.js").Fate} Fate */

/** Paths in a square of 16. @type {Record<Fate, string[]>} */
const SIGNS = {
  stopped: ["M8 2a6 6 0 1 0 0 12a6 6 0 0 0 0-12z", "M4.6 8h6.8"],
  held: ["M2 4.5l4-1.5v9l-4 1.5z", "M6 3l4 1.5v9l-4-1.5z", "M10 4.5l4-1.5v9l-4 1.5z"],
  would: ["M8 2.2l6.2 11.3h-12.4z", "M8 6.4v3.4", "M8 11.6v.4"],
  left: ["M7 3.5h-3.5v9h9v-3.5", "M7.5 8.5l6-6", "M9.5 2.5h4v4"],
  passed: ["M2 8h11.5", "M9.5 4l4 4l-4 4"],
};

/** @param {Fate} fate */
function signOf(fate) {
  const paths = SIGNS[fate].map((d) => drawing("path", { d }));
  return drawing("svg", { viewBox: "0 0 16 16", class: "sign", "aria-hidden": "true", "data-fate": fate }, ...paths);
}

/**
 * @param {Fate} fate
 * @returns {HTMLSpanElement} sign and word
 */
export function fateLabel(fate) {
  return element("span", { classes: ["fate"], data: { fate } }, signOf(fate), say(`reportFate_${fate}`));
}

/**
 * @param {Fate} fate
 * @param {number} count
 * @returns {HTMLSpanElement} such as "12 stopped", with its sign
 */
export function countLabel(fate, count) {
  return element("span", { classes: ["fate"], data: { fate } }, signOf(fate), sayCount(`reportCount_${fate}`, count));
}
