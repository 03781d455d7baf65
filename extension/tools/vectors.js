/**
 * The vectors of wasm/vectors, for the tests in Node and in real browsers: the
 * list, and the cases of all data files with what is common to a file filled in.
 */

import { readFile } from "node:fs/promises";

/**
 * @typedef {object} Vector see wasm/vectors/vectors.go
 * @property {string} file
 * @property {string} name
 * @property {string} says
 * @property {string} url
 * @property {string} page
 * @property {string} type
 * @property {string} method
 * @property {import("../background/engine.js").Mode} mode
 * @property {string | Uint8Array<ArrayBuffer>} body
 * @property {string} referer
 * @property {import("../background/engine.js").Action} action
 * @property {import("../background/engine.js").Action} would
 * @property {string} reason
 * @property {string} rule
 * @property {{what: string, place: string}} [leak]
 * @property {{action: string, why: string}} [dnr]
 * @property {string} [browsers]
 */

/** @param {string} name */
const file = (name) => new URL(`../../wasm/vectors/${name}`, import.meta.url);

/** @returns {Promise<Uint8Array>} the list's canonical text */
export function list() {
  return readFile(file("list.txt"));
}

/** @returns {Promise<string>} hexadecimal SHA-256 of what the list compiles to */
export async function bundleSHA256() {
  return (await readFile(file("list.sha256"), "utf8")).trim();
}

/** @returns {Promise<Vector[]>} */
export async function vectors() {
  const read = ["language", "sites", "leaks"].map(async (name) => {
    const { defaults, cases } = JSON.parse(await readFile(file(`${name}.json`), "utf8"));
    return cases.map((/** @type {any} */ { bodyBase64, ...own }) => ({
      file: name,
      method: "get",
      referer: "",
      rule: "",
      ...defaults,
      would: own.action,
      ...own,
      body: bodyBase64 === undefined ? (own.body ?? "") : new Uint8Array(Buffer.from(bodyBase64, "base64")),
    }));
  });
  return (await Promise.all(read)).flat();
}
