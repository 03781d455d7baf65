/**
 * Fetches a release from a list server and checks all of it. Nothing here
 * changes what is in force: it either gives a list that is right in every
 * respect, or says why not.
 */

import { errorText } from "./api.js";
import { sha256 } from "./digest.js";

/**
 * @typedef {import("./desk.js").Code | "unreachable" | "status" | "size" | "hash" | "compile" | "floor" | "own" | "engine" | "rules" | "store" | "stopped"} Code
 */

/**
 * Why a release was not taken. `code` chooses the sentence that people read,
 * `detail` is what the failing part said.
 */
export class Refusal extends Error {
  /**
   * @param {Code} code
   * @param {string} detail
   */
  constructor(code, detail) {
    super(`${code}: ${detail}`);
    this.code = code;
    this.detail = detail;
  }
}

/** A note and its proof are 2 KB; the rest is room for signatures. */
const MAX_ANSWER = 2 * 65535 + 4096;
/** No list is this large; a note that says so is not believed. */
const MAX_BLOB = 64 * 1024 * 1024;
/** So often, and so much, may be asked for to check a proof: tiles of the log, and keys that changed. */
const MAX_ROUNDS = 512;
const MAX_RESOURCES = 64 * 1024 * 1024;
const TIMEOUT_MS = 60_000;

/**
 * @typedef {object} Asked
 * @property {string} server
 * @property {string} trust who is trusted as long as nothing is remembered
 * @property {string} client what is remembered of the last release, "" when there was none
 * @property {boolean} again whether that release may be taken once more
 * @property {string} noteSha256 of the signed text behind the list in force, "" when there is none
 * @property {InForce} inForce
 * @property {<T>(job: (desk: Paper) => T | Promise<T>) => Promise<T>} useDesk
 *
 * @typedef {Pick<import("./desk.js").Desk, "verify" | "text" | "patch" | "compile" | "describe">} Paper
 */

/**
 * The list that decides now: what a new one is made from.
 * @typedef {object} InForce
 * @property {string} list SHA-256 of the canonical text
 * @property {number} hosts
 * @property {() => Promise<Uint8Array<ArrayBuffer>>} bundle
 */

/**
 * @typedef {object} Taken
 * @property {string} noteSha256
 * @property {import("./desk.js").Said} said
 * @property {import("./desk.js").About} about
 * @property {Uint8Array<ArrayBuffer>} bundle
 */

/**
 * @param {Asked} asked
 * @returns {Promise<Taken | null>} null when there is nothing newer
 * @throws {Refusal}
 */
export async function fetchRelease({ server, trust, client, again, noteSha256, inForce, useDesk }) {
  // Our own hash of the signed text, never a tag that the server chose, nor
  // anything of the signatures, to which it could add some: such a tag
  // could be a different one for everybody, and would come back at every poll.
  /** @type {Record<string, string>} */
  const headers = noteSha256 === "" ? {} : { "If-None-Match": `"${noteSha256}"` };
  const answer = await get(`${server}/v1/release`, headers, MAX_ANSWER);
  if (answer === null) return null;
  const hash = await sha256(signedText(answer));
  if (hash === noteSha256) return null;
  return useDesk(async (desk) => {
    const said = await believe(server, (resources) => desk.verify({ answer, trust, client, again, resources }));
    if (said.list.size > MAX_BLOB) throw new Refusal("size", `the note names a list of ${said.list.size} bytes`);
    const text = (await textFromOwn(desk, server, said.list, inForce)) ?? (await wholeText(server, said.list));
    const bundle = attempt("compile", () => desk.compile(text, said.bundle.sha256));
    const about = attempt("compile", () => desk.describe(bundle));
    if (about.counts.hosts * 2 < inForce.hosts) {
      throw new Refusal("floor", `it has ${about.counts.hosts} hosts, the list in force ${inForce.hosts}`);
    }
    return { noteSha256: hash, said, about, bundle };
  });
}

/**
 * Has a release verified, and brings what that asks for.
 * @param {string} server
 * @param {(resources: Map<string, Uint8Array>) => import("./desk.js").Verified} verify
 * @returns {Promise<import("./desk.js").Said>}
 */
async function believe(server, verify) {
  /** @type {Map<string, Uint8Array>} */
  const resources = new Map();
  let bytes = 0;
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const { missing, refused, taken } = attempt("note", () => verify(resources));
    if (taken) return taken;
    if (refused) throw new Refusal(refused.code, refused.detail);
    const { path, limit } = missing;
    if (bytes + limit > MAX_RESOURCES) throw new Refusal("size", `the proof needs more than ${MAX_RESOURCES} bytes`);
    const data = await fetchAll(`${server}/${path}`, limit);
    bytes += data.length;
    resources.set(path, data);
  }
  throw new Refusal("proof", `it needs more than ${MAX_ROUNDS} parts of the log`);
}

/**
 * The text of a list, made from the one in force and what the server says is
 * different in it.
 * @param {Paper} desk
 * @param {string} server
 * @param {import("./desk.js").Blob} list
 * @param {InForce} inForce
 * @returns {Promise<Uint8Array<ArrayBuffer> | null>} null when that cannot be: then all of it is fetched
 */
async function textFromOwn(desk, server, list, inForce) {
  try {
    if (inForce.list === "") return null;
    if (inForce.list === list.sha256) return desk.text(await inForce.bundle());
    const delta = await fetchAll(`${server}/v1/delta/${inForce.list}/${list.sha256}`, list.size);
    return desk.patch(await inForce.bundle(), delta, list);
  } catch {
    return null;
  }
}

/**
 * @param {string} server
 * @param {import("./desk.js").Blob} list
 */
async function wholeText(server, list) {
  const text = await fetchAll(`${server}/v1/blob/${list.sha256}`, list.size);
  if (text.length !== list.size) {
    throw new Refusal("size", `the list has ${text.length} bytes, the note says ${list.size}`);
  }
  const found = await sha256(text);
  if (found !== list.sha256) throw new Refusal("hash", `the list's SHA-256 is ${found}, the note says ${list.sha256}`);
  return text;
}

/**
 * The answer begins with a signed note: a text without empty lines, an empty
 * line, and signatures. The text is all that those who hand it on cannot change.
 * @param {Uint8Array<ArrayBuffer>} answer
 * @returns {Uint8Array<ArrayBuffer>} up to the first empty line; all of it when there is none
 */
function signedText(answer) {
  const LINE_FEED = 10;
  for (let end = 1; end < answer.length; end++) {
    if (answer[end] === LINE_FEED && answer[end - 1] === LINE_FEED) return answer.subarray(0, end);
  }
  return answer;
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
 * Fetches what can be fetched whatever is known already.
 * @param {string} url
 * @param {number} limit bytes
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function fetchAll(url, limit) {
  return /** @type {Uint8Array<ArrayBuffer>} */ (await get(url, {}, limit));
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
    if (response.status === 304 && headers["If-None-Match"]) return null;
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
  /** @type {Uint8Array[]} */
  const parts = [];
  let length = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const part = await reader?.read();
    if (!part || part.done) break;
    length += part.value.length;
    if (length > limit) {
      await reader?.cancel();
      throw new Refusal("size", `${url} is larger than ${limit} bytes`);
    }
    parts.push(part.value);
  }
  const bytes = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
