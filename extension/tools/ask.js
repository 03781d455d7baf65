/**
 * Asks a gateway for something, as the extension does, for Go's tests:
 *
 *   node tools/ask.js GATEWAY KEY URL
 *
 * KEY is a key configuration in base64. Prints the answer as a line of JSON:
 * its status, its header, and its content in base64.
 */

import { decodeResponse, encodeRequest } from "../background/bhttp.js";
import { readKey, REQUEST_TYPE, RESPONSE_TYPE, seal } from "../background/ohttp.js";

const [gateway = "", key = "", address = ""] = process.argv.slice(2);
const { protocol, host, pathname, search } = new URL(address);
const request = encodeRequest({ method: "GET", scheme: protocol.slice(0, -1), authority: host, path: pathname + search }, [512, 2048]);
const sealed = await seal(readKey(new Uint8Array(Buffer.from(key, "base64"))), request);
const response = await fetch(gateway, { method: "POST", headers: { "Content-Type": REQUEST_TYPE }, body: sealed.request });
const type = response.headers.get("Content-Type");
if (response.status !== 200 || type !== RESPONSE_TYPE) throw new Error(`${gateway} answers ${response.status} with ${type}`);
const { status, header, content } = decodeResponse(await sealed.open(new Uint8Array(await response.arrayBuffer())));
console.log(JSON.stringify({ status, header, content: Buffer.from(content).toString("base64") }));
