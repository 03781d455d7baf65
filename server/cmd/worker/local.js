/**
 * Runs the built Worker on this machine, in workerd, the program that runs it
 * at Cloudflare: for development, tests and the bench. It listens on loopback,
 * and nothing in it can reach anywhere else.
 */

import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

// Miniflare asks Cloudflare, by default, where a request might come from.
process.env.CLOUDFLARE_CF_FETCH_ENABLED = "false";
const { Log, LogLevel, Miniflare, Response } = await import("miniflare");

/** Where build.sh puts the Worker. */
export const BUILT = fileURLToPath(new URL("../../../dist/worker", import.meta.url));

/**
 * @typedef {object} Module
 * @property {"ESModule" | "CompiledWasm" | "Text"} type
 * @property {string} path name among the modules
 * @property {string | Uint8Array<ArrayBuffer>} contents
 *
 * @typedef {object} Bucket the one that the Worker reads and writes
 * @property {(name: string, data: string | Uint8Array<ArrayBuffer>, options?: {httpMetadata: {contentEncoding?: string}}) => Promise<unknown>} put
 * @property {(name: string) => Promise<{httpMetadata: {contentEncoding?: string}, arrayBuffer: () => Promise<ArrayBuffer>} | null>} get
 * @property {(name: string) => Promise<void>} delete
 * @property {() => Promise<{objects: {key: string}[], truncated: boolean}>} list
 */

/**
 * What wrangler uploads: the first is what runs.
 * @param {string} trust the text that says who may publish
 * @param {string} [built] folder
 * @returns {Promise<Module[]>}
 */
export async function modules(trust, built = BUILT) {
  return [
    { type: "ESModule", path: "entry.js", contents: await readFile(path.join(built, "entry.js"), "utf8") },
    { type: "ESModule", path: "wasm_exec.js", contents: await readFile(path.join(built, "wasm_exec.js"), "utf8") },
    { type: "CompiledWasm", path: "app.wasm", contents: new Uint8Array(await readFile(path.join(built, "app.wasm"))) },
    { type: "Text", path: "trust.txt", contents: trust },
  ];
}

/**
 * @param {object} options
 * @param {Module[]} options.modules
 * @param {string} [options.logKey] the log's secret
 * @param {number} [options.port] any free one if left out
 * @param {string} [options.store] folder that keeps the bucket; in memory if left out
 * @param {boolean} [options.quiet] says nothing of what the Worker logs
 * @returns {Promise<{url: string, bucket: Bucket, end: () => Promise<void>}>}
 */
export async function run({ modules, logKey, port = 0, store, quiet }) {
  const miniflare = new Miniflare({
    modules,
    modulesRoot: "/",
    compatibilityDate: await compatibilityDate(),
    bindings: logKey === undefined ? {} : { LOG_KEY: logKey },
    r2Buckets: ["BUCKET"],
    r2Persist: store ?? false,
    cachePersist: false,
    host: "127.0.0.1",
    port,
    cf: false,
    outboundService: () => new Response("nothing leaves this machine\n", { status: 502 }),
    log: new Log(quiet ? LogLevel.NONE : LogLevel.WARN),
    handleRuntimeStdio: quiet ? silence : undefined,
  });
  const url = (await miniflare.ready).origin;
  const bucket = /** @type {Bucket} */ (/** @type {unknown} */ (await miniflare.getR2Bucket("BUCKET")));
  return { url, bucket, end: () => miniflare.dispose() };
}

/** The day whose behaviour of workerd is asked for when it is deployed. */
async function compatibilityDate() {
  const wrangler = await readFile(new URL("wrangler.toml", import.meta.url), "utf8");
  const [, date] = /^compatibility_date = "(.+)"$/m.exec(wrangler) ?? [];
  if (!date) throw new Error("wrangler.toml: no line compatibility_date");
  return date;
}

/** @param {import("node:stream").Readable[]} streams */
function silence(...streams) {
  for (const stream of streams) stream.resume();
}
