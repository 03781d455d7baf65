/**
 * What a report is about, and the figures that its parts show: what became of
 * each request, and who stands behind how many of them. Pure.
 */

/**
 * What became of a request: stopped; a photo that was held back; let through in
 * mode watch, or recorded elsewhere, where it would have been stopped; left
 * although it should have been stopped; let through.
 * @typedef {"stopped" | "held" | "would" | "left" | "passed"} Fate
 */

/** In the order in which they are shown. @type {readonly Fate[]} */
export const FATES = ["left", "would", "stopped", "held", "passed"];

/**
 * @typedef {import("../background/engine.js").Leak} Finding
 * @typedef {import("../background/desk.js").Entry} Entry
 */

/** @typedef {Entry & {id: number, fate: Fate, country: string}} Row */

/**
 * What sentences are made of.
 * @typedef {object} Group one organisation, or a host that nobody is known behind
 * @property {string} name
 * @property {string} country
 * @property {string[]} purposes
 * @property {"first" | "third"} party
 * @property {{host: string, reason: string}[]} hosts
 * @property {{block: number, relay: number, would: number, missed: number, allow: number}} counts
 * @property {number} photos different addresses of photos
 * @property {number} scripts requests for scripts
 * @property {(Finding & {requests: number})[]} learnt
 */

const OUTCOMES = /** @type {Record<Entry["outcome"], Fate>} */ ({
  block: "stopped",
  relay: "held",
  would: "would",
  missed: "left",
  allow: "passed",
});

const COUNTED = /** @type {Record<Fate, keyof Group["counts"]>} */ ({
  stopped: "block",
  held: "relay",
  would: "would",
  left: "missed",
  passed: "allow",
});

/**
 * @param {Pick<Entry, "outcome">} entry
 * @returns {Fate}
 */
export function fateOf({ outcome }) {
  return OUTCOMES[outcome];
}

/**
 * @param {Entry[]} entries
 * @param {Known[]} known
 * @returns {Row[]}
 */
export function rowsOf(entries, known) {
  const countries = new Map(known.map(({ name, country }) => [name, country]));
  return entries.map((entry, id) => ({
    ...entry,
    id,
    fate: fateOf(entry),
    country: countries.get(entry.recipient) ?? "",
  }));
}

/** As many things as a recipient can be told of the pages of a visit; a file may have more. */
const MOST_LEARNT = 300;

/** @typedef {{name: string, country: string, purposes?: string[]}} Known an organisation of the list */

/**
 * Who got, or would have got, requests: those who are not the site itself, the
 * ones that should not have got theirs first, then by their number.
 * @param {Iterable<Row>} rows
 * @param {Known[]} known
 * @returns {Group[]}
 */
export function groupsOf(rows, known) {
  const facts = new Map(known.map((one) => [one.name, one]));
  /** @type {Map<string, {group: Group, hosts: Map<string, string>, photos: Set<string>, learnt: Map<string, Group["learnt"][number]>}>} */
  const all = new Map();
  for (const row of rows) {
    // What the site itself is asked for is no one else's; a tracker under its name is.
    if (row.type === "main_frame" || (row.party === "first" && row.fate === "passed")) continue;
    let one = all.get(row.recipient);
    if (!one) {
      const { country = "", purposes = [] } = facts.get(row.recipient) ?? {};
      const counts = { block: 0, relay: 0, would: 0, missed: 0, allow: 0 };
      /** @type {Group} */
      const group = { name: row.recipient, country, purposes, party: row.party, hosts: [], counts, photos: 0, scripts: 0, learnt: [] };
      one = { group, hosts: new Map(), photos: new Set(), learnt: new Map() };
      all.set(row.recipient, one);
    }
    one.group.counts[COUNTED[row.fate]]++;
    // Why a host is stopped says more of it than why something of it is not.
    if (!one.hosts.has(row.host) || row.fate !== "passed") one.hosts.set(row.host, row.reason);
    if (row.type === "script") one.group.scripts++;
    if (row.reason === "photo") one.photos.add(row.url);
    for (const finding of row.learnt) {
      const key = JSON.stringify([finding.what, finding.place, finding.encoding, finding.field, finding.text]);
      const same = one.learnt.get(key);
      if (same) same.requests++;
      else one.learnt.set(key, { ...finding, requests: 1 });
    }
  }
  const groups = [...all.values()].map(({ group, hosts, photos, learnt }) => ({
    ...group,
    hosts: [...hosts].map(([host, reason]) => ({ host, reason })),
    photos: photos.size,
    learnt: [...learnt.values()].sort((a, b) => b.requests - a.requests).slice(0, MOST_LEARNT),
  }));
  return groups.sort((a, b) => toldOf(b) - toldOf(a) || b.counts.allow - a.counts.allow || (a.name < b.name ? -1 : 1));
}

/**
 * How many requests a recipient should not get.
 * @param {Group} group
 */
export function toldOf({ counts: { block, relay, would, missed } }) {
  return block + relay + would + missed;
}

/**
 * How often each fate befell the requests of a recipient.
 * @param {Group} group
 * @returns {{fate: Fate, count: number}[]} without those that did not
 */
export function fatesOf({ counts }) {
  return FATES.map((fate) => ({ fate, count: counts[COUNTED[fate]] })).filter(({ count }) => count > 0);
}

/**
 * A visit of a file, to be saved in another format.
 * @param {Pick<import("../background/desk.js").Audit, "visit" | "entries">} audit
 * @returns {import("../background/visits.js").Visit}
 */
export function visitOf({ visit, entries }) {
  const requests = entries.map(({ page, at, url, type, method, reason, rule, learnt, outcome }) => {
    return { page, at, url, type, method, outcome, reason, rule, told: learnt, body: "", referer: "" };
  });
  return { ...visit, requests };
}
