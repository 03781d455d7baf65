/**
 * How much do the routes, tags, encodings and the cache of entry.js cost? The
 * same objects, read from the Worker and from the plainest Worker there is, in
 * turns, in one run:
 *
 *   node bench.js [--rounds N] [--seconds S]
 *
 * Each has a workerd and a bucket of its own. For each object: requests in a
 * second, median of the rounds, and their ratio.
 */

import http from "node:http";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { modules, run } from "./local.js";

const PLAIN = `
export default {
  async fetch(request, env) {
    const object = await env.BUCKET.get(new URL(request.url).pathname.slice(1));
    if (!object) return new Response("none", { status: 404 });
    if (request.headers.get("If-None-Match") === object.httpEtag) return new Response(null, { status: 304 });
    const encoding = object.httpMetadata.contentEncoding;
    const headers = { ETag: object.httpEtag, ...(encoding && { "Content-Encoding": encoding }) };
    return new Response(object.body, { headers, encodeBody: "manual" });
  },
};
`;

const { values } = parseArgs({
  options: { rounds: { type: "string", default: "7" }, seconds: { type: "string", default: "2" } },
});

/** So many requests are under way at once. */
const CLIENTS = 16;

/** Bytes that gzip cannot shrink. @param {number} size */
function noise(size) {
  const bytes = new Uint8Array(size);
  for (let i = 0; i < size; i += 65536) crypto.getRandomValues(bytes.subarray(i, i + 65536));
  return bytes;
}

const TEXT = `paravent release 7\n${"field 0123456789abcdef\n".repeat(12)}`;
const list = new Uint8Array(gzipSync(noise(400_000)));

/** @type {{name: string, data: string | Uint8Array<ArrayBuffer>, encoding?: string, known?: string}[]} */
const OBJECTS = [
  { name: "v1/release", data: `${TEXT}\n— a ${"A".repeat(80)}\n— b ${"B".repeat(80)}\nproof\n${"hash\n".repeat(40)}` },
  { name: "checkpoint", data: `lists.example\n7\n${"h".repeat(44)}\n\n— log ${"C".repeat(80)}\n` },
  { name: "tile/0/000.p/7", data: noise(7 * 32) },
  { name: `v1/delta/${"1".repeat(64)}/${"2".repeat(64)}`, data: noise(700) },
  { name: `v1/blob/${"3".repeat(64)}`, data: list, encoding: "gzip" },
];

const agent = new http.Agent({ keepAlive: true, maxSockets: CLIENTS });

/**
 * @param {string} url
 * @param {http.OutgoingHttpHeaders} headers
 * @returns {Promise<{status: number, tag: string, size: number}>}
 */
function ask(url, headers) {
  return new Promise((resolve, reject) => {
    const request = http.get(url, { agent, headers: { "Accept-Encoding": "gzip", ...headers } }, (response) => {
      let size = 0;
      response.on("data", (chunk) => (size += chunk.length));
      response.on("end", () => resolve({ status: response.statusCode ?? 0, tag: response.headers.etag ?? "", size }));
    });
    request.on("error", reject);
  });
}

/**
 * @param {string} url
 * @param {number} status that every answer must have
 * @param {string} tag known to the client, "" for none
 * @param {number} seconds
 * @returns {Promise<number>} answers in a second
 */
async function rate(url, status, tag, seconds) {
  const headers = tag ? { "If-None-Match": tag } : {};
  const start = performance.now();
  const until = start + seconds * 1000;
  let answers = 0;
  const client = async () => {
    while (performance.now() < until) {
      const answer = await ask(url, headers);
      if (answer.status !== status) throw new Error(`${url}: ${answer.status}, not ${status}`);
      answers++;
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  return answers / ((performance.now() - start) / 1000);
}

/** @param {number[]} numbers */
const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

const servers = [
  await run({ modules: await modules("") }),
  await run({ modules: [{ type: "ESModule", path: "plain.js", contents: PLAIN }] }),
];
try {
  for (const { bucket } of servers) {
    for (const { name, data, encoding } of OBJECTS) {
      await bucket.put(name, data, encoding ? { httpMetadata: { contentEncoding: encoding } } : undefined);
    }
  }
  console.log("object                 size    entry.js  plain     ratio");
  let worst = Infinity;
  for (const { name, status } of [...OBJECTS.map(({ name }) => ({ name, status: 200 })), { name: "v1/release", status: 304 }]) {
    const first = await Promise.all(servers.map(({ url }) => ask(`${url}/${name}`, {})));
    const seconds = Number(values.seconds);
    /** @type {number[][]} */
    const rates = [[], []];
    for (let round = -1; round < Number(values.rounds); round++) {
      for (const i of round % 2 ? [1, 0] : [0, 1]) {
        const measured = await rate(`${servers[i].url}/${name}`, status, status === 304 ? first[i].tag : "", round < 0 ? 0.5 : seconds);
        if (round >= 0) rates[i].push(measured);
      }
    }
    const [ours, plain] = rates.map(median);
    worst = Math.min(worst, ours / plain);
    const label = `${name.replace(/[0-9a-f]{64}/g, "…")} ${status}`;
    console.log(`${label.padEnd(22)} ${String(first[0].size).padEnd(7)} ${ours.toFixed(0).padEnd(9)} ${plain.toFixed(0).padEnd(9)} ${(ours / plain).toFixed(2)}`);
  }
  console.log(`lowest ratio ${worst.toFixed(2)}, wanted 0.80`);
} finally {
  await Promise.all(servers.map(({ end }) => end()));
  agent.destroy();
}
