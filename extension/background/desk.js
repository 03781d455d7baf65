import { Module } from "./wasm.js";

/**
 * @typedef {object} Blob
 * @property {number} size bytes
 * @property {string} sha256 hexadecimal
 */

/**
 * What a verified release note says.
 * @typedef {object} Note
 * @property {number} index
 * @property {string} issued RFC 3339
 * @property {string} expires RFC 3339
 * @property {number} minWaitSeconds
 * @property {Blob} bundle what the list must compile to
 * @property {Blob} list what is fetched
 */

/**
 * What people may want to know about a list.
 * @typedef {object} About
 * @property {{domain: string, name: string}[]} sites
 * @property {{host: string, name: string, country: string}[]} recipients
 * @property {{hosts: number, rules: number}} counts
 */

/**
 * @typedef {object} WrittenRules
 * @property {chrome.declarativeNetRequest.Rule[]} small those that depend on modes and on what users allow
 * @property {chrome.declarativeNetRequest.Rule[]} large all others
 * @property {{unsaid: Record<string, number>}} counts
 */

/**
 * @typedef {object} RuleSettings
 * @property {import("./sites.js").Site[]} sites
 * @property {string} placeholder path of a packaged file
 */

/**
 * The large module, for the rare jobs: instantiated when one is to be done, so
 * that no wake pays for it, and dropped with all its memory afterwards.
 */
export class Desk {
  #module;

  /**
   * @template T
   * @param {(desk: Desk) => T | Promise<T>} job
   * @returns {Promise<T>}
   */
  static async use(job) {
    return job(new Desk(await Module.load("desk")));
  }

  /** @param {Module} module */
  constructor(module) {
    this.#module = module;
  }

  /**
   * @param {Uint8Array} note
   * @param {string} trust keys and threshold
   * @param {number} have index of the newest release ever taken
   * @returns {Note}
   */
  verify(note, trust, have) {
    return JSON.parse(this.#module.text(this.#call("verify", [note, trust], have)));
  }

  /**
   * @param {Uint8Array} list canonical text
   * @param {string} sha256 that the bundle must have
   * @returns {Uint8Array<ArrayBuffer>}
   */
  compile(list, sha256) {
    return this.#module.bytes(this.#call("compile", [list, sha256]));
  }

  /**
   * @param {Uint8Array} bundle
   * @returns {About}
   */
  describe(bundle) {
    return JSON.parse(this.#module.text(this.#call("describe", [bundle])));
  }

  /**
   * @param {RuleSettings} settings
   * @param {Uint8Array | ArrayBuffer} bundle
   * @returns {WrittenRules}
   */
  rules(settings, bundle) {
    return JSON.parse(this.#module.text(this.#call("rules", [JSON.stringify(settings), bundle])));
  }

  /**
   * @param {RuleSettings} settings
   * @returns {WrittenRules["small"]}
   */
  smallRules(settings) {
    return JSON.parse(this.#module.text(this.#call("smallRules", [JSON.stringify(settings)])));
  }

  /**
   * @param {string} name
   * @param {(string | Uint8Array | ArrayBuffer)[]} parts
   * @param {...number} numbers
   */
  #call(name, parts, ...numbers) {
    const size = this.#module.call(name, parts, ...numbers);
    if (size < 0) throw new Error(this.#module.text(-size));
    return size;
  }
}
