/**
 * Who stands on the workshop's stage, and what is known of each: from the
 * requests of a visit, those without Paravent (mode watch) and those with it.
 * Pure.
 */

import { groupsOf, toldOf } from "./report-data.js";

/** @typedef {import("./report-data.js").Row} Row */
/** @typedef {import("./report-data.js").Group} Group */
/** @typedef {import("./report-data.js").Known} Known */

/**
 * How much somebody learnt: all that was sent, a part, or nothing.
 * @typedef {"lit" | "part" | "dark"} Eye
 */

/** @typedef {{eye: Eye, group: Group | null}} Cell null: nothing was ever asked of them */

/**
 * @typedef {object} Person
 * @property {string} name
 * @property {string} country
 * @property {Pick<Group, "purposes">["purposes"]} purposes
 * @property {boolean} photos whether they serve any
 * @property {Cell | null} before null: not seen on that side yet
 * @property {Cell | null} after
 */

/**
 * The two sides of a visit.
 * @param {Row[]} rows
 * @param {{mode?: string}[]} pages
 * @returns {{before: Row[], after: Row[]}}
 */
export function sidesOf(rows, pages) {
  const isAfter = (/** @type {Row} */ { page }) => ["protect", "strict"].includes(pages[page]?.mode ?? "");
  return { before: rows.filter((row) => !isAfter(row)), after: rows.filter(isAfter) };
}

/**
 * What the same visit would have been with Paravent: each request has the fate
 * that the engine would give it.
 * @param {Row[]} rows
 * @returns {Row[]}
 */
export function protectedRows(rows) {
  return rows.map((row) => ({ ...row, fate: row.action === "block" ? "stopped" : row.action === "relay" ? "held" : "passed" }));
}

/**
 * @param {{before: Row[], after: Row[]}} sides
 * @param {Known[]} known
 * @returns {{people: Person[], needed: Group[]}} people in the order in which
 *   they were first asked; needed: those that are let through on both sides
 */
export function peopleOf({ before, after }, known) {
  const [without, within] = [before, after].map((rows) => new Map(groupsOf(rows, known).map((group) => [group.name, group])));
  const names = new Set([...before, ...after].map(({ recipient }) => recipient));
  /** @type {Person[]} */
  const people = [];
  /** @type {Group[]} */
  const needed = [];
  for (const name of names) {
    const [one, other] = [without?.get(name), within?.get(name)];
    const group = one ?? other;
    if (!group) continue;
    if (toldOf(one ?? group) + toldOf(other ?? group) === 0) {
      needed.push(group);
      continue;
    }
    const { country, purposes } = group;
    people.push({
      name,
      country,
      purposes,
      photos: (one?.photos ?? 0) + (other?.photos ?? 0) > 0,
      before: cellOf(one, before),
      after: cellOf(other, after),
    });
  }
  return { people, needed };
}

/**
 * @param {Group | undefined} group
 * @param {Row[]} rows of that side
 * @returns {Cell | null}
 */
function cellOf(group, rows) {
  // Whoever was not asked at all has learnt nothing, once there was something to ask for.
  if (!group) return rows.length > 0 ? { eye: "dark", group: null } : null;
  const { block, relay, would, missed, allow } = group.counts;
  if (would + missed > 0) return { eye: block + relay > 0 ? "part" : "lit", group };
  return { eye: allow > 0 ? "part" : "dark", group };
}
