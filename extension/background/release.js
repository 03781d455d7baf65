/**
 * Fetches a release from a list server and checks all of it. Nothing here
 * changes what is in force: it either gives a list that is right in every
 * respect, or says why not.
 */

import { errorText } from "./api.js";
import { sha256 } from "./state.js";

/**
 * Why a release was not taken. `code` chooses the sentence that people read,
 * `detail` is what the failing part said.
 */
export class Refusal extends Error {
  /**
   * @param {"unreachable" | "status" | "size" | "note" | "hash" | "compile" | "floor" | "engine" | "rules" | "store"} code
   * @param {string} detail
   */
  constructor(code, detail) {
    super(`${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
  }
}

/** Notes are about 1 KB; the rest is room for signatures. */
const MAX_NOTE = 64 * 1024;
/** No list is this large; a note that says so is not believed. */
const MAX_BLOB = 64 * 1024 * 1024;
const TIMEOUT_MS = 60_000;

/**
 * @typedef {object} Asked
 * @property {string} server
 * @property {string} trust
 * @property {string} noteSha256 of the signed text behind the list in force, "" when there is none
 * @property {number} have index of the newest release ever taken
 * @property {number} hosts of the list in force
 * @property {<T>(job: (desk: Pick<import("./desk.js").Desk, "verify" | "compile" | "describe">) => T | Promise<T>) => Promise<T>} useDesk
 */

/**
 * @typedef {object} Taken
 * @property {string} noteSha256
 * @property {import("./desk.js").Note} note
 * @property {import("./desk.js").About} about
 * @property {Uint8Array<ArrayBuffer>} bundle
 */

/**
 * @param {Asked} asked
 * @returns {Promise<Taken | null>} null when there is nothing newer
 * @throws {Refusal}
 */
export async function fetchRelease({ server, trust, noteSha256, have, hosts, useDesk }) {
  // Our own hash of the signed text, never a tag that the server chose, nor
  // anything of the signatures, to which it could add some: such a tag
  // could be a different one for everybody, and would come back at every poll.
  /** @type {Record<string, string>} */
  const headers = noteSha256 === "" ? {} : { "If-None-Match": `"${noteSha256}"` };
  const answer = await get(`${server}/v1/release`, headers, MAX_NOTE);
  if (answer === null) return null;
  const hash = await sha256(signedText(answer));
  if (hash === noteSha256) return null;
  return useDesk(async (desk) => {
    const note = attempt("note", () => desk.verify(answer, trust, have));
    const { size, sha256: wanted } = note.list;
    if (size > MAX_BLOB) throw new Refusal("size", `the note names a list of ${size} bytes`);
    const list = await get(`${server}/v1/blob/${wanted}`, {}, size);
    if (list === null || list.length !== size) {
      throw new Refusal("size", `the list has ${list?.length ?? 0} bytes, the note says ${size}`);
    }
    const found = await sha256(list);
    if (found !== wanted) throw new Refusal("hash", `the list's SHA-256 is ${found}, the note says ${wanted}`);
    const bundle = attempt("compile", () => desk.compile(list, note.bundle.sha256));
    const about = attempt("compile", () => desk.describe(bundle));
    if (about.counts.hosts * 2 < hosts) {
      throw new Refusal("floor", `it has ${about.counts.hosts} hosts, the list in force ${hosts}`);
    }
    return { noteSha256: hash, note, about, bundle };
  });
}

/**
 * A signed note is a text, a blank line, and signatures: the text is all that
 * those who hand it on cannot change.
 * @param {Uint8Array<ArrayBuffer>} note
 * @returns {Uint8Array<ArrayBuffer>} up to the last blank line; all of it when there is none
 */
function signedText(note) {
  const LINE_FEED = 10;
  for (let end = note.length - 1; end > 0; end--) {
    if (note[end] === LINE_FEED && note[end - 1] === LINE_FEED) return note.subarray(0, end);
  }
  return note;
}

/**
 * @template T
 * @param {"note" | "compile"} code
 * @param {() => T} job
 * @returns {T}
 */
function attempt(code, job) {
  try {
    return job();
  } catch (error) {
    throw new Refusal(code, errorText(error));
  }
}

/**
 * Fetches without anything that tells who asks, and stops reading at a limit.
 * @param {string} url
 * @param {Record<string, string>} headers
 * @param {number} limit bytes
 * @returns {Promise<Uint8Array<ArrayBuffer> | null>} null: not modified
 */
async function get(url, headers, limit) {
  try {
    const response = await fetch(url, {
      headers: { ...headers, "Accept-Language": "*" },
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    if (response.status === 304) return null;
    if (response.status !== 200) throw new Refusal("status", `${url} answered ${response.status}`);
    return await readUpTo(response, limit, url);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal("unreachable", `${url}: ${errorText(error)}`);
  }
}

/**
 * @param {Response} response
 * @param {number} limit
 * @param {string} url
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function readUpTo(response, limit, url) {
  const bytes = new Uint8Array(limit);
  let length = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const part = await reader?.read();
    if (!part || part.done) return bytes.slice(0, length);
    if (length + part.value.length > limit) {
      await reader?.cancel();
      throw new Refusal("size", `${url} is larger than ${limit} bytes`);
    }
    bytes.set(part.value, length);
    length += part.value.length;
  }
}
