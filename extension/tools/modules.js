/**
 * The extension's WebAssembly in Node: the same modules behind the same
 * JavaScript, for tests, the check and the benchmark. They must be built first
 * (./build.sh build). Importing this also gives the JavaScript the public
 * suffixes, which no browser does here.
 */

import { readFile } from "node:fs/promises";
import { runInThisContext } from "node:vm";
import { errorText } from "../background/api.js";
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

/**
 * What a list compiles to, when nobody has named it.
 * @param {Desk} desk
 * @param {Uint8Array} text canonical
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function compiled(desk, text) {
  try {
    return desk.compile(text, "");
  } catch (error) {
    // The desk says what it got when that is not what was named.
    const [sum] = /(?<=^the compiled bundle has SHA-256 )[0-9a-f]{64}/.exec(errorText(error)) ?? [];
    if (!sum) throw error;
    return desk.compile(text, sum);
  }
}
