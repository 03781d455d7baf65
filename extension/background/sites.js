import { covering, hostOf, registrable } from "./domains.js";

/**
 * @typedef {import("./engine.js").Mode} Mode
 */

/** @type {readonly Mode[]} */
export const MODES = ["off", "watch", "protect", "strict"];

/** Where the user's choices are kept in storage. */
export const CHOICES = ["modes", "allowed"];

/**
 * What the user chose, as storage holds it.
 * @typedef {object} Choices
 * @property {Record<string, Mode>} modes by domain
 * @property {Record<string, string[]>} allowed hosts that are let through, by domain of the page
 */

/**
 * A protected domain with all that is chosen for it.
 * @typedef {object} Site
 * @property {string} domain its pages are on this host and its subdomains
 * @property {string} own registrable domain: what is within it is no third party
 * @property {Mode} mode
 * @property {string[]} allow hosts that the user lets through there
 */

/**
 * @param {Mode | "unknown"} mode
 * @returns {boolean} whether anything is stopped in it
 */
export function stops(mode) {
  return mode === "protect" || mode === "strict";
}

/**
 * Whether a host is one of those that a user let through, or below one.
 * @param {string} host
 * @param {readonly string[]} allowed
 * @returns {boolean}
 */
export function isAllowed(host, allowed) {
  return allowed.some((name) => host === name || host.endsWith(`.${name}`));
}

/**
 * Which sites are protected, and how: those of the list by default, and what
 * the user chose. Null stands for what could not be read; then nothing that it
 * might have protected is taken for unprotected.
 */
export class Sites {
  /** @type {Set<string> | null} */
  #listed;
  /** @type {Map<string, Mode> | null} */
  #chosen;
  /** @type {Map<string, string[]>} */
  #allowed;

  /**
   * @param {Iterable<string> | null} listed domains of the list
   * @param {Partial<Record<keyof Choices, unknown>> | null} stored what storage holds
   */
  constructor(listed, stored) {
    this.#listed = listed && new Set(listed);
    this.#chosen = stored && readModes(stored.modes);
    this.#allowed = readAllowed(stored?.allowed);
  }

  /**
   * The protected domain that a host belongs to, "" when none does.
   * @param {string} host
   * @returns {string}
   */
  domainOf(host) {
    return covering(host, { has: (domain) => Boolean(this.#listed?.has(domain) || this.#chosen?.has(domain)) });
  }

  /**
   * @param {string} host of a page
   * @returns {Mode | "unknown"} unknown: the page may be protected or not
   */
  modeOf(host) {
    const domain = this.domainOf(host);
    if (domain !== "") return this.#chosen?.get(domain) ?? "protect";
    return this.#listed && this.#chosen ? "off" : "unknown";
  }

  /**
   * The hosts that the user lets through on a domain's pages, sorted.
   * @param {string} domain as {@link domainOf} finds it
   * @returns {readonly string[]}
   */
  allowedOn(domain) {
    return this.#allowed.get(domain) ?? [];
  }

  /**
   * Whether the user lets a host, or what it is a subdomain of, through.
   * @param {string} page host
   * @param {string} url of the request: nearly no user lets anything through, so it is not read before
   * @returns {boolean}
   */
  allows(page, url) {
    return this.#allowed.size > 0 && isAllowed(hostOf(url), this.allowedOn(this.domainOf(page)));
  }

  /**
   * @param {string} domain
   * @returns {boolean}
   */
  isListed(domain) {
    return Boolean(this.#listed?.has(domain));
  }

  /** @returns {boolean} whether both list and choices could be read */
  get known() {
    return this.#listed !== null && this.#chosen !== null;
  }

  /**
   * What the browser is told of: every protected domain, whatever its mode.
   * @returns {Site[]} sorted by domain
   */
  scope() {
    const all = [...new Set([...(this.#listed ?? []), ...(this.#chosen?.keys() ?? [])])].sort();
    return all.map((domain) => ({
      domain,
      own: registrable(domain),
      mode: /** @type {Mode} */ (this.modeOf(domain)),
      allow: [...this.allowedOn(domain)],
    }));
  }

  /**
   * The choices with one more mode made. A domain that ends as it would be
   * without any choice is forgotten, so that nothing is kept about it.
   * @param {string} domain
   * @param {Mode} mode
   * @returns {Choices} for storage
   */
  choose(domain, mode) {
    const modes = new Map(this.#chosen ?? []);
    const allowed = new Map(this.#allowed);
    if (mode === (this.isListed(domain) ? "protect" : "off")) modes.delete(domain);
    else modes.set(domain, mode);
    if (mode === "off" && !this.isListed(domain)) allowed.delete(domain);
    return { modes: Object.fromEntries(modes), allowed: Object.fromEntries(allowed) };
  }

  /**
   * The choices with one more host let through, or stopped again.
   * @param {string} domain
   * @param {string} host
   * @param {boolean} allow
   * @returns {Choices} for storage
   */
  allow(domain, host, allow) {
    const allowed = new Map(this.#allowed);
    const hosts = new Set(this.allowedOn(domain));
    if (allow) hosts.add(host);
    else hosts.delete(host);
    if (hosts.size === 0) allowed.delete(domain);
    else allowed.set(domain, [...hosts].sort());
    return { modes: Object.fromEntries(this.#chosen ?? []), allowed: Object.fromEntries(allowed) };
  }
}

/**
 * @param {unknown} stored
 * @returns {Map<string, Mode>}
 */
function readModes(stored) {
  const modes = new Map();
  for (const [domain, mode] of Object.entries(stored ?? {})) {
    if (MODES.includes(mode)) modes.set(domain, mode);
  }
  return modes;
}

/**
 * @param {unknown} stored
 * @returns {Map<string, string[]>}
 */
function readAllowed(stored) {
  const allowed = new Map();
  for (const [domain, hosts] of Object.entries(stored ?? {})) {
    const readable = Array.isArray(hosts) ? hosts.filter(isHost) : [];
    if (readable.length > 0) allowed.set(domain, readable);
  }
  return allowed;
}

/**
 * @param {unknown} text
 * @returns {text is string} whether it is one host in its canonical form
 */
export function isHost(text) {
  return typeof text === "string" && text.length <= 253 && text !== "" && hostOf(`https://${text}/`) === text;
}

/**
 * Whether a text may name a site in a message: one host in its canonical form,
 * and no wider than a registrable domain unless the list itself has it.
 * @param {unknown} text
 * @param {Sites} sites
 * @returns {text is string}
 */
export function isSite(text, sites) {
  if (typeof text !== "string" || text.length > 253 || !/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(text)) return false;
  return sites.isListed(text) || registrable(text) === text;
}
