import { Module } from "./wasm.js";

/**
 * @typedef {"off" | "watch" | "protect" | "strict"} Mode
 * @typedef {"allow" | "block" | "relay"} Action
 */

/**
 * What is done with a request, and why. `would` is what mode protect does with
 * it; in mode watch the action is allow all the same.
 * @typedef {object} Decision
 * @property {Action} action
 * @property {Action} would
 * @property {string} reason
 */

/**
 * The engine's words in the order of their numbers.
 * @typedef {object} Names
 * @property {string[]} types
 * @property {string[]} methods
 * @property {string[]} modes
 * @property {string[]} actions
 * @property {string[]} reasons
 */

/** What every word that the engine really decided has besides these bits, a reason and two actions. */
const MARK = 0x5aa50000;
const DECIDED = 0x1ff;

/** The bits of a mode that the engine does not know: it does not decide then. */
const NO_MODE = 0xf << 12;

/** A table of so many places, a power of two, has one for nearly every type. */
const PLACES = 64;

/**
 * Where a type lies in that table: a map would take longer to find it.
 * @param {string} type
 */
function placeOf(type) {
  return (8 * type.length + type.charCodeAt(0)) & (PLACES - 1);
}

/**
 * Reads the engine's answer. A Go program that broke inside a call returns
 * garbage instead of throwing: anything unexpected is a failure here, never a
 * decision.
 * @param {number} word
 * @param {Names} names
 * @returns {Readonly<Decision>}
 */
export function readWord(word, names) {
  const action = names.actions[(word >>> 5) & 0x3];
  const would = names.actions[(word >>> 7) & 0x3];
  const reason = names.reasons[word & 0x1f];
  if ((word & ~DECIDED) !== MARK || !action || !would || !reason) {
    throw new Error(`the engine answered 0x${(word >>> 0).toString(16)}`);
  }
  return Object.freeze({
    action: /** @type {Action} */ (action),
    would: /** @type {Action} */ (would),
    reason,
  });
}

/**
 * What is known of a request besides its address and type.
 * @typedef {object} More
 * @property {string} [method] GET when left out
 * @property {boolean} [leaks] whether to look for leaks: in the URL, and in
 * @property {string | Uint8Array} [body]
 * @property {string} [referer]
 */

/**
 * @param {string} text five lines of words
 * @returns {Names}
 */
export function readNames(text) {
  const [types, methods, modes, actions, reasons] = text.split("\n").map((line) => line.split(" "));
  if (!types || !methods || !modes || !actions || !reasons) throw new Error("the engine names no words");
  return { types, methods, modes, actions, reasons };
}

/**
 * What a request carries of its page, see package wasm/leak.
 * @typedef {object} Leak
 * @property {string} what "address", "path" or "search"
 * @property {string} place "url", "body" or "referer"
 * @property {string} encoding such as "percent" or "base64 in JSON"
 * @property {string} field the parameter or key that it stands under, "" for none
 * @property {string} text what was found, decoded, at most 100 bytes
 */

/** Decides requests with one bundle. */
export class Engine {
  #module;
  #names;
  /** @type {Map<string, number>} */
  #types;
  /** The types again, each where placeOf says. @type {{word: string, number: number}[]} */
  #placed;
  /** @type {Map<string, number>} */
  #modes;
  #other;
  /** The mode of the last request, and its bits of a call: nearly all have the same. @type {string} */
  #mode = "";
  #modeBits = NO_MODE;
  /** Words that were read before, under what of them is decided. @type {(Readonly<Decision> | undefined)[]} */
  #read = Array(DECIDED + 1).fill(undefined);

  /**
   * Takes promises, so that one is on its way beside the other.
   * @param {Uint8Array | ArrayBuffer | Promise<Uint8Array>} bundle
   * @param {Promise<Module>} [module] the packaged one when left out
   * @returns {Promise<Engine>}
   */
  static async open(bundle, module = Module.load("engine", "strings")) {
    const [opened, bytes] = await Promise.all([module, bundle]);
    return new Engine(opened, bytes);
  }

  /**
   * @param {Module} module
   * @param {Uint8Array | ArrayBuffer} bundle
   */
  constructor(module, bundle) {
    const answer = module.call("open", [bundle]);
    if (answer < 0) throw new Error(module.text(-answer));
    this.#module = module;
    this.#names = readNames(module.text(module.ask("names")));
    this.#types = new Map(this.#names.types.map((word, number) => [word, number]));
    this.#modes = new Map(this.#names.modes.map((word, number) => [word, number]));
    this.#other = this.#types.get("other") ?? 0;
    this.#placed = Array(PLACES).fill({ word: "other", number: this.#other });
    this.#types.forEach((number, word) => (this.#placed[placeOf(word)] = { word, number }));
  }

  /**
   * @param {string} url
   * @param {string} page address of the top document
   * @param {string} type as webRequest names it
   * @param {Mode} mode
   * @param {More} [more]
   * @returns {Readonly<Decision>}
   * @throws when the engine is broken
   */
  decide(url, page, type, mode, more) {
    if (mode !== this.#mode) {
      this.#mode = mode;
      const number = this.#modes.get(mode);
      this.#modeBits = number === undefined ? NO_MODE : number << 12;
    }
    const { word: placed, number: numbered } = this.#placed[placeOf(type)];
    let what = (placed === type ? numbered : (this.#types.get(type) ?? this.#other)) | this.#modeBits;
    let word;
    if (more === undefined) {
      word = this.#module.decide(url, page, what, false);
    } else {
      const { method = "GET", leaks = false, body = "", referer = "" } = more;
      const number = this.#names.methods.indexOf(method.toLowerCase());
      what |= ((number < 0 ? this.#names.methods.indexOf("other") : number) << 8) | (leaks ? 1 << 16 : 0);
      word =
        body.length + referer.length === 0
          ? this.#module.decide(url, page, what, leaks)
          : this.#module.call("decide", [url, body, referer, page], what, -1);
    }
    const known = this.#read[word & DECIDED];
    if (known !== undefined && (word & ~DECIDED) === MARK) return known;
    return (this.#read[word & DECIDED] = readWord(word, this.#names));
  }

  /**
   * What the last decided request carries of its page, whatever decided it: to
   * another site, or to whom the list stops under the page's own.
   * @returns {Leak[]} at most one for each place
   */
  told() {
    const size = this.#module.ask("leaked");
    if (size === 0) return [];
    return this.#module.text(size).split("\0").map((finding) => {
      const [what = "", place = "", encoding = "", field = "", text = ""] = finding.split("\n");
      return { what, place, encoding, field, text };
    });
  }

  /**
   * The text of the rule that made the last decision.
   * @returns {string} "" when no rule did
   */
  explain() {
    return this.#module.text(this.#module.ask("explain"));
  }
}
