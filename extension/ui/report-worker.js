/**
 * The desk in a worker of the report's page, so that the page stays alive while
 * thousands of requests are judged. It keeps the list that it is given, and
 * answers each job with its result or with what was wrong.
 */

import "../vendor/wasm_exec.js";
import { Desk } from "../background/desk.js";
import { takeSuffixes } from "../background/domains.js";
import { errorText } from "../background/api.js";
import { Module } from "../background/wasm.js";

/** A worker has none of the browser's own API: its files are where this one is. */
const near = (/** @type {string} */ path) => fetch(new URL(path, import.meta.url));

const desk = open();

/** @type {Uint8Array} */
let bundle = new Uint8Array();

async function open() {
  const [module, suffixes] = await Promise.all([
    Module.start(near("../wasm/desk.wasm")),
    near("../vendor/suffixes.txt").then((response) => response.text()),
  ]);
  takeSuffixes(suffixes);
  return new Desk(module);
}

/** @type {Record<string, (...parts: any[]) => Promise<unknown>>} */
const JOBS = {
  bundle: async (/** @type {ArrayBuffer} */ bytes) => {
    bundle = new Uint8Array(bytes);
  },
  visit: async (visit) => (await desk).visit(visit, bundle),
  file: async (/** @type {File} */ file) => (await desk).audit(new Uint8Array(await file.arrayBuffer()), bundle),
  export: async (format, visit) => (await desk).export(format, visit, bundle),
};

addEventListener("message", async ({ data: { id, job, parts } }) => {
  try {
    postMessage({ id, result: await JOBS[job]?.(...parts) });
  } catch (error) {
    postMessage({ id, error: errorText(error) });
  }
});
