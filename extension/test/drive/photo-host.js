/**
 * A host of photos on this machine, as the booking sites' are: it takes its
 * time, and remembers whom it met.
 */

import { createHash, randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { listen } from "./loopback.js";
import { encode } from "./png.js";

/** Numbers that are so far apart have photos of one width. */
const WIDTHS = 1000;

/**
 * No photo is as wide as the placeholder, and none as any other of its page.
 * @param {number} i
 */
export const width = (i) => 200 + (i % WIDTHS);
/**
 * Noise that cannot be compressed, 9 KB, as most doctors' photos have.
 * @param {number} i
 */
const height = (i) => Math.ceil(3000 / width(i));

/**
 * @typedef {object} PhotoHost
 * @property {(i: number) => string} url of a photo; every number is another one
 * @property {(i: number) => string} id that stands in the address
 * @property {(i: number) => Buffer} photo its bytes
 * @property {(i: number, how: import("node:http").RequestListener) => void} misbehave answers for a photo in a way of its own
 * @property {(ms: number) => void} stand so far away: every answer takes this long
 * @property {{url: string, headers: import("node:http").IncomingHttpHeaders}[]} asked
 * @property {() => number} strangers connections on which no gateway asked for anything
 * @property {() => void} clear
 * @property {() => Promise<void>} close
 */

/**
 * @param {number} far in milliseconds
 * @returns {Promise<PhotoHost>}
 */
export async function startPhotoHost(far) {
  /** Ids of this run: no cache knows them. */
  const salt = randomBytes(8).toString("hex");
  /** @type {Map<number, string>} */
  const ids = new Map();
  /** @type {Map<string, number>} */
  const numbers = new Map();
  const id = (/** @type {number} */ i) => {
    const known = ids.get(i);
    if (known) return known;
    const made = createHash("sha256").update(`${salt} ${i}`).digest("hex").slice(0, 20);
    ids.set(i, made);
    numbers.set(made, i);
    return made;
  };
  /** @type {Map<number, Buffer>} */
  const photos = new Map();
  const photo = (/** @type {number} */ i) => {
    let bytes = photos.get(i);
    if (!bytes) {
      bytes = Buffer.from(encode({ width: width(i), height: height(i), channels: 3, pixels: new Uint8Array(randomBytes(width(i) * height(i) * 3)) }));
      photos.set(i, bytes);
    }
    return bytes;
  };
  /** @type {Map<number, import("node:http").RequestListener>} */
  const ways = new Map();
  /** @type {PhotoHost["asked"]} */
  const asked = [];
  let connections = new Map();
  const server = createServer((request, response) => {
    const { url = "", headers } = request;
    if (headers["user-agent"]?.startsWith("Paravent gateway")) connections.set(request.socket, true);
    asked.push({ url, headers });
    const number = numbers.get(/([0-9a-f]{20})\.jpg$/.exec(url)?.[1] ?? "");
    const way = ways.get(number ?? -1);
    const answer = () => {
      if (way) {
        way(request, response);
        return;
      }
      response.setHeader("Cache-Control", "no-store");
      if (number === undefined) response.writeHead(404).end();
      else response.setHeader("Content-Type", "image/png").end(photo(number));
    };
    if (far > 0) setTimeout(answer, far);
    else answer();
  }).on("connection", (socket) => connections.set(socket, false));
  const { port, close } = await listen(server);
  return {
    id,
    url: (i) => `http://photos.localhost:${port}/clinic/image/upload/w_1/${id(i)}.jpg`,
    photo,
    misbehave: (i, how) => ways.set(i, how),
    stand: (ms) => {
      far = ms;
    },
    asked,
    strangers: () => [...connections.values()].filter((isGateway) => !isGateway).length,
    clear: () => {
      asked.length = 0;
      connections = new Map();
    },
    close,
  };
}
