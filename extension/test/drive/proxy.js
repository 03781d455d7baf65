/**
 * An HTTP proxy that writes down every host it is asked for (RFC 9110, 7.6 and
 * 9.3.6). It takes *.localhost names there and refuses all others, so that a
 * test sees whom a browser would have contacted and nothing leaves the machine.
 */

import { createServer, request } from "node:http";
import { connect } from "node:net";
import { listen } from "./loopback.js";

/**
 * @typedef {object} Proxy
 * @property {string} address "127.0.0.1:PORT"
 * @property {string[]} hosts "NAME:PORT" of everything asked for so far, in order
 * @property {() => Promise<void>} close
 */

/** @returns {Promise<Proxy>} */
export async function startProxy() {
  /** @type {string[]} */
  const hosts = [];
  const server = createServer((asked, answer) => {
    const url = URL.canParse(asked.url ?? "") ? new URL(asked.url ?? "") : null;
    if (!url) {
      answer.writeHead(400).end();
      return;
    }
    const port = Number(url.port || 80);
    hosts.push(`${url.hostname}:${port}`);
    if (!isLocal(url.hostname)) {
      answer.writeHead(502).end();
      return;
    }
    const onward = request(
      { host: "127.0.0.1", port, method: asked.method, path: url.pathname + url.search, headers: asked.headers },
      (got) => {
        answer.writeHead(got.statusCode ?? 502, got.headers);
        got.pipe(answer);
      },
    );
    onward.on("error", () => answer.writeHead(502).end());
    asked.pipe(onward);
  });
  server.on("connect", (asked, socket, head) => {
    const [name = "", port] = (asked.url ?? "").split(":");
    hosts.push(asked.url ?? "");
    socket.on("error", () => {});
    if (!isLocal(name)) {
      socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n");
      return;
    }
    const onward = connect(Number(port), "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      onward.write(head);
      onward.pipe(socket);
      socket.pipe(onward);
    });
    onward.on("error", () => socket.destroy());
    socket.on("close", () => onward.destroy());
  });
  const { port, close } = await listen(server);
  return {
    address: `127.0.0.1:${port}`,
    hosts,
    close,
  };
}

/** @param {string} name */
const isLocal = (name) => name === "localhost" || name.endsWith(".localhost");
