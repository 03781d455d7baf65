import { Module } from "./wasm.js";

/**
 * @typedef {"off" | "watch" | "protect"} Mode
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
 * @property {string[]} modes
 * @property {string[]} actions
 * @property {string[]} reasons
 */

/** Stands in the upper half of every word that the engine really decided. */
const CHECK = 0x5aa5;

/**
 * Reads the engine's answer. A Go program that broke inside a call returns
 * garbage instead of throwing: anything unexpected is a failure here, never a
 * decision.
 * @param {number} word
 * @param {Names} names
 * @returns {Decision}
 */
export function readWord(word, names) {
  const action = names.actions[(word >>> 8) & 0xf];
  const would = names.actions[(word >>> 12) & 0xf];
  const reason = names.reasons[word & 0xff];
  if (word >>> 16 !== CHECK || !action || !would || !reason) {
    throw new Error(`the engine answered 0x${(word >>> 0).toString(16)}`);
  }
  return {
    action: /** @type {Action} */ (action),
    would: /** @type {Action} */ (would),
    reason,
  };
}

/**
 * @param {string} text four lines of words
 * @returns {Names}
 */
export function readNames(text) {
  const [types, modes, actions, reasons] = text.split("\n").map((line) => line.split(" "));
  if (!types || !modes || !actions || !reasons) throw new Error("the engine names no words");
  return { types, modes, actions, reasons };
}

/** Decides requests with one bundle. */
export class Engine {
  #module;
  #names;
  /** @type {Map<string, number>} */
  #types;
  #other;

  /**
   * @param {Uint8Array | ArrayBuffer} bundle
   * @param {Promise<Module>} [module] the packaged one when left out
   * @returns {Promise<Engine>}
   */
  static async open(bundle, module = Module.load("engine")) {
    return new Engine(await module, bundle);
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
    this.#other = this.#types.get("other") ?? 0;
  }

  /**
   * @param {string} url
   * @param {string} page address of the top document
   * @param {string} site its registrable domain
   * @param {string} type as webRequest names it
   * @param {Mode} mode
   * @returns {Decision}
   * @throws when the engine is broken
   */
  decide(url, page, site, type, mode) {
    const number = this.#types.get(type) ?? this.#other;
    return readWord(this.#module.decide(url, page, site, number, this.#names.modes.indexOf(mode)), this.#names);
  }

  /**
   * The text of the rule that made the last decision.
   * @returns {string} "" when no rule did
   */
  explain() {
    return this.#module.text(this.#module.ask("explain"));
  }
}
