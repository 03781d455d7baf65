import assert from "node:assert/strict";
import { createHash, hkdfSync, randomBytes } from "node:crypto";
import { it } from "node:test";
import { expand, extract, sha256 } from "./hkdf.js";

/** @param {string} hex */
const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"));
/** @param {Uint8Array} data */
const hex = (data) => Buffer.from(data).toString("hex");

it("the first example of RFC 5869", () => {
  const key = extract(bytes("000102030405060708090a0b0c"), bytes("0b".repeat(22)));
  assert.equal(hex(key), "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
  const made = expand(key, bytes("f0f1f2f3f4f5f6f7f8f9"), 42);
  assert.equal(hex(made), "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
});

it("texts of every length have the hash that they have elsewhere", () => {
  for (let size = 0; size < 300; size++) {
    const text = randomBytes(size);
    assert.equal(hex(sha256([text.subarray(0, size >> 1), text.subarray(size >> 1)])), createHash("sha256").update(text).digest("hex"), `${size} bytes`);
  }
});

it("keys of every length derive what they derive elsewhere", () => {
  for (let size = 0; size < 150; size++) {
    const [salt, secret, info] = [randomBytes(size), randomBytes(size + 1), randomBytes(150 - size)];
    assert.equal(hex(expand(extract(salt, secret), info, size + 1)), Buffer.from(hkdfSync("sha256", secret, salt, info, size + 1)).toString("hex"), `${size} bytes`);
  }
});
