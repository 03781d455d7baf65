/**
 * How long engines take for a request, in Node and in a page alike.
 *
 * All engines take turns, and each round another begins: what the machine does
 * meanwhile befalls all. Every engine gets strings of its own that no engine
 * has seen, so that nothing that is remembered counts, not even a string's hash.
 */

import { marked } from "./requests.js";

/**
 * @typedef {import("./engines.js").Decider} Decider
 * @typedef {import("./requests.js").Request} Request
 */

/**
 * @typedef {object} Plan
 * @property {number} warm rounds over all requests before any that counts
 * @property {number} rounds over all requests
 * @property {number} clocked rounds in which requests are timed by themselves
 * @property {number} every of how many requests one is timed by itself
 * @property {number} repeats how often it is, each time with another mark: many where the clock is coarse
 */

/**
 * @typedef {object} Figures nanoseconds
 * @property {number} median_ns the median of the rounds' means
 * @property {number} p50_ns
 * @property {number} p90_ns
 * @property {number} p99_ns of single requests, the clock's own cost taken off
 * @property {number[]} rounds the means
 * @property {number} stopped requests of a round
 */

/**
 * How many times as long a reference takes: the median of the rounds' ratios,
 * since what slows a round down slows all of it down.
 * @param {Figures} reference
 * @param {Figures} figures
 */
export function speed(reference, figures) {
  return quantile(reference.rounds.map((ns, round) => ns / figures.rounds[round]).sort((a, b) => a - b), 0.5);
}

/**
 * @param {Record<string, Decider>} engines
 * @param {Request[]} requests
 * @param {Plan} plan
 * @param {() => void} [collect] the garbage, between turns
 * @returns {Record<string, Figures>}
 */
export function measure(engines, requests, plan, collect = () => {}) {
  const names = Object.keys(engines);
  const cost = clockCost();
  /** @type {Record<string, {means: number[], singles: number[], stopped: number}>} */
  const seen = Object.fromEntries(names.map((name) => [name, { means: [], singles: [], stopped: 0 }]));

  for (let round = 0; round < plan.warm + plan.rounds; round++) {
    for (const name of turns(names, round)) {
      const asked = marked(requests, `${round}`);
      collect();
      const { ns, stopped } = allOf(engines[name], asked);
      if (round >= plan.warm) seen[name].means.push(ns);
      seen[name].stopped = stopped;
    }
  }

  // As many strings at a time as a round over all requests has.
  const slice = Math.ceil(requests.length / plan.repeats);
  for (let round = 0; round < plan.clocked; round++) {
    const chosen = requests.filter((_, i) => i % plan.every === round % plan.every);
    for (let from = 0; from < chosen.length; from += slice) {
      for (const name of turns(names, round)) {
        const asked = chosen.slice(from, from + slice).map((request, i) =>
          marked(Array.from({ length: plan.repeats }, () => request), `c${round}.${from + i}`),
        );
        collect();
        eachOf(engines[name], asked, cost, seen[name].singles);
      }
    }
  }

  return Object.fromEntries(names.map((name) => {
    const { means, singles, stopped } = seen[name];
    const sorted = Float64Array.from(singles).sort();
    return [name, {
      median_ns: Math.round(quantile(Float64Array.from(means).sort(), 0.5)),
      p50_ns: Math.round(quantile(sorted, 0.5)),
      p90_ns: Math.round(quantile(sorted, 0.9)),
      p99_ns: Math.round(quantile(sorted, 0.99)),
      rounds: means.map(Math.round),
      stopped,
    }];
  }));
}

/**
 * @param {Decider} engine
 * @param {Request[]} asked
 * @returns {{ns: number, stopped: number}} the mean of one
 */
function allOf(engine, asked) {
  let stopped = 0;
  const start = performance.now();
  for (let i = 0; i < asked.length; i++) {
    if (engine.stops(asked[i].url, asked[i].page, asked[i].type)) stopped++;
  }
  return { ns: ((performance.now() - start) * 1e6) / asked.length, stopped };
}

/**
 * @param {Decider} engine
 * @param {Request[][]} asked
 * @param {number} cost of the clock, in nanoseconds
 * @param {number[]} singles gets nanoseconds a request
 */
function eachOf(engine, asked, cost, singles) {
  for (const alike of asked) {
    const start = performance.now();
    for (let i = 0; i < alike.length; i++) engine.stops(alike[i].url, alike[i].page, alike[i].type);
    singles.push(((performance.now() - start) * 1e6 - cost) / alike.length);
  }
}

/** @returns {number} nanoseconds between two looks at the clock with nothing between */
function clockCost() {
  const looks = Float64Array.from({ length: 20_000 }, () => {
    const start = performance.now();
    return performance.now() - start;
  });
  return quantile(looks.sort(), 0.5) * 1e6;
}

/**
 * @template T
 * @param {T[]} all
 * @param {number} round
 * @returns {T[]} the same ones, another first
 */
export function turns(all, round) {
  const first = round % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}

/**
 * @param {ArrayLike<number>} sorted
 * @param {number} share
 * @returns {number}
 */
export function quantile(sorted, share) {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}
