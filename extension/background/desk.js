import { readSuffixes } from "./domains.js";
import { Module } from "./wasm.js";

/**
 * @typedef {object} Blob
 * @property {number} size bytes
 * @property {string} sha256 hexadecimal
 */

/**
 * What a release says that may be taken.
 * @typedef {object} Said
 * @property {number} index
 * @property {string} issued RFC 3339
 * @property {string} expires RFC 3339
 * @property {number} minWaitSeconds
 * @property {Blob} bundle what the list must compile to
 * @property {Blob} list what is fetched
 * @property {string[]} signers names of the maintainers who signed it
 * @property {Witness[]} witnesses who have seen the log with it
 * @property {import("./relay.js").Relay[]} relays that photos may be asked through
 * @property {string} trust who is trusted from now on
 * @property {string} client what is to be remembered with the list
 */

/**
 * @typedef {object} Witness
 * @property {string} name
 * @property {string} time RFC 3339
 */

/**
 * Which check a release did not pass.
 * @typedef {"note" | "older" | "keys" | "proof" | "witness" | "consistency"} Code
 */

/**
 * How it stands with a release: it may be taken, or is refused, or something
 * that the list server has is missing to tell.
 * @typedef {{taken: Said, refused?: undefined, missing?: undefined}
 *   | {refused: {code: Code, detail: string}, taken?: undefined, missing?: undefined}
 *   | {missing: {path: string, limit: number}, taken?: undefined, refused?: undefined}} Verified
 */

/**
 * What a release is verified with.
 * @typedef {object} Claim
 * @property {Uint8Array} answer of the list server
 * @property {string} trust who is trusted as long as nothing is remembered
 * @property {string} client what is remembered of the last release, "" when there was none
 * @property {boolean} again whether that release may be taken once more
 * @property {Map<string, Uint8Array>} resources what was missing so far, by path
 */

/**
 * Whom a trust names.
 * @typedef {object} Trust
 * @property {number} threshold how many maintainers must sign
 * @property {string[]} maintainers
 * @property {string[]} witnesses
 * @property {boolean} witnessed whether no release is taken that no witness has seen
 */

/**
 * What people may want to know about a list.
 * @typedef {object} About
 * @property {{domain: string, name: string}[]} sites
 * @property {{host: string, name: string, country: string, purposes?: string[]}[]} recipients "purposes": what each receives requests for, by key
 * @property {{hosts: number, rules: number}} counts
 */

/**
 * A line of a user's own rules that is none.
 * @typedef {object} RuleProblem
 * @property {number} line from 1
 * @property {string} text of the line
 * @property {string} problem what is wrong and what to do, in English
 */

/**
 * @typedef {object} Lint
 * @property {number} count of rules
 * @property {RuleProblem[]} problems
 */

/**
 * @typedef {object} WrittenRules
 * @property {chrome.declarativeNetRequest.Rule[]} small those that depend on modes and on what users allow
 * @property {chrome.declarativeNetRequest.Rule[]} large all others
 * @property {{unsaid: Record<string, number>}} counts
 */

/**
 * @typedef {object} RuleSettings
 * @property {import("./sites.js").Mode} everywhere mode of all other pages
 * @property {import("./sites.js").Site[]} sites
 * @property {string} placeholder path of a packaged file
 * @property {string} inline such a picture as a data: URL
 */

/**
 * One organisation in a visit, see {@link import("./recipients.js").Recipient}.
 * @typedef {object} MoreOfRecipient
 * @property {"third" | "first"} party "first": the page's own site
 * @property {number} requests
 * @property {{requests: number, names: string[]}} cookies that it was sent, as far as it is known
 * @property {Outcome[]} outcomes
 */

/**
 * @typedef {object} Outcome
 * @property {import("./engine.js").Action} action
 * @property {string} reason
 * @property {number} requests
 */

/**
 * See package wasm/audit.
 * @typedef {object} Report
 * @property {{address: string, requests: number}[]} pages
 * @property {number} requests that left the browser or that Paravent stopped
 * @property {number} unsent that never left it, and count nowhere else
 * @property {Outcome[]} outcomes
 * @property {(import("./recipients.js").Recipient & MoreOfRecipient)[]} recipients
 */

