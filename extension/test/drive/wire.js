/**
 * The other side of everything that a browser asks for: a proxy that answers
 * for every host by itself, over TLS too, and remembers what arrived. Nothing
 * leaves the machine, and hosts can have the names that rules speak of.
 */

import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { WebSocketServer } from "ws";
import { certificate } from "./certificate.js";
import { listen } from "./loopback.js";

/**
 * @typedef {object} Arrived
 * @property {string} method
 * @property {string} url as it was asked for, with its real scheme
 * @property {import("node:http").IncomingHttpHeaders} headers
 *
 * @typedef {object} Wire
 * @property {string} address "127.0.0.1:PORT", to be used as proxy
 * @property {Arrived[]} arrived in order; to be emptied by who reads it
 * @property {Record<string, string>} headers of the documents that are asked for from now on
 * @property {string} body of theirs
 * @property {() => Promise<void>} close
 */

/** Bytes that a TLS connection begins with: a handshake record (RFC 8446, 5.1). */
const HANDSHAKE = 0x16;

/** @returns {Promise<Wire>} */
export async function startWire() {
  /** @type {Arrived[]} */
  const arrived = [];
  /** @type {Wire} */
  const wire = { address: "", arrived, headers: {}, body: "", close: async () => {} };

  /**
   * @param {import("node:http").IncomingMessage} request
   * @param {string} scheme
   */
  const note = ({ method = "", url = "", headers, socket }, scheme) => {
    const secure = "encrypted" in socket ? "s" : "";
    arrived.push({ method, url: url.startsWith("/") ? `${scheme}${secure}://${headers.host}${url}` : url, headers });
  };
  /** @type {import("node:http").RequestListener} */
  const answer = (request, response) => {
    note(request, "http");
    request.resume();
    const { origin = "*", accept = "" } = request.headers;
    response.setHeader("Cache-Control", "no-store");
    response.setHeader("Access-Control-Allow-Origin", origin);
    response.setHeader("Access-Control-Allow-Methods", "*");
    response.setHeader("Access-Control-Allow-Headers", "*");
    if (accept.startsWith("text/html")) {
      response.setHeader("Content-Type", "text/html");
      for (const [name, value] of Object.entries(wire.headers)) response.setHeader(name, value);
      response.end(`<!doctype html><title>a page</title><link rel="icon" href="data:,">${wire.body}`);
    } else {
      response.end();
    }
  };
  const sockets = new WebSocketServer({ noServer: true });
  /** @type {(request: import("node:http").IncomingMessage, socket: import("node:stream").Duplex, head: Buffer) => void} */
  const upgrade = (request, socket, head) => {
    note(request, "ws");
    sockets.handleUpgrade(request, socket, head, () => {});
  };

  const secure = createSecureServer(certificate(), answer).on("upgrade", upgrade);
  const server = createServer(answer).on("upgrade", upgrade);
  secure.on("tlsClientError", () => {}); // a browser that changed its mind
  server.on("connect", (_, socket, head) => {
    socket.on("error", () => {});
    socket.write("HTTP/1.1 200 OK\r\n\r\n");
    if (head.length > 0) socket.unshift(head);
    socket.once("readable", () => {
      const first = socket.read(1);
      if (first === null) return;
      socket.unshift(first);
      (first[0] === HANDSHAKE ? secure : server).emit("connection", socket);
    });
  });
  const { port, close } = await listen(server);
  wire.address = `127.0.0.1:${port}`;
  wire.close = close;
  return wire;
}
