/**
 * The report that a patient saves when a site does not work: a file in the
 * format that `paravent list from-report` reads (package server/report). It
 * tells which requests were decided how, by which rule, and no more of an
 * address than its host, unless the patient wants more.
 */

/** @typedef {import("../background/visits.js").VisitRequest} VisitRequest */

/** What stands for what was left out. */
const CUT = "…";
/** The reader takes 2,000. */
const MOST = 500;

/**
 * Requests that were decided alike.
 * @typedef {object} Row
 * @property {string} url one of them
 * @property {string} page
 * @property {string} type
 * @property {"allow" | "block" | "relay"} decision
 * @property {string} reason
 * @property {string} rule
 * @property {number} count
 */

/**
 * @param {VisitRequest[]} requests
 * @param {{url: string}[]} pages
 * @returns {Row[]} the stopped ones first
 */
export function rowsOf(requests, pages) {
  /** @type {Map<string, Row>} */
  const rows = new Map();
  for (const { url, page, type, outcome, reason, rule } of requests) {
    if (type === "main_frame" || !URL.canParse(url)) continue;
    const decision = outcome === "block" || outcome === "relay" ? outcome : "allow";
    const key = JSON.stringify([new URL(url).host, type, decision, reason, rule]);
    const row = rows.get(key);
    if (row) row.count++;
    else rows.set(key, { url, page: pages[page]?.url ?? "", type, decision, reason, rule, count: 1 });
  }
  const all = [...rows.values()];
  return [...all.filter(isStopped), ...all.filter((row) => !isStopped(row))].slice(0, MOST);
}

/** @param {Row} row */
export function isStopped({ decision }) {
  return decision !== "allow";
}

/**
 * What a row tells of an address. What follows a question mark is never told.
 * @param {string} address
 * @param {boolean} withPath
 * @returns {string}
 */
export function shortened(address, withPath) {
  if (!URL.canParse(address)) return "";
  const { protocol, host, pathname } = new URL(address);
  return withPath ? `${protocol}//${host}${pathname}` : `${protocol}//${host}/${CUT}`;
}

/**
 * @param {object} what
 * @param {string} what.site
 * @param {string} what.says
 * @param {Row[]} what.rows that the patient wants in it
 * @param {boolean} what.withPaths
 * @param {boolean} what.withPage
 * @returns {string} what the file says
 */
export function reportText({ site, says, rows, withPaths, withPage }) {
  const requests = rows.map(({ url, page, type, decision, reason, rule }) => ({
    url: shortened(url, withPaths),
    type,
    page: shortened(page, withPage),
    decision,
    reason,
    rule,
  }));
  // Without their paths, many are the same.
  const distinct = [...new Map(requests.map((request) => [JSON.stringify(request), request])).values()];
  return `${JSON.stringify({ "paravent-report": 1, site, says: says.trim(), requests: distinct }, null, 2)}\n`;
}
