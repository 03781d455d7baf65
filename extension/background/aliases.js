/**
 * Firefox: who is behind a name of the site's own. DNS can say that such a name
 * is another one, a recipient's (CNAME), and then every request to it goes to
 * that recipient, with the site's cookies. A list knows the recipient's name.
 */

import { api, isFirefox } from "./api.js";
import { hostOf, registrable } from "./domains.js";

const dns = isFirefox ? /** @type {any} */ (api).dns : undefined;

/** How long a name is believed, in milliseconds. */
const KEPT_MS = 60_000;
const MAX_NAMES = 1000;

/** @type {Map<string, {name: Promise<string>, until: number}>} */
const known = new Map();

/**
 * The host whose real name is to be asked for before a request is let go.
 * @param {string} url of the request
 * @param {string} page
 * @param {{type?: string, proxyDNS?: boolean} | null} [proxy] that the request takes
 * @returns {string} "" when it is the page's own, somebody else's anyway, or cannot be asked for
 */
export function aliasIn(url, page, proxy) {
  // Whoever has names resolved by a proxy does not want to ask for them here.
  if (!dns || (proxy && proxy.type !== "direct")) return "";
  const [host, top] = [hostOf(url), hostOf(page)];
  return host !== top && registrable(host) === registrable(top) ? host : "";
}

/**
 * @param {string} host
 * @returns {Promise<string>} the name that it is an alias of, if that is of another site, else ""; never rejects
 */
export function behind(host) {
  const now = Date.now();
  const found = known.get(host);
  if (found && found.until > now) return found.name;
  if (known.size >= MAX_NAMES) known.clear();
  const name = ask(host).catch(() => "");
  known.set(host, { name, until: now + KEPT_MS });
  return name;
}

/** @param {string} host */
async function ask(host) {
  const { canonicalName = "" } = await dns.resolve(host, ["canonical_name"]);
  const name = canonicalName.replace(/\.$/, "");
  return name !== "" && registrable(name) !== registrable(host) ? name : "";
}
