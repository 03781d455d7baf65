/** What Paravent stops and a reference does not, and the other way round. */

import { createHash } from "node:crypto";

/**
 * @typedef {import("./engines.js").Decider} Decider
 * @typedef {import("./requests.js").Request} Request
 */

/**
 * A request that one engine stops and the other does not, and what each goes by.
 * @typedef {Request & {line: number, reference: string, paravent: string}} Difference line counts from 1
 */

/**
 * @typedef {object} Share
 * @property {number} requests
 * @property {number} reference_blocks
 * @property {number} found of these
 * @property {number} share
 * @property {number} extra blocks
 */

/**
 * The lines whose SHA-256 begins with an even byte are there to tune with, the
 * others to report.
 * @param {string} line
 * @returns {"tuning" | "report"}
 */
function halfOf(line) {
  return createHash("sha256").update(line).digest()[0] % 2 === 0 ? "tuning" : "report";
}

/**
 * @param {Decider} paravent
 * @param {Decider} reference
 * @param {string[]} lines of the corpus
 * @param {Request[]} requests that stand in them
 */
export function compare(paravent, reference, lines, requests) {
  /** @type {Difference[]} */
  const missed = [];
  /** @type {Difference[]} */
  const extra = [];
  const halves = { tuning: emptyShare(), report: emptyShare() };
  const all = emptyShare();
  requests.forEach(({ url, page, type }, i) => {
    const shares = [all, halves[halfOf(lines[i])]];
    const wanted = reference.stops(url, page, type);
    const got = paravent.stops(url, page, type);
    for (const share of shares) {
      share.requests++;
      if (wanted) share.reference_blocks++;
      if (wanted && got) share.found++;
      if (got && !wanted) share.extra++;
    }
    if (wanted === got) return;
    const difference = {
      line: i + 1, url, page, type,
      reference: reference.why(url, page, type),
      paravent: paravent.why(url, page, type),
    };
    (wanted ? missed : extra).push(difference);
  });
  for (const share of [all, halves.tuning, halves.report]) share.share = share.reference_blocks ? share.found / share.reference_blocks : 1;
  return { all, ...halves, missed, extra };
}

/** @returns {Share} */
function emptyShare() {
  return { requests: 0, reference_blocks: 0, found: 0, share: 1, extra: 0 };
}
