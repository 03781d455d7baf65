/** Which pages are protected, and how: by the list, by what users choose, by what administrators do. */

import { covering, hostOf, isSuffix, registrable } from "./domains.js";

/**
 * @typedef {import("./engine.js").Mode} Mode
 */

/** @type {readonly Mode[]} */
export const MODES = ["off", "watch", "protect", "strict"];

/**
 * What is protected: the sites of the list and those that the user has added,
 * or every page.
 * @typedef {"sites" | "all"} Scope
 */

/** @type {readonly Scope[]} */
export const SCOPES = ["sites", "all"];

/** Where the user's choices are kept in storage. */
export const CHOICES = ["modes", "allowed", "scope"];

/**
 * What the user chose for sites, as storage holds it.
 * @typedef {object} Choices
 * @property {Record<string, Mode>} modes by domain
 * @property {Record<string, string[]>} allowed hosts that are let through, by domain of the page
 */

/**
 * What an administrator chose for the user, see managed.js.
 * @typedef {Pick<import("./managed.js").Values, "mode" | "sites" | "scope">} Fixed
 */

/**
 * What the browser is told of.
 * @typedef {object} Protected
 * @property {Mode} everywhere mode of the pages that belong to none of the sites
 * @property {Site[]} sites every domain that is listed or was chosen, whatever its mode, sorted
 */

/**
 * A protected domain with all that is chosen for it.
 * @typedef {object} Site
 * @property {string} domain its pages are on this host and its subdomains
 * @property {string} own registrable domain: what is within it is no third party
 * @property {boolean} listed whether it is the list that names it
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
 * Which sites are protected, and how: those of the list by default, what the
 * user chose, and above both what an administrator did. Null stands for what
 * could not be read; then nothing that it might have protected is taken for
 * unprotected.
 */
export class Sites {
  /** @type {Set<string> | null} */
  #listed;
  /** @type {Map<string, Mode> | null} */
  #chosen;
  /** @type {Map<string, string[]>} */
  #allowed;
  /** @type {Map<string, Mode>} */
  #fixed;
  /** An administrator's for all sites. @type {Mode | undefined} */
  #mode;
  /** @type {Scope} */
  #scope;

  /**
   * @param {Iterable<string> | null} listed domains of the list
   * @param {Partial<Record<keyof Choices | "scope", unknown>> | null} stored what storage holds
   * @param {Fixed} [fixed]
   */
  constructor(listed, stored, { mode, sites, scope } = {}) {
    this.#listed = listed && new Set(listed);
    this.#chosen = stored && readModes(stored.modes);
    this.#allowed = readAllowed(stored?.allowed);
    this.#fixed = new Map(Object.entries(sites ?? {}));
    this.#mode = mode;
    this.#scope = scope ?? (stored?.scope === "all" ? "all" : "sites");
  }

  /** @returns {Scope} */
  get range() {
    return this.#scope;
  }

  /**
   * The domain that a page belongs to: the one that is listed or was chosen,
   * else, where every page is protected, the registrable one.
   * @param {string} host
   * @returns {string} "" when it belongs to none that is protected
   */
  domainOf(host) {
    return this.#named(host) || (this.#scope === "all" && host !== "" ? registrable(host) : "");
  }

  /** @param {string} host */
  #named(host) {
    const has = (/** @type {string} */ domain) => Boolean(this.#listed?.has(domain) || this.#chosen?.has(domain) || this.#fixed.has(domain));
    return covering(host, { has });
  }

  /**
   * @param {string} host of a page
   * @returns {Mode | "unknown"} unknown: the page may be protected or not
   */
  modeOf(host) {
    const fixed = this.#fixed.get(covering(host, this.#fixed));
    if (fixed) return fixed;
    const domain = this.#named(host);
    if (domain !== "") return this.#mode ?? this.#chosen?.get(domain) ?? "protect";
    return this.#listed && this.#chosen ? this.#everywhere : "unknown";
  }

  /** @returns {Mode} of pages that belong to no site */
  get #everywhere() {
    return this.#scope === "all" ? (this.#mode ?? "protect") : "off";
  }

  /**
   * @param {string} domain
   * @returns {boolean} whether an administrator has chosen its mode
   */
  isFixed(domain) {
    return this.#mode !== undefined || covering(domain, this.#fixed) !== "";
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

  /** @returns {Protected} */
  scope() {
    const names = [this.#listed, this.#chosen?.keys(), this.#fixed.keys()];
    // A host can be let through on a page of which nothing else was chosen.
    if (this.#scope === "all") names.push(this.#allowed.keys());
    const all = [...new Set(names.flatMap((some) => [...(some ?? [])]))].sort();
    return {
      everywhere: this.#everywhere,
      sites: all.map((domain) => ({
        domain,
        own: registrable(domain),
        listed: this.isListed(domain),
        mode: /** @type {Mode} */ (this.modeOf(domain)),
        allow: [...this.allowedOn(domain)],
      })),
    };
  }

  /** @returns {Choices} for storage, as they are */
  choices() {
    return { modes: Object.fromEntries(this.#chosen ?? []), allowed: Object.fromEntries(this.#allowed) };
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
    if (this.#isUsual(domain, mode)) modes.delete(domain);
    else modes.set(domain, mode);
    if (mode === "off" && !this.isListed(domain)) allowed.delete(domain);
    return { modes: Object.fromEntries(modes), allowed: Object.fromEntries(allowed) };
  }

  /**
   * @param {string} domain
   * @param {Mode} mode
   */
  #isUsual(domain, mode) {
    if (this.isListed(domain)) return mode === "protect";
    if (this.#scope === "sites") return mode === "off";
    // A site that was added stays one when not every page is protected any more.
    return mode === "protect" && ["off", undefined].includes(this.#chosen?.get(domain));
  }

  /**
   * The choices without anything about one domain.
   * @param {string} domain
   * @returns {Choices} for storage
   */
  forget(domain) {
    const modes = new Map(this.#chosen ?? []);
    const allowed = new Map(this.#allowed);
    modes.delete(domain);
    allowed.delete(domain);
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
 * What is damaged of the user's choices. A site whose mode got lost may be one
 * that the user had protected: so it is not enough to leave out what is wrong.
 * @param {Record<string, unknown>} stored what storage holds
 * @returns {string} "" when nothing is
 */
export function damageOf({ modes = {}, allowed = {}, scope = "sites" }) {
  const isWhole = {
    modes: isRecord(modes) && readModes(modes).size === Object.keys(modes).length,
    allowed: isRecord(allowed) && readAllowed(allowed).size === Object.keys(allowed).length,
    scope: SCOPES.includes(/** @type {Scope} */ (scope)),
  };
  return Object.entries(isWhole).flatMap(([key, whole]) => (whole ? [] : [`${key}: damaged`])).join(", ");
}

/**
 * @param {unknown} value
 * @returns {value is object}
 */
function isRecord(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * @param {unknown} text
 * @returns {text is string} whether it is one host in its canonical form
 */
export function isHost(text) {
  return typeof text === "string" && text.length <= 253 && text !== "" && hostOf(`https://${text}/`) === text;
}

/**
 * Whether a text may name a site: one host in its canonical form, and no wider
 * than a registrable domain unless the list itself has it.
 * @param {unknown} text
 * @param {Pick<Sites, "isListed">} sites
 * @returns {text is string}
 */
export function isSite(text, sites) {
  if (typeof text !== "string" || text.length > 253 || !/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(text)) return false;
  return sites.isListed(text) || (registrable(text) === text && !isSuffix(text));
}
