import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { connect } from "node:net";
import { it } from "node:test";
import { listen } from "./loopback.js";

it("a server ends with whoever has left a tunnel half open", async () => {
  const server = createServer();
  server.on("connect", (_, socket) => socket.write("HTTP/1.1 200 OK\r\n\r\n"));
  const { port, close } = await listen(server);
  const client = connect(port, "127.0.0.1");
  client.write("CONNECT photos.example:443 HTTP/1.1\r\nHost: photos.example:443\r\n\r\n");
  await once(client, "data");
  client.end();
  await once(client, "finish");
  await close();
  await assert.rejects(once(connect(port, "127.0.0.1"), "connect"), { code: "ECONNREFUSED" });
});
