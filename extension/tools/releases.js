/**
 * The vectors of lists/release: what a reader takes and what it refuses, for
 * the tests in Node and in real browsers.
 */

import { readFile } from "node:fs/promises";

/**
 * @typedef {object} Answer an answer of the list server to someone who knows something
 * @property {string} name
 * @property {string} trust who is trusted
 * @property {string} client what is remembered
 * @property {Uint8Array<ArrayBuffer>} answer
 * @property {Map<string, Uint8Array<ArrayBuffer>>} resources what else the server has
 * @property {{index: number, signers: string[], witnesses: string[], expires: string} | null} taken null when it is refused
 * @property {string} expect what the refusal says
 * @property {import("../background/desk.js").Code} code by which people are told
 *
 * @typedef {object} Change a delta
 * @property {string} name
 * @property {Uint8Array<ArrayBuffer>} old canonical text
 * @property {Uint8Array<ArrayBuffer>} delta
 * @property {import("../background/desk.js").Blob} want
 * @property {string} expect "" when it is good
 *
 * @typedef {object} Whole a list as downloaded
 * @property {string} name
 * @property {Uint8Array<ArrayBuffer>} list
 * @property {import("../background/desk.js").Blob} want
 * @property {import("../background/desk.js").Blob | null} bundle null: what it compiles to
 * @property {string} expect "" when it is good
 */

/**
 * By which words people are told of a refusal, where these are not that the
 * list is not signed as it must be.
 * @type {Record<string, string[]>}
 */
const CODES = {
  older: ["a lower index", "the same index"],
  witness: ["missing witness quorum", "no witness", "one witness twice", "an unknown witness"],
  consistency: ["a fork", "a checkpoint that does not continue the one before", "a next release in a forked log", "a smaller tree"],
  keys: [
    "keys changed by the new ones alone",
    "keys changed by the old ones alone",
    "keys changed by a stranger",
    "another trust text than that of the release",
    "a trust text cut off",
    "a trust text that trusts no log",
    "an entry cut off",
    "keys that this log never had",
    "a chain with a link signed by too few",
  ],
  proof: [
    "no log's signature",
    "another log",
    "a log under another's origin",
    "a witness of another tree",
    "a wrong tile",
    "a short tile",
    "a flipped bit in the proof",
    "another index in the proof",
    "a flipped bit in the checkpoint",
    "an empty proof",
    "a note that the log does not have",
    "the note alone",
    "cut off in the note",
    "cut off in the proof",
    "cut off in the checkpoint",
    "nothing",
    "a page instead",
    "an absurd size of the tree",
    "an endless proof",
    "a forged entry in the chain",
  ],
};

/** @param {string} base64 */
const bytes = (base64) => new Uint8Array(Buffer.from(base64, "base64"));

/** @returns {Promise<{answers: Answer[], changes: Change[], wholes: Whole[]}>} */
export async function releases() {
  const all = JSON.parse(await readFile(new URL("../../lists/release/testdata/vectors.json", import.meta.url), "utf8"));
  const lists = all.filter((/** @type {any} */ { have }) => !have);
  return {
    answers: all
      .filter((/** @type {any} */ { have }) => have)
      .map((/** @type {any} */ { name, have, answer = "", resources = {}, taken = null, expect }) => ({
        name,
        trust: have.trust,
        client: JSON.stringify(have),
        answer: new Uint8Array(Buffer.from(answer)),
        resources: new Map(Object.entries(resources).map(([path, data]) => [path, bytes(/** @type {string} */ (data))])),
        taken,
        expect,
        code: Object.keys(CODES).find((code) => CODES[code]?.includes(name)) ?? "note",
      })),
    changes: lists
      .filter((/** @type {any} */ { list }) => list === undefined)
      .map((/** @type {any} */ { name, old, delta = "", want, expect }) => ({ name, old: new Uint8Array(Buffer.from(old)), delta: bytes(delta), want, expect })),
    wholes: lists
      .filter((/** @type {any} */ { list }) => list !== undefined)
      .map((/** @type {any} */ { name, list, want, bundle = null, expect }) => ({ name, list: bytes(list), want, bundle, expect })),
  };
}
