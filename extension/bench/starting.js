/**
 * Prints how many milliseconds a WebAssembly module takes from its bytes to
 * running, or the packaged suffix list from its text to being known, in a
 * process that has done nothing else:
 *
 *   node bench/starting.js FILE.wasm | FILE.txt
 */

import { readFile } from "node:fs/promises";
import { runInThisContext } from "node:vm";

const file = process.argv[2];
let start;
if (file.endsWith(".wasm")) {
  const code = await readFile(file);
  runInThisContext(await readFile(new URL("../../dist/wasm/wasm_exec.js", import.meta.url), "utf8"));
  const { Module } = await import("../background/wasm.js");
  start = performance.now();
  await Module.start(code);
} else {
  const list = await readFile(file, "utf8");
  const { takeSuffixes } = await import("../background/domains.js");
  start = performance.now();
  takeSuffixes(list);
}
console.log(performance.now() - start);
process.exit(); // a Go program waits for ever
