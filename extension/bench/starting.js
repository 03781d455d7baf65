/**
 * Prints how many milliseconds a file takes from its bytes to running, in a
 * process that has done nothing else:
 *
 *   node bench/starting.js FILE.wasm | FILE.js
 */

import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
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
  start = performance.now();
  await import(pathToFileURL(file).href);
}
console.log(performance.now() - start);
process.exit(); // a Go program waits for ever
