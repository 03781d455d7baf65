/**
 * What must hold after a patient's walk, judged by what the recipients
 * received and by what the patient saw.
 */

import { fromBrowser } from "./drive/demo.js";

/** @typedef {import("./drive/demo.js").Board} Board */
/** @typedef {import("./walk.js").Walked} Walked */

/**
 * Names what does not hold.
 *
 * @param {{protected: boolean, walked: Walked, board: Board}} run
 * @returns {string[]} empty: everything does
 */
export function broken({ protected: isProtected, walked, board }) {
  /** @type {string[]} */
  const wrong = [];
  const how = isProtected ? "with" : "without";
  for (const party of board.recipients) {
    const requests = fromBrowser(party);
    if (isProtected) {
      if (requests) wrong.push(`with Paravent ${party.key} got ${requests} requests: ${addresses(party)}`);
      else if (party.connections) wrong.push(`with Paravent ${party.key} got ${party.connections} connections`);
    } else if (!requests || !party.learnt.length) {
      wrong.push(`without Paravent ${party.key} learnt nothing: the demo leaks less than it says`);
    }
  }
  for (const photo of walked.photos.filter(({ shown }) => !shown)) {
    wrong.push(`${how} Paravent the photo of ${photo.slug} is not shown (${photo.page})`);
  }
  if (!walked.photos.length) wrong.push(`${how} Paravent no photo was looked at`);
  for (const [need, works] of Object.entries(walked.needs)) {
    if (!works) wrong.push(`${how} Paravent ${need} does not work`);
  }
  if (!walked.booked) wrong.push(`${how} Paravent the booking was not confirmed`);
  return wrong;
}

/** @param {import("./drive/demo.js").Party} party */
function addresses(party) {
  const all = party.requests.filter(({ from }) => from === "browser").map(({ type, url }) => `${type} ${url}`);
  return [...new Set(all)].slice(0, 3).join(", ");
}
