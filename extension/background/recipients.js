import { covering, registrable } from "./domains.js";
import { noteLearnt } from "./record.js";

/**
 * One organisation, what happened to its requests, and what they carried.
 * @typedef {object} Recipient
 * @property {string} name the host itself when nobody is known behind it
 * @property {string} country two letters, "" when unknown
 * @property {string[]} purposes that it receives requests for, by their keys; empty when unknown
 * @property {{host: string, reason: string}[]} hosts with why they were stopped
 * @property {Record<import("./record.js").Outcome, number>} counts
 * @property {number} photos how many distinct photos were asked for
 * @property {number} scripts how many of the requests were for scripts
 * @property {import("./record.js").Learnt[]} learnt the most frequent first
 */

/**
 * Puts the hosts of a page's record together by who stands behind them: the
 * busiest of those that were stopped first, and those of which nothing was, at
 * the end. The page's own site is none of them unless the list stops it, but
 * who hides under its name is.
 * @param {Record<string, import("./record.js").HostRecord>} hosts
 * @param {import("./store.js").ListInfo["recipients"]} known
 * @param {string} domain of the page
 * @returns {Recipient[]}
 */
export function byRecipient(hosts, known, domain) {
  const owners = new Map(known.map((owner) => [owner.host, owner]));
  const site = registrable(domain);
  const ours = owners.get(covering(domain, owners));
  /** @type {Map<string, Recipient>} */
  const groups = new Map();
  for (const [host, record] of Object.entries(hosts)) {
    const owner = owners.get(covering(host, owners));
    const stopped = record.block + record.relay + record.would + record.missed;
    const isOwn = registrable(host) === site && (owner ? owner.name === ours?.name : host === domain || host === `www.${domain}` || stopped === 0);
    if (isOwn && stopped === 0) continue;
    const name = owner?.name ?? host;
    let group = groups.get(name);
    if (!group) {
      const counts = { block: 0, relay: 0, would: 0, missed: 0, allow: 0 };
      group = { name, country: owner?.country ?? "", purposes: owner?.purposes ?? [], hosts: [], counts, photos: 0, scripts: 0, learnt: [] };
      groups.set(name, group);
    }
    group.hosts.push({ host, reason: record.reason });
    for (const outcome of /** @type {(keyof typeof group.counts)[]} */ (Object.keys(group.counts))) {
      group.counts[outcome] += record[outcome];
    }
    group.photos += record.photos.length;
    group.scripts += record.scripts;
    // A site knows its pages.
    for (const learnt of isOwn ? [] : record.learnt) noteLearnt(group.learnt, learnt);
  }
  const all = [...groups.values()];
  for (const { learnt } of all) learnt.sort((a, b) => b.requests - a.requests);
  return all.sort((a, b) => stops(b) - stops(a) || b.counts.allow - a.counts.allow || (a.name < b.name ? -1 : 1));
}

/**
 * @param {Recipient} recipient
 * @returns {number} how many of its requests were stopped, or should have been
 */
function stops({ counts }) {
  return counts.block + counts.relay + counts.would + counts.missed;
}
