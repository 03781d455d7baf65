/**
 * How long the WebAssembly engine takes for a decision in Node, from
 * JavaScript strings to a decision, and whether it answers as native Go does:
 *
 *   node tools/bench.js --bundle FILE --native dist/bin/paravent [--corpus requests.jsonl[.gz]]
 *
 * Without a corpus the requests are made from the list itself: every 50th
 * rule's host, below it, beside it, and as a path elsewhere.
 */

import { execFileSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gunzipSync } from "node:zlib";
import { hostOf, registrable } from "../background/domains.js";
import { openEngine } from "./modules.js";

/** @typedef {{url: string, page: string, type: string}} Request */

const ROUNDS = 7;

const { values } = parseArgs({
  options: {
    bundle: { type: "string", default: "dist/lists/list.bundle" },
    native: { type: "string", default: "dist/bin/paravent" },
    corpus: { type: "string" },
  },
});

/**
 * @param {string} bundle
 * @returns {Promise<Request[]>}
 */
async function madeOf(bundle) {
  const list = await readFile(bundle.replace(/list\.bundle$/, "list.txt"), "utf8");
  const page = "https://www.booking.example/oncologist/paris?insurance=private";
  const hosts = list.slice(list.indexOf("[hosts]") + 8, list.indexOf("[rules]")).trim().split("\n");
  const rules = list.slice(list.indexOf("[rules]") + 8).trim().split("\n");
  const requests = hosts.filter((_, i) => i % 50 === 0).flatMap((host) => [
    { url: `https://${host}/`, page, type: "script" },
    { url: `https://cdn.${host}/a/b/c.gif?u=${encodeURIComponent(page)}`, page, type: "image" },
    { url: `https://x${host}/collect`, page, type: "ping" },
    { url: `https://www.booking.example/${host}/x.js`, page, type: "xmlhttprequest" },
  ]);
  for (const rule of rules.filter((_, i) => i % 10 === 0)) {
    const [, target] = /^\|\|([^$]*)/.exec(rule) ?? ["", ""];
    requests.push({ url: `https://${target.replaceAll("*", "x").replaceAll("^", "/").replace(/\|$/, "")}`, page, type: "script" });
  }
  return requests;
}

/**
 * @param {string} file
 * @returns {Promise<Request[]>}
 */
async function recorded(file) {
  const bytes = await readFile(file);
  const text = (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
  return text.trim().split("\n").map((line) => JSON.parse(line));
}

/**
 * @param {number[]} sorted
 * @param {number} share
 */
function quantile(sorted, share) {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]);
}

const requests = values.corpus ? await recorded(values.corpus) : await madeOf(values.bundle);
const bundle = await readFile(values.bundle);

const before = performance.now();
const engine = await openEngine(bundle);
const loaded = performance.now() - before;

const sites = requests.map((request) => registrable(hostOf(request.page)));
/** @type {number[]} */
const times = [];
/** @type {number[]} */
const rounds = [];
for (let round = 0; round < ROUNDS; round++) {
  // Addresses that were never seen before, made outside the timing.
  const urls = requests.map(({ url }) => `${url}${url.includes("?") ? "&" : "?"}r=${round}`);
  let sum = 0;
  for (let i = 0; i < requests.length; i++) {
    const start = performance.now();
    engine.decide(urls[i], requests[i].page, sites[i], requests[i].type, "protect");
    const took = (performance.now() - start) * 1e6;
    sum += took;
    if (round > 0) times.push(took);
  }
  if (round > 0) rounds.push(sum / requests.length);
}
times.sort((a, b) => a - b);
rounds.sort((a, b) => a - b);

const lines = requests.map((request) => JSON.stringify(request)).join("\n");
const run = { input: `${lines}\n`, maxBuffer: 1 << 30, encoding: /** @type {const} */ ("utf8") };
const ours = execFileSync(process.execPath, [fileURLToPath(new URL("check.js", import.meta.url)), "--bundle", values.bundle], run);
const native = execFileSync(values.native, ["check", "-bundle", values.bundle], run).split("\n");
const differing = ours.split("\n").filter((line, i) => line !== native[i]).length;

console.log(`requests            ${requests.length}${values.corpus ? "" : " (made of the list)"}`);
console.log(`engine ready        ${loaded.toFixed(0)} ms from bytes`);
console.log(`a decision          ${quantile(rounds, 0.5)} ns (median of ${rounds.length} rounds' means)`);
console.log(`                    p50 ${quantile(times, 0.5)}  p90 ${quantile(times, 0.9)}  p99 ${quantile(times, 0.99)} ns, the clock's own cost included`);
console.log(`unlike native Go    ${differing} of ${requests.length} answers`);
if (differing > 0) process.exitCode = 1;
