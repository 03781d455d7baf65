import { covering } from "./domains.js";

/**
 * One organisation and what happened to its requests.
 * @typedef {object} Recipient
 * @property {string} name the host itself when nobody is known behind it
 * @property {string} country two letters, "" when unknown
 * @property {{host: string, reason: string}[]} hosts with why they were stopped
 * @property {Record<import("./record.js").Outcome, number>} counts
 */

/**
 * Puts the hosts of a page's record together by who stands behind them, the
 * busiest first.
 * @param {Record<string, import("./record.js").HostRecord>} hosts
 * @param {import("./store.js").ListInfo["recipients"]} known
 * @returns {Recipient[]}
 */
export function byRecipient(hosts, known) {
  const owners = new Map(known.map((owner) => [owner.host, owner]));
  /** @type {Map<string, Recipient>} */
  const groups = new Map();
  for (const [host, { block, relay, would, missed, reason }] of Object.entries(hosts)) {
    const owner = owners.get(covering(host, owners));
    const name = owner?.name ?? host;
    let group = groups.get(name);
    if (!group) {
      group = { name, country: owner?.country ?? "", hosts: [], counts: { block: 0, relay: 0, would: 0, missed: 0 } };
      groups.set(name, group);
    }
    group.hosts.push({ host, reason });
    group.counts.block += block;
    group.counts.relay += relay;
    group.counts.would += would;
    group.counts.missed += missed;
  }
  const total = (/** @type {Recipient} */ { counts }) => counts.block + counts.relay + counts.would + counts.missed;
  return [...groups.values()].sort((a, b) => total(b) - total(a) || (a.name < b.name ? -1 : 1));
}
