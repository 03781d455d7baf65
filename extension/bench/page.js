/**
 * The measuring in Chromium. Runs in a page that chromium.js serves; its import
 * map says where the peers are.
 */

import { takeSuffixes } from "../background/domains.js";
import { Module } from "../background/wasm.js";
import { contenders } from "./engines.js";
import { measure } from "./measure.js";

/** @typedef {import("./measure.js").Plan} Plan */

/** @param {string} path */
const bytesOf = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());

/**
 * @param {string[]} names of the engines
 * @param {Plan} plan
 * @returns {Promise<Record<string, import("./measure.js").Figures & {load_ms: number}>>}
 */
export async function run(names, plan) {
  const requests = await (await fetch("/data/requests.json")).json();
  const suffixes = await (await fetch("/data/suffixes")).text();
  takeSuffixes(suffixes);
  const [engine, strings] = await Promise.all([bytesOf("/wasm/engine.wasm"), bytesOf("/wasm/strings.wasm")]);
  /** @type {Record<string, import("./engines.js").Decider>} */
  const deciders = {};
  /** @type {Record<string, number>} */
  const loads = {};
  for (const name of names) {
    const contender = contenders[/** @type {import("./engines.js").Name} */ (name)];
    const bytes = await bytesOf(`/data/${name}`);
    const module = await Module.start(engine, strings);
    const surroundings = { suffixes, module: async () => module };
    await contender.prepare?.(surroundings);
    const start = performance.now();
    deciders[name] = await contender.load(bytes, surroundings);
    loads[name] = performance.now() - start;
  }
  const figures = measure(deciders, requests, plan, /** @type {any} */ (globalThis).gc);
  return Object.fromEntries(names.map((name) => [name, { ...figures[name], load_ms: loads[name] }]));
}
