/**
 * Lets a server listen on a free port of this machine, and ends it with
 * everybody who is connected. Node's own close waits for those that it no
 * longer looks at: a tunnel (RFC 9110, 9.3.6) whose client has left without a
 * word stays half open for good, and does not even keep the program alive until
 * it is closed.
 */

/**
 * @typedef {object} Listening
 * @property {number} port
 * @property {() => Promise<void>} close
 */

/**
 * @param {import("node:net").Server} server
 * @returns {Promise<Listening>}
 */
export async function listen(server) {
  /** @type {Set<import("node:net").Socket>} */
  const open = new Set();
  server.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
  });
  await new Promise((done, failed) => {
    server.once("error", failed);
    server.listen(0, "127.0.0.1", () => done(undefined));
  });
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    port,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const socket of open) socket.destroy();
      }),
  };
}
