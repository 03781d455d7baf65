/**
 * How long one engine takes to be ready, and what memory it then holds, in a
 * process that has done nothing else:
 *
 *   node --expose-gc bench/loading.js NAME SERIALIZED CORPUS
 *
 * Its code is there already; what is timed is from bytes to ready. The memory
 * is what JavaScript's heap and everything beside it (WebAssembly's memory, too)
 * have grown by after the engine has answered every request once.
 */

import { readFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { startModule } from "../tools/modules.js";
import { contenders } from "./engines.js";
import { readCorpus } from "./corpus.js";
import { publicSuffixes } from "../tools/suffixes.js";

const [name, serialized, corpus] = process.argv.slice(2);
const contender = contenders[/** @type {import("./engines.js").Name} */ (name)];
const bytes = await readFile(serialized);
const { requests } = await readCorpus(corpus);
await contender.prepare?.({ suffixes: publicSuffixes(), module: () => startModule("engine") });

const before = await held();
const started = performance.now();
const module = name === "paravent" ? await startModule("engine") : undefined;
const loading = performance.now();
const engine = await contender.load(bytes, { suffixes: "", module: async () => /** @type {any} */ (module) });
const ready = performance.now();
for (const { url, page, type } of requests) engine.stops(url, page, type);
const after = await held();

// What is still named here was there before, and after.
console.log(JSON.stringify({
  start_ms: loading - started,
  load_ms: ready - loading,
  memory_bytes: after - before,
  bytes: bytes.length,
  stopped: requests.filter(({ url, page, type }) => engine.stops(url, page, type)).length,
}));

async function held() {
  // What lies outside the heap goes a while after what held it.
  for (let i = 0; i < 5; i++) {
    globalThis.gc?.();
    await setTimeout(20);
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
