/**
 * Hands sealed requests to a relay. Those that are ready within a few
 * milliseconds go in one request of the browser's, if the relay takes that, and
 * their answers come back in one, each as soon as it is there: every request of
 * its own costs the browser as much as a photo does without a relay. The relay
 * learns no more from it, for the requests of a page come at one moment anyway.
 * A relay that knows no more than RFC 9458 gets them one by one.
 *
 * In a batch each sealed request stands behind its length in two bytes; before
 * each answer stand the number of its request in one byte, a status in two and
 * its length in four. With status 200 it is a sealed answer, with any other a
 * problem (RFC 9457).
 */

import { joined } from "./bhttp.js";
import { REQUEST_TYPE, RESPONSE_TYPE } from "./ohttp.js";

export const PROBLEM_TYPE = "application/problem+json";
const BATCH_TYPE = "application/vnd.paravent.ohttp-batch";

/** How long requests are gathered, in milliseconds, and how many a relay takes in one: as many as a page has on their way. */
const GATHER_MS = 4;
const MAX_BATCH = 64;
const TIMEOUT_MS = 30_000;
const MAX_PROBLEM = 4 * 1024;
/** Of a sealed answer: the largest photo is padded to 16 MB. */
const MAX_ANSWER = 16 * 1024 * 1024 + 4 * 1024;
/** What a relay says that knows batches and has had enough; whatever else it refuses, it may not know them. */
const TOO_OFTEN = 429;
/** Of what stands before an answer in a batch. */
const HEAD_SIZE = 7;

/** @typedef {{status: number, type: string, body: Uint8Array<ArrayBuffer>}} Answer */

/**
 * @typedef {object} Letter
 * @property {Uint8Array<ArrayBuffer>} sealed
 * @property {(answer: Answer) => void} done
 * @property {(error: unknown) => void} failed
 */

/** What is gathered, by the relay's address. @type {Map<string, Letter[]>} */
const gathered = new Map();
/** Addresses of relays that take no batch. @type {Set<string>} */
const plain = new Set();

/**
 * @param {string} address of a relay
 * @param {Uint8Array<ArrayBuffer>} sealed
 * @returns {Promise<Answer>}
 */
export function post(address, sealed) {
  return new Promise((done, failed) => {
    const letters = gathered.get(address) ?? [];
    letters.push({ sealed, done, failed });
    if (letters.length === 1) {
      gathered.set(address, letters);
      setTimeout(send, GATHER_MS, address);
    } else if (letters.length === MAX_BATCH) send(address);
  });
}

/** @param {string} address */
function send(address) {
  const letters = gathered.get(address) ?? [];
  gathered.delete(address);
  if (letters.length > 1 && !plain.has(address)) void postTogether(address, letters);
  else for (const letter of letters) void postAlone(address, letter);
}

/**
 * @param {string} address
 * @param {Letter} letter
 */
async function postAlone(address, { sealed, done, failed }) {
  try {
    const response = await ask(address, REQUEST_TYPE, sealed);
    done(await whole(response));
  } catch (error) {
    failed(error);
  }
}

/**
 * @param {string} address
 * @param {Letter[]} letters
 */
async function postTogether(address, letters) {
  try {
    const body = joined(letters.flatMap(({ sealed }) => [Uint8Array.of(sealed.length >> 8, sealed.length & 255), sealed]));
    const response = await ask(address, BATCH_TYPE, body);
    if (response.status >= 400 && response.status < 500 && response.status !== TOO_OFTEN) {
      plain.add(address);
      await response.body?.cancel();
      for (const letter of letters) void postAlone(address, letter);
    } else if (response.status !== 200 || typeOf(response) !== BATCH_TYPE) {
      const answer = await whole(response);
      for (const { done } of letters) done(answer);
    } else await takeApart(response, letters);
  } catch (error) {
    // Those that have been answered do not hear it.
    for (const { failed } of letters) failed(error);
  }
}

/**
 * @param {string} address
 * @param {string} type
 * @param {Uint8Array<ArrayBuffer>} body
 */
function ask(address, type, body) {
  return fetch(address, {
    method: "POST",
    // With its permission for all hosts an extension is at home everywhere. Any
    // other mode makes Firefox send, as Origin, a number that this profile alone has.
    mode: "same-origin",
    headers: { "Content-Type": type, "Accept-Language": "*" },
    body,
    cache: "no-store",
    credentials: "omit",
    redirect: "error",
    referrerPolicy: "no-referrer",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
}

/** @param {Response} response */
function typeOf(response) {
  return response.headers.get("Content-Type")?.split(";", 1)[0]?.trim() ?? "";
}

/** @param {number} size @param {number} limit */
function checkSize(size, limit) {
  if (size > limit) throw new Error(`the answer is longer than ${limit} bytes`);
}

/**
 * @param {Response} response to one request, or a problem of several
 * @returns {Promise<Answer>}
 */
async function whole(response) {
  const type = typeOf(response);
  const limit = type === RESPONSE_TYPE ? MAX_ANSWER : MAX_PROBLEM;
  const reader = response.body?.getReader();
  const chunks = [];
  let size = 0;
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done || !value) break;
    size += value.length;
    if (size > limit) await reader?.cancel();
    checkSize(size, limit);
    chunks.push(value);
  }
  return { status: response.status, type, body: joined(chunks) };
}

/**
 * Answers each letter when its answer has come.
 * @param {Response} response to several requests
 * @param {Letter[]} letters
 */
async function takeApart(response, letters) {
  const reader = /** @type {ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>} */ (response.body?.getReader());
  /** @type {Uint8Array<ArrayBuffer>[]} */
  let chunks = [];
  let size = 0;
  /** @param {number} wanted bytes */
  const take = async (wanted) => {
    while (size < wanted) {
      const { done, value } = await reader.read();
      if (done) throw new Error("the answers ended early");
      chunks.push(value);
      size += value.length;
    }
    const all = chunks.length === 1 ? chunks[0] : joined(chunks);
    chunks = [all.subarray(wanted)];
    size -= wanted;
    return all.subarray(0, wanted);
  };
  try {
    for (let left = letters.length; left > 0; left--) {
      const head = await take(HEAD_SIZE);
      const view = new DataView(head.buffer, head.byteOffset, HEAD_SIZE);
      const status = view.getUint16(1);
      const length = view.getUint32(3);
      checkSize(length, status === 200 ? MAX_ANSWER : MAX_PROBLEM);
      const letter = letters[view.getUint8(0)];
      if (!letter) throw new Error("an answer to a request that was not sent");
      letter.done({ status, type: status === 200 ? RESPONSE_TYPE : PROBLEM_TYPE, body: await take(length) });
    }
  } finally {
    void reader.cancel().catch(() => {});
  }
}
