/**
 * What a list of ten times the rules costs, and what an address made to hurt
 * costs: both in Node, through the WebAssembly.
 */

import { contenders } from "./engines.js";
import { startModule } from "../tools/modules.js";
import { measure, speed } from "./measure.js";

/** @typedef {import("./requests.js").Request} Request */

const COPIES = 9;
const SEED = 20260814;
const PLAN = { warm: 4, rounds: 15, clocked: 0, every: 1, repeats: 1 };

/**
 * @param {string} list
 * @param {Request[]} requests
 * @param {(list: string, name: string) => Promise<Uint8Array>} compile
 */
export async function measureScale(list, requests, compile) {
  const rules = list.split("\n").filter((line) => line !== "" && !/^[![]/.test(line));
  const many = multiplied(rules, COPIES, SEED);
  const one = await decider(await compile(`${rules.join("\n")}\n`, "once"));
  const ten = await decider(await compile(`${many.join("\n")}\n`, "tenfold"));
  const figures = measure({ one, ten }, requests, PLAN, globalThis.gc);
  return {
    rules: rules.length,
    rules_tenfold: many.length,
    median_ns: figures.one.median_ns,
    median_ns_tenfold: figures.ten.median_ns,
    times_tenfold: 1 / speed(figures.one, figures.ten),
    hostile: hostile(one, requests, figures.one.median_ns),
  };
}

/**
 * @param {Uint8Array} bundle
 * @returns {Promise<import("./engines.js").Decider>}
 */
async function decider(bundle) {
  return contenders.paravent.load(bundle, { suffixes: "", module: () => startModule("engine") });
}

/**
 * The rules and copies of them, each with the letters of its words in another
 * order: as many of every shape, of every length, of every letter.
 * @param {string[]} rules
 * @param {number} copies
 * @param {number} seed
 * @returns {string[]} no rule twice
 */
export function multiplied(rules, copies, seed) {
  const random = generator(seed);
  const all = new Set(rules);
  for (let copy = 0; copy < copies; copy++) {
    for (const rule of rules) {
      if (rule.startsWith("/") && /\/(\$|$)/.test(rule)) continue; // may be a regular expression
      const end = rule.includes("$") ? rule.lastIndexOf("$") : rule.length;
      // Top-level domains and the like are short and stay what they are.
      const pattern = rule.slice(0, end).replace(/[a-z0-9]{4,}/gi, (word) => shuffled([...word], random).join(""));
      all.add(pattern + rule.slice(end));
    }
  }
  return [...all];
}

/**
 * @template T
 * @param {T[]} items changed
 * @param {() => number} random
 */
function shuffled(items, random) {
  for (let i = items.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [items[i], items[j]] = [items[j], items[i]];
  }
  return items;
}

/**
 * Numbers in [0, 1) by a linear congruential generator (Numerical Recipes'
 * constants): the same ones from the same seed, everywhere.
 * @param {number} seed
 */
function generator(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/**
 * @param {import("./engines.js").Decider} engine
 * @param {Request[]} requests
 * @param {number} median
 */
function hostile(engine, requests, median) {
  const random = generator(SEED);
  const size = 64 * 1024;
  /** @type {(alphabet: string) => string} */
  const filled = (alphabet) => Array.from({ length: size }, () => alphabet[Math.floor(random() * alphabet.length)]).join("");
  const words = filled("abcdefghijklmnopqrstuvwxyz0123456789&=%-_./");
  const made = {
    "64 KB of query": { ...requests[0], url: `https://cdn.somebody.example/a/b.js?q=${words}` },
    "64 KB of slashes": { ...requests[0], url: `https://cdn.somebody.example${"/".repeat(size)}x` },
    "120 labels": { ...requests[0], url: `https://${"a.".repeat(120)}example/x` },
  };
  return Object.fromEntries(Object.entries(made).map(([name, request]) => {
    const { median_ns } = measure({ engine }, Array.from({ length: 500 }, () => request), PLAN, globalThis.gc).engine;
    return [name, { median_ns, times_median: median_ns / median }];
  }));
}
