/**
 * The extension's WebAssembly in Node: the same modules behind the same
 * JavaScript, for tests, the check and the benchmark. They must be built first
 * (./build.sh build). Importing this also gives the JavaScript the public
 * suffixes, which no browser does here.
 */

import { readFile } from "node:fs/promises";
import { runInThisContext } from "node:vm";
import { Desk } from "../background/desk.js";
import { takeSuffixes } from "../background/domains.js";
import { Engine } from "../background/engine.js";
import { Module } from "../background/wasm.js";
import { publicSuffixes } from "./suffixes.js";

takeSuffixes(publicSuffixes());

const BUILT = new URL("../../dist/wasm/", import.meta.url);

/**
 * @param {"engine" | "desk"} name
 * @returns {Promise<Module>}
 */
export async function startModule(name) {
  if (!("Go" in globalThis)) runInThisContext(await readFile(new URL("wasm_exec.js", BUILT), "utf8"));
  return Module.start(await readFile(new URL(`${name}.wasm`, BUILT)));
}

/**
 * @param {Uint8Array} bundle
 * @returns {Promise<Engine>}
 */
export function openEngine(bundle) {
  return Engine.open(bundle, startModule("engine"));
}

/** @returns {Promise<Desk>} */
export async function openDesk() {
  return new Desk(await startModule("desk"));
}
