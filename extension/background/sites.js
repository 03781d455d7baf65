import { covering, registrable } from "./domains.js";

/**
 * @typedef {import("./engine.js").Mode} Mode
 */

/** @type {readonly Mode[]} */
export const MODES = ["off", "watch", "protect"];

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

  /**
   * @param {Iterable<string> | null} listed domains of the list
   * @param {unknown} chosen what storage holds: modes by domain; undefined at first
   */
  constructor(listed, chosen) {
    this.#listed = listed && new Set(listed);
    this.#chosen = chosen === null ? null : readModes(chosen);
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
   * What the browser's rules are written from: every protected domain whatever
   * its mode, and those of them where nothing is to be stopped.
   * @returns {{protected: string[], allowed: string[]}}
   */
  scope() {
    const all = [...new Set([...(this.#listed ?? []), ...(this.#chosen?.keys() ?? [])])].sort();
    return { protected: all, allowed: all.filter((domain) => this.modeOf(domain) !== "protect") };
  }

  /**
   * The choices with one more made. A domain that ends as it would be without
   * any choice is forgotten, so that nothing is kept about it.
   * @param {string} domain
   * @param {Mode} mode
   * @returns {Record<string, Mode>} for storage
   */
  choose(domain, mode) {
    const chosen = new Map(this.#chosen ?? []);
    if (mode === (this.isListed(domain) ? "protect" : "off")) chosen.delete(domain);
    else chosen.set(domain, mode);
    return Object.fromEntries(chosen);
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
