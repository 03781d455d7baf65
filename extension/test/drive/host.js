/**
 * One more host on this machine, whose answers a test decides and which
 * remembers what it was asked.
 */

import { createServer } from "node:http";
import { listen } from "./loopback.js";

/**
 * @typedef {object} Host
 * @property {string} origin for instance "http://news.localhost:40123"
 * @property {string[]} asked "METHOD /path?query" of every request so far
 * @property {() => Promise<void>} close
 */

/**
 * @param {string} name for instance "news.localhost"
 * @param {import("node:http").RequestListener} answer
 * @returns {Promise<Host>}
 */
export async function startHost(name, answer) {
  /** @type {string[]} */
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    answer(request, response);
  });
  const { port, close } = await listen(server);
  return {
    origin: `http://${name}:${port}`,
    asked,
    close,
  };
}

/**
 * Asks a host on this machine: Node does not know that *.localhost is here.
 *
 * @param {string} address
 * @param {RequestInit} [how]
 * @returns {Promise<Response>}
 */
export function ask(address, how) {
  const url = new URL(address);
  url.hostname = "127.0.0.1";
  return fetch(url, how);
}
