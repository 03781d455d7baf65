/**
 * The door of the Worker. What running extensions, monitors and witnesses read
 * is answered here, straight from R2 and from Cloudflare's cache:
 *
 *   GET /v1/release  /checkpoint  /v1/filters       the newest, read anew each time
 *   GET /v1/blob/…   /v1/delta/…  /tile/…           for ever the same
 *
 * Everything else, publishing above all, goes to Go, which is started for that
 * one request: this costs ten to fifteen milliseconds, too much for a read.
 *
 * The names and who writes them: package store.
 */

import "./wasm_exec.js";
import app from "./app.wasm";
import trust from "./trust.txt";

/**
 * @typedef {object} StoredObject what R2 returns
 * @property {ReadableStream<Uint8Array>} body none if the condition to get it did not hold
 * @property {string} etag
 * @property {{contentEncoding?: string}} [httpMetadata]
 * @property {() => Promise<ArrayBuffer>} arrayBuffer
 *
 * @typedef {object} Env
 * @property {{get(name: string, options?: {onlyIf: {etagDoesNotMatch: string}}): Promise<StoredObject | null>}} BUCKET
 * @property {string} [LOG_KEY]
 *
 * @typedef {object} Context
 * @property {(task: Promise<unknown>) => void} waitUntil
 *
 * @typedef {object} Binding filled in by Go
 * @property {(request: Request) => Promise<Response>} handleRequest
 */

/** c2sp.org/tlog-tiles: level or "entries", index in threes, width of a partial tile. */
const TILE = /^tile\/(?:entries|[1-5]?[0-9]|6[0-3])\/(?:x[0-9]{3}\/)*[0-9]{3}(?:\.p\/(?:[1-9][0-9]?|1[0-9]{2}|2[0-4][0-9]|25[0-5]))?$/;
const BLOB = /^v1\/blob\/[0-9a-f]{64}$/;
const DELTA = /^v1\/delta\/[0-9a-f]{64}\/[0-9a-f]{64}$/;

const TEXT = "text/plain; charset=utf-8";
const BYTES = "application/octet-stream";
const IMMUTABLE = "public, max-age=31536000, immutable";

/** Says in the cache how the bytes are encoded that lie there as they are. */
const ENCODED = "X-Encoded";

export default {
  /**
   * @param {Request} request
   * @param {Env} env
   * @param {Context} ctx
   * @returns {Promise<Response>}
   */
  async fetch(request, env, ctx) {
    const name = new URL(request.url).pathname.slice(1);
    if (request.method === "GET" || request.method === "HEAD") {
      if (name === "v1/release") return newest(request, env, name, TEXT, releaseTag);
      if (name === "checkpoint") return checkpoint(request, env);
      if (name === "v1/filters") return newest(request, env, name, BYTES, filtersTag);
      if (BLOB.test(name) || DELTA.test(name) || TILE.test(name)) return immutable(request, env, ctx, name);
    }
    return start(request, env, ctx);
  },
};

/**
 * An object that never changes, from the cache if it is there. It lies in the
 * cache as it lies in R2, so that nothing on the way encodes or decodes it.
 * @param {Request} request
 * @param {Env} env
 * @param {Context} ctx
 * @param {string} name
 */
async function immutable(request, env, ctx, name) {
  const { default: cache } = /** @type {{default: Cache}} */ (/** @type {unknown} */ (caches));
  const key = new URL(`/${name}`, request.url).href;
  let stored = await cache.match(key);
  if (!stored) {
    const object = await env.BUCKET.get(name);
    if (!object) return plain("no such object\n", 404);
    stored = new Response(object.body, {
      headers: { "Cache-Control": IMMUTABLE, [ENCODED]: object.httpMetadata?.contentEncoding ?? "identity" },
    });
    if (request.method === "GET") ctx.waitUntil(cache.put(key, stored.clone()));
  }
  const headers = {
    "Content-Type": BYTES,
    "Cache-Control": IMMUTABLE,
    "X-Content-Type-Options": "nosniff",
    Vary: "Accept-Encoding",
  };
  if (stored.headers.get(ENCODED) !== "gzip" || !stored.body) return answer(request, stored.body, headers);
  if (acceptsGzip(request)) return answer(request, stored.body, { ...headers, "Content-Encoding": "gzip" });
  return answer(request, stored.body.pipeThrough(new DecompressionStream("gzip")), headers);
}

/**
 * What was newest when it was last read: its tag, and R2's of the same bytes.
 * It saves reading and hashing what has not changed.
 * @type {Map<string, {tag: string, stored: string}>}
 */
const last = new Map();

/**
 * The newest of what each release replaces, asked for anew each time and not
 * sent to who has it.
 * @param {Request} request
 * @param {Env} env
 * @param {string} name
 * @param {string} type
 * @param {(bytes: ArrayBuffer) => Promise<string>} tagOf
 */