/**
 * A request of a visit.
 * @typedef {object} Entry
 * @property {number} page index of the visit's pages, -1 when it is of none
 * @property {number} at milliseconds since the visit's start
 * @property {string} url
 * @property {string} host
 * @property {string} type as webRequest names it
 * @property {string} method
 * @property {string} recipient its name
 * @property {"third" | "first"} party
 * @property {import("./engine.js").Action} action what was done, or would have been
 * @property {import("./record.js").Outcome} outcome what became of it
 * @property {string} reason
 * @property {string} rule "" when none decided
 * @property {import("./engine.js").Leak[]} learnt what it carried
 */

/**
 * @typedef {object} Audit
 * @property {import("./visits.js").VisitAbout} visit its mode and that of its pages is "" when Paravent was not there
 * @property {Report} report
 * @property {Entry[]} entries
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
   * @param {Claim} claim
   * @returns {Verified}
   */
  verify({ answer, trust, client, again, resources }) {
    const names = [...resources].map(([path, { length }]) => ({ path, length }));
    const bytes = new Uint8Array(names.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const data of resources.values()) {
      bytes.set(data, at);
      at += data.length;
    }
    const parts = [answer, trust, client, JSON.stringify(names), bytes];
    return JSON.parse(this.#module.text(this.#call("verify", parts, Number(again))));
  }

  /**
   * @param {string} trust
   * @param {string} client what is remembered, if anything: keys may have changed since
   * @returns {Trust}
   */
  trust(trust, client) {
    return JSON.parse(this.#module.text(this.#call("trust", [trust, client])));
  }

  /**
   * @param {Uint8Array} bundle
   * @returns {Uint8Array<ArrayBuffer>} the canonical text that it was compiled from
   */
  text(bundle) {
    return this.#module.bytes(this.#call("text", [bundle]));
  }

  /**
   * @param {Uint8Array} bundle
   * @param {Uint8Array} delta from its canonical text
   * @param {Blob} list what it must lead to
   * @returns {Uint8Array<ArrayBuffer>} that canonical text
   */
  patch(bundle, delta, list) {
    return this.#module.bytes(this.#call("patch", [bundle, delta, JSON.stringify(list)]));
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
   * @param {string} rules that a user wrote
   * @returns {Lint & {unsaid: RuleProblem[], regexps: {line: number, text: string, regex: string, isCaseSensitive: boolean}[]}}
   *   besides what is wrong anywhere, what Chromium has no words for, and the
   *   regular expressions, which it may refuse
   */
  lintOwn(rules) {
    return JSON.parse(this.#module.text(this.#call("lintOwn", [rules])));
  }

  /**
   * @param {Uint8Array} bundle
   * @param {string} rules that a user wrote
   * @returns {Uint8Array<ArrayBuffer>} the bundle of both
   */
  addOwn(bundle, rules) {
    return this.#module.bytes(this.#call("addOwn", [bundle, rules]));
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
   * Judges a recorded visit by its requests alone.
   * @param {Uint8Array | ArrayBuffer} har an HTTP archive
   * @param {Uint8Array | ArrayBuffer} bundle
   * @returns {Promise<Audit>} rejects with what is wrong with the archive
   */
  async audit(har, bundle) {
    await readSuffixes();
    return JSON.parse(this.#module.text(this.#call("audit", [har, bundle])));
  }

  /**
   * What happened in a visit.
   * @param {import("./visits.js").Visit} visit
   * @param {Uint8Array | ArrayBuffer} bundle
   * @returns {Promise<Audit>}
   */
  async visit(visit, bundle) {
    await readSuffixes();
    return JSON.parse(this.#module.text(this.#call("visit", [JSON.stringify(visit), bundle])));
  }

  /**
   * A visit as a file: an HTTP archive, the inspection of the Website Evidence
   * Collector, or a table.
   * @param {"har" | "inspection" | "csv"} format
   * @param {import("./visits.js").Visit} visit
   * @param {Uint8Array | ArrayBuffer} bundle
   * @returns {Promise<Uint8Array<ArrayBuffer>>}
   */
  async export(format, visit, bundle) {
    await readSuffixes();
    return this.#module.bytes(this.#call("export", [format, JSON.stringify(visit), bundle]));
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
