/**
 * What must hold after a patient's walk, judged by what the recipients
 * received and by what the patient saw.
 */

import { fromBrowser } from "./drive/demo.js";

/** @typedef {import("./drive/demo.js").Board} Board */
/** @typedef {import("./walk.js").Walked} Walked */

/**
 * Who learns something from a walk without Paravent, by the base of the site's
 * variant: the strict one lets the page embed nothing of third parties but
 * photos.
 */
const LEAKS = {
  "": ["photos", "bucket", "analytics", "metrics", "stream", "ads", "errors", "widgets"],
  "/offline": ["photos", "bucket", "analytics", "metrics", "stream", "ads", "errors", "widgets"],
  "/strict": ["photos", "bucket"],
};

/** What a page of the site's variant needs third parties for. */
const NEEDS = {
  "": ["consent", "captcha", "pay", "video", "map"],
  "/offline": ["consent", "captcha", "pay", "video", "map"],
  "/strict": [],
};

/** Doctors on the page of results, each with a photo. */
const DOCTORS = 8;

/**
 * Names what does not hold.
 *
 * @param {object} run
 * @param {boolean} run.protected whether the extension was there
 * @param {"" | "/strict" | "/offline"} [run.base]
 * @param {Walked} run.walked
 * @param {Board} run.board
 * @returns {string[]} empty: everything does
 */
export function broken({ protected: isProtected, base = "", walked, board }) {
  /** @type {string[]} */
  const wrong = [];
  const how = isProtected ? "with" : "without";
  for (const key of LEAKS[base]) {
    if (!board.recipients.some((party) => party.key === key)) wrong.push(`nobody asked ${key}`);
  }
  for (const party of board.recipients) {
    const requests = fromBrowser(party);
    if (isProtected) {
      if (requests) wrong.push(`with Paravent ${party.key} got ${requests} requests: ${addresses(party)}`);
      else if (party.connections) wrong.push(`with Paravent ${party.key} got ${party.connections} connections`);
    } else if (LEAKS[base].includes(party.key) && (!requests || !party.learnt.length)) {
      wrong.push(`without Paravent ${party.key} learnt nothing: the demo leaks less than it says`);
    }
  }
  for (const photo of walked.photos.filter(({ shown }) => !shown)) {
    wrong.push(`${how} Paravent the photo of ${photo.slug} is not shown (${photo.page})`);
  }
  const results = walked.photos.filter(({ page }) => page === "results").length;
  if (results !== DOCTORS) wrong.push(`${how} Paravent ${results} instead of ${DOCTORS} doctors had a photo`);
  for (const need of NEEDS[base]) {
    if (!walked.needs[need]) wrong.push(`${how} Paravent ${need} does not work`);
  }
  if (!walked.booked) wrong.push(`${how} Paravent the booking was not confirmed`);
  return wrong;
}

/** @param {import("./drive/demo.js").Party} party */
function addresses(party) {
  const all = party.requests.filter(({ from }) => from === "browser").map(({ type, url }) => `${type} ${url}`);
  return [...new Set(all)].slice(0, 3).join(", ");
}
