/** The hosts of a recipient, few of which say enough. */

import { listed, sayCount } from "./words.js";

/** So many are named. */
const MOST = 4;

/** @param {string[]} hosts */
export function hostsText(hosts) {
  const more = hosts.length - MOST;
  return more > 1 ? sayCount("reportHostsMore", more, hosts.slice(0, MOST).join(", ")) : listed(hosts);
}
