/**
 * Stands in front of a server on this machine and writes down every byte that
 * passes, in both directions, as whoever runs that server could.
 */

import { connect, createServer } from "node:net";
import { listen } from "./loopback.js";

/**
 * @typedef {object} Tap
 * @property {number} port to connect to instead of the server's
 * @property {() => Buffer} sent everything that clients have sent
 * @property {() => Buffer} answered everything that the server has answered
 * @property {() => number} connections so far
 * @property {() => void} clear forgets what has passed
 * @property {(address: string) => void} turn from now on to another server; who is connected has to connect again
 * @property {() => Promise<void>} close
 */

/**
 * @param {string} address of the server
 * @returns {Promise<Tap>}
 */
export async function startTap(address) {
  let to = Number(new URL(address).port);
  let connections = 0;
  /** By connection, so that what passed on one stays together. @type {{sent: Buffer[], answered: Buffer[]}[]} */
  const passed = [];
  /** @type {Set<import("node:net").Socket>} */
  const open = new Set();
  const server = createServer((client) => {
    connections++;
    const onward = connect(to, "127.0.0.1");
    const here = { sent: /** @type {Buffer[]} */ ([]), answered: /** @type {Buffer[]} */ ([]) };
    passed.push(here);
    for (const [from, other, keep] of /** @type {const} */ ([
      [client, onward, (/** @type {Buffer} */ data) => here.sent.push(data)],
      [onward, client, (/** @type {Buffer} */ data) => here.answered.push(data)],
    ])) {
      open.add(from);
      from.on("data", keep);
      from.on("error", () => other.destroy());
      from.on("close", () => {
        open.delete(from);
        other.destroy();
      });
      from.pipe(other);
    }
  });
  const cut = () => {
    for (const socket of open) socket.destroy();
  };
  const { port, close } = await listen(server);
  return {
    port,
    sent: () => Buffer.concat(passed.flatMap(({ sent }) => sent)),
    answered: () => Buffer.concat(passed.flatMap(({ answered }) => answered)),
    connections: () => connections,
    clear: () => {
      connections = 0;
      for (const here of passed) here.sent.length = here.answered.length = 0;
    },
    turn: (address) => {
      to = Number(new URL(address).port);
      cut();
    },
    close,
  };
}
