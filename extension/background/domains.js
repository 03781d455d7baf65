import { api } from "./api.js";

/** The browser's own list of public suffixes is newer than any packaged one. */
const native = api?.publicSuffix;

/** Rules of the packaged one, for browsers that have none. @type {Set<string> | null} */
let suffixes = null;

/**
 * Reads the packaged list, unless the browser has its own. Before this has
 * settled {@link registrable} throws there.
 * @returns {Promise<void>} rejects when the file cannot be read
 */
export async function readSuffixes() {
  if (native || suffixes) return;
  const response = await fetch(api.runtime.getURL("vendor/suffixes.txt"));
  takeSuffixes(await response.text());
}

/**
 * @param {string} list the public suffix list, a rule a line: "com", "*.ck" or "!www.ck"
 */
export function takeSuffixes(list) {
  suffixes = new Set(list.split("\n"));
}

/**
 * The host of a page's or request's address, "" when it has none that the
 * network would see (about:, data:, blob:, the browser's own pages).
 * @param {string | undefined} url
 * @returns {string}
 */
export function hostOf(url) {
  return url ? read(url).host : "";
}

/**
 * The origin of an address that has a host.
 * @param {string} url
 * @returns {string}
 */
export function originOf(url) {
  return read(url).origin;
}

const NO_HOST = Object.freeze({ host: "", origin: "" });

/**
 * What was read of addresses: a page's is looked at many times for each of its
 * requests. @type {Map<string, {host: string, origin: string}>}
 */
const addresses = new Map();
const MAX_ADDRESSES = 64;
/** Nobody makes this remember megabytes. */
const MAX_ADDRESS = 2048;

/**
 * @param {string} url
 * @returns {{host: string, origin: string}}
 */
function read(url) {
  if (!/^(https?|wss?):/.test(url)) return NO_HOST;
  let address = addresses.get(url);
  if (address) return address;
  try {
    const { hostname, origin } = new URL(url);
    address = { host: hostname.replace(/\.$/, ""), origin };
  } catch {
    return NO_HOST;
  }
  if (addresses.size >= MAX_ADDRESSES) addresses.clear();
  if (url.length <= MAX_ADDRESS) addresses.set(url, address);
  return address;
}

/** @type {Map<string, string>} */
const known = new Map();

/**
 * The site that a host belongs to: its registrable domain, also under private
 * suffixes (github.io) and unknown ones (localhost); the host itself when it is
 * an address or a suffix, so that no two such hosts ever count as one site.
 * @param {string} host as in `URL.hostname`
 * @returns {string}
 * @throws before the suffixes are known: nothing is decided on a guess
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
  if (!native) return siteOf(host);
  try {
    return native.getDomain(host, { allowUnknownSuffix: true });
  } catch {
    return host;
  }
}

/**
 * Whether a host is a suffix under which everybody can have a name of their
 * own, as com and co.uk are. One that nobody has written down is none: it may be
 * a computer's name.
 * @param {string} host
 * @returns {boolean}
 */
export function isSuffix(host) {
  const below = `x.${host}`;
  if (!native) return !host.startsWith("[") && siteOf(below) === below && isRule(host);
  try {
    return native.getDomain(below, { allowUnknownSuffix: false }) === below;
  } catch {
    return false;
  }
}

/** @param {string} host */
function isRule(host) {
  return Boolean(suffixes?.has(host) || suffixes?.has(`*.${host.slice(host.indexOf(".") + 1)}`));
}

/**
 * The longest suffix that a rule names, with one label more: the algorithm of
 * https://publicsuffix.org/list/. Where no rule holds the last label is one.
 * @param {string} host
 * @returns {string}
 */
function siteOf(host) {
  if (!suffixes) throw new Error("the public suffixes are not known");
  let longer = host;
  for (let rest = host; ; ) {
    if (suffixes.has(`!${rest}`)) return rest;
    const dot = rest.indexOf(".");
    const above = rest.slice(dot + 1);
    if (dot < 0 || suffixes.has(rest) || suffixes.has(`*.${above}`)) return longer;
    longer = rest;
    rest = above;
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