async function newest(request, env, name, type, tagOf) {
  const headers = { "Content-Type": type, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff" };
  const before = last.get(name);
  const asked = before !== undefined && has(request, before.tag);
  const object = await env.BUCKET.get(name, asked ? { onlyIf: { etagDoesNotMatch: before.stored } } : undefined);
  if (!object) return plain("no release is in force yet\n", 404);
  if (asked && !object.body) return answer(request, null, { ...headers, ETag: before.tag }, 304);
  if (before?.stored === object.etag) return answer(request, object.body, { ...headers, ETag: before.tag });
  const bytes = await object.arrayBuffer();
  const tag = await tagOf(bytes);
  last.set(name, { tag, stored: object.etag });
  return has(request, tag)
    ? answer(request, null, { ...headers, ETag: tag }, 304)
    : answer(request, bytes, { ...headers, ETag: tag });
}

/**
 * The tag of a release is the hash of its note's signed text: it tells nothing
 * about who asks, and a reader can compute it.
 * @param {ArrayBuffer} bytes
 */
async function releaseTag(bytes) {
  const text = new TextDecoder().decode(bytes);
  // The signed text ends with the newline before the first empty line.
  return `"${await sha256(new TextEncoder().encode(text.slice(0, text.indexOf("\n\n") + 1)))}"`;
}

/**
 * Weak, as it is that of the bytes before any compression on the way.
 * @param {ArrayBuffer} bytes
 */
async function filtersTag(bytes) {
  return `W/"${await sha256(bytes)}"`;
}

/** @param {BufferSource} bytes */
async function sha256(bytes) {
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(sum, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Does who asks have what has this tag (RFC 9110, 13.1.2)?
 * @param {Request} request
 * @param {string} tag
 */
function has(request, tag) {
  const known = request.headers.get("If-None-Match");
  if (known === null) return false;
  const strong = (/** @type {string} */ text) => text.trim().replace(/^W\//, "");
  return known.split(",").some((other) => other.trim() === "*" || strong(other) === strong(tag));
}

/**
 * @param {Request} request
 * @param {Env} env
 */
async function checkpoint(request, env) {
  const object = await env.BUCKET.get("checkpoint");
  if (!object) return plain("no such object\n", 404);
  return answer(request, object.body, { "Content-Type": TEXT, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff" });
}

/**
 * The bytes go out as they are: what a Content-Encoding names has been done.
 * @param {Request} request
 * @param {BodyInit | null} body
 * @param {HeadersInit} headers
 */
function answer(request, body, headers, status = 200) {
  const init = { status, headers, encodeBody: "manual" };
  return new Response(request.method === "HEAD" ? null : body, init);
}

/**
 * Reads Accept-Encoding (RFC 9110, 12.5.3). Cloudflare puts its own wishes into
 * the header, and the client's beside it.
 * @param {Request & {cf?: {clientAcceptEncoding?: string}}} request
 */
function acceptsGzip(request) {
  const accepted = request.cf?.clientAcceptEncoding ?? request.headers.get("Accept-Encoding") ?? "";
  let star = false;
  for (const part of accepted.toLowerCase().split(",")) {
    const [coding, weight] = part.split(";", 2).map((text) => text.trim());
    const wanted = weight === undefined || Number(weight.replace(/^q=/, "")) > 0;
    if (coding === "gzip" || coding === "x-gzip") return wanted;
    if (coding === "*") star = wanted;
  }
  return star;
}

/**
 * Lets Go answer. An instance serves one request: streams and promises of one
 * request must not be touched in another.
 * @param {Request} request
 * @param {Env} env
 * @param {Context} ctx
 * @returns {Promise<Response>}
 */
async function start(request, env, ctx) {
  try {
    const go = new Go();
    /** @type {Partial<Binding>} */
    const binding = {};
    const instance = await WebAssembly.instantiate(app, { ...go.importObject, workers: { ready() {} } });
    // The package workers reads this while it is initialised, that is, before
    // run returns for the first time: no other request sees it.
    Object.assign(globalThis, { context: { env: { ...env, TRUST: trust }, ctx, binding } });
    const ended = go.run(instance);
    Object.assign(globalThis, { context: undefined });
    if (!binding.handleRequest) throw new Error("it has no handler");
    const answered = binding.handleRequest(request);
    const response = await Promise.race([answered, ended.then(() => Promise.reject(new Error("it ended")))]);
    return answer(request, response.body, response.headers, response.status);
  } catch (error) {
    // What Go had to say stands above this in the log.
    console.error("Go broke before it answered:", error);
    return plain("the server broke; its log says why\n", 500);
  }
}

/**
 * @param {string} text
 * @param {number} status
 */
function plain(text, status) {
  return new Response(text, {
    status,
    headers: { "Content-Type": TEXT, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff" },
  });
}
