import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { decodeResponse, encodeRequest } from "./bhttp.js";

/** The same that the gateway's program is tested with. */
const { examples } = JSON.parse(await readFile(new URL("../../server/ohttp/bhttp/testdata/rfc9292.json", import.meta.url), "utf8"));

/** @param {string} hex */
const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"));

describe("the examples of RFC 9292", () => {
  for (const { name, known, spare, hex, request, response } of examples) {
    const message = bytes(hex.join(""));
    if (request && known) {
      it(`${name}: written byte for byte`, () => {
        assert.deepEqual(encodeRequest(request), message);
      });
    }
    if (!response) continue;
    it(`${name}: read, and cut off where it may be`, () => {
      for (let cut = 0; cut <= spare; cut++) {
        const read = decodeResponse(message.slice(0, message.length - cut));
        assert.deepEqual({ ...read, content: Buffer.from(read.content).toString() }, response);
      }
      assert.throws(() => decodeResponse(message.slice(0, message.length - spare - 1)), /too early/);
    });
    it(`${name}: padded with zeros, and with nothing else`, () => {
      const padded = new Uint8Array(1024);
      padded.set(message);
      assert.equal(decodeResponse(padded).status, response.status);
      padded[1023] = 1;
      assert.throws(() => decodeResponse(padded), /padding/);
    });
  }
});

describe("a request", () => {
  const request = { method: "GET", scheme: "https", authority: "photos.example", path: "/a" };

  it("has one of two sizes, whatever it asks for", () => {
    for (const length of [1, 63, 64, 200, 400, 460]) assert.equal(encodeRequest({ ...request, path: `/${"a".repeat(length)}` }, [512, 2048]).length, 512);
    for (const length of [500, 1990]) assert.equal(encodeRequest({ ...request, path: `/${"a".repeat(length)}` }, [512, 2048]).length, 2048);
    assert.throws(() => encodeRequest({ ...request, path: `/${"a".repeat(2048)}` }, [512, 2048]), /more than 2048/);
  });

  it("cannot be made of what no address has in it", () => {
    assert.throws(() => encodeRequest({ ...request, path: "/é" }), /ASCII/);
    assert.throws(() => encodeRequest({ ...request, path: "/a\r\nCookie: x" }), /ASCII/);
  });
});

describe("an answer that HTTP does not know", () => {
  for (const [name, hex, why] of /** @type {const} */ ([
    ["a request", "00034745540568747470730b6578616d706c652e636f6d012f", /framing/],
    ["a status of four digits", "0143e8", /status/],
    ["a status below 100", "01405f", /status/],
    ["interim responses alone", `01${"406400".repeat(10)}`, /below 200/],
    ["a field without a name", "0140c8020000", /not the name/],
    ["a pseudo-field", "0140c8073a7374617475730135", /./],
    ["a value with a line in it", "0140c8060178030d0a61", /characters/],
    ["a section that is longer than the message", "0140c8ffffffffffffffff", /too large/],
    ["content that is longer than the message", "0140c80005aabb", /too early/],
  ])) {
    it(name, () => assert.throws(() => decodeResponse(bytes(hex)), why));
  }

  it("more fields than anyone sends", () => {
    const fields = "01780161".repeat(65);
    const size = (0x4000 | (fields.length / 2)).toString(16);
    assert.throws(() => decodeResponse(bytes(`0140c8${size}${fields}`)), /more than 64 fields/);
  });
});
