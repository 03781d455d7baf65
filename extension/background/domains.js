import { api } from "./api.js";
import { getDomain } from "../vendor/tldts.js";

/** The browser's own list of public suffixes is newer than any packaged one. */
const native = api?.publicSuffix;

/**
 * The host of a page's or request's address, "" when it has none that the
 * network would see (about:, data:, blob:, the browser's own pages).
 * @param {string | undefined} url
 * @returns {string}
 */
export function hostOf(url) {
  if (!url || !/^(https?|wss?):/.test(url)) return "";
  try {
    return new URL(url).hostname.replace(/\.$/, "");
  } catch {
    return "";
  }
}

/** @type {Map<string, string>} */
const known = new Map();

/**
 * The site that a host belongs to: its registrable domain, also under private
 * suffixes (github.io) and unknown ones (localhost); the host itself when it is
 * an address or a suffix, so that no two such hosts ever count as one site.
 * @param {string} host as in `URL.hostname`
 * @returns {string}
 */
export function registrable(host) {
  let site = known.get(host);
  if (site === undefined) {
    site = lookUp(host) || host;
    if (known.size >= 1000) known.clear();
    known.set(host, site);
  }
  return site;
}

/** @param {string} host */
function lookUp(host) {
  if (host.startsWith("[") || /^[\d.]+$/.test(host)) return host;
  try {
    if (native) return native.getDomain(host, { allowUnknownSuffix: true });
    return getDomain(host, { allowPrivateDomains: true });
  } catch {
    return host;
  }
}

/**
 * The most specific of the domains that is the host or has it below itself.
 * @param {string} host
 * @param {{has(domain: string): boolean}} domains
 * @returns {string} "" when none does
 */
export function covering(host, domains) {
  for (let rest = host; rest !== ""; ) {
    if (domains.has(rest)) return rest;
    const dot = rest.indexOf(".");
    if (dot < 0) return "";
    rest = rest.slice(dot + 1);
  }
  return "";
}
