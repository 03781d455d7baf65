import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { prepare, readKey, seal } from "./ohttp.js";

/** RFC 9458, appendix A. */
const EXAMPLE = {
  key: "01002031e1f05a740102115220e9af918f738674aec95f54db6e04eb705aae8e79815500080001000100010003",
  request: "00034745540568747470730b6578616d706c652e636f6d012f",
  ephemeral: "bc51d5e930bda26589890ac7032f70ad12e4ecb37abb1b65b1256c9c48999c73",
  ephemeralPublic: "4b28f881333e7c164ffc499ad9796f877f4e1051ee6d31bad19dec96c208b472",
  sealed:
    "010020000100014b28f881333e7c164ffc499ad9796f877f4e1051ee6d31bad19dec96c208b472" +
    "6374e469135906992e1268c594d2a10c695d858c40a026e7965e7d86b83dd440b2c0185204b4d63525",
  answer: "c789e7151fcba46158ca84b04464910d86f9013e404feea014e7be4a441f234f857fbd",
  response: "0140c8",
};

/** @param {string} hex */
const bytes = (hex) => new Uint8Array(Buffer.from(hex, "hex"));
/** @param {Uint8Array} data */
const hex = (data) => Buffer.from(data).toString("hex");

/**
 * Seals the example's request with the example's ephemeral key.
 * @param {import("node:test").TestContext} t
 */
async function sealExample(t) {
  const [d, x] = [EXAMPLE.ephemeral, EXAMPLE.ephemeralPublic].map((key) => Buffer.from(key, "hex").toString("base64url"));
  const jwk = { kty: "OKP", crv: "X25519", x };
  const pair = {
    privateKey: await crypto.subtle.importKey("jwk", { ...jwk, d }, "X25519", true, ["deriveBits"]),
    publicKey: await crypto.subtle.importKey("jwk", jwk, "X25519", true, []),
  };
  t.mock.method(crypto.subtle, "generateKey", async () => pair);
  return seal(readKey(bytes(EXAMPLE.key)), bytes(EXAMPLE.request));
}

describe("the example of RFC 9458", () => {
  it("its request is sealed byte for byte, and its answer opened", async (t) => {
    const { request, open } = await sealExample(t);
    assert.equal(hex(request), EXAMPLE.sealed);
    assert.equal(hex(await open(bytes(EXAMPLE.answer))), EXAMPLE.response);
  });

  it("an answer with any bit changed, or cut off, is refused", async (t) => {
    const { open } = await sealExample(t);
    const answer = bytes(EXAMPLE.answer);
    for (let bit = 0; bit < answer.length * 8; bit++) {
      const changed = answer.slice();
      changed[bit >> 3] ^= 1 << (bit & 7);
      await assert.rejects(open(changed), /cannot be opened/);
    }
    for (let length = 0; length < answer.length; length++) await assert.rejects(open(answer.slice(0, length)), /too short|cannot be opened/);
  });
});

describe("a key configuration", () => {
  const good = bytes(EXAMPLE.key);

  it("names its key and the suite that is spoken here", () => {
    assert.equal(hex(readKey(good).header), "01002000010001");
    const other = good.slice();
    other.set([0, 2], 39); // the first suite is another one, the second stays
    assert.throws(() => readKey(other), /no suite/);
  });

  it("is refused when it is cut off, longer than it says, or of another kind", () => {
    for (let length = 0; length < good.length; length++) assert.throws(() => readKey(good.slice(0, length)), `${length} bytes`);
    assert.throws(() => readKey(new Uint8Array([...good, 0])), /end where/);
    const p256 = good.slice();
    p256[2] = 0x10;
    assert.throws(() => readKey(p256), /KEM 16/);
  });

  it("two requests with it have nothing in common but its header", async () => {
    const key = readKey(good);
    const [one, two] = await Promise.all([seal(key, bytes(EXAMPLE.request)), seal(key, bytes(EXAMPLE.request))]);
    assert.equal(hex(one.request.slice(0, 7)), hex(two.request.slice(0, 7)));
    assert.notEqual(hex(one.request.slice(7, 39)), hex(two.request.slice(7, 39)));
    assert.equal(one.request.length, two.request.length);
  });
});

describe("what was made ready before a request", () => {
  const shareOf = (/** @type {{request: Uint8Array}} */ { request }) => hex(request.slice(7, 39));

  it("seals one and no other, and no more is made than wanted", async (t) => {
    const made = t.mock.method(crypto.subtle, "generateKey");
    const key = readKey(bytes(EXAMPLE.key.replace(/^01/, "02")));
    assert.equal(await prepare(key, 2), true);
    assert.equal(await prepare(key, 2), false);
    assert.equal(await prepare(key, 2), false);
    assert.equal(made.mock.callCount(), 2);
    const ahead = [await seal(key, bytes(EXAMPLE.request)), await seal(key, bytes(EXAMPLE.request))];
    assert.equal(made.mock.callCount(), 2);
    const all = [...ahead, await seal(key, bytes(EXAMPLE.request))];
    assert.equal(made.mock.callCount(), 3);
    assert.equal(new Set(all.map(shareOf)).size, 3);
  });

  it("is for no other key", async (t) => {
    const [one, two] = ["03", "04"].map((id) => readKey(bytes(EXAMPLE.key.replace(/^01/, id))));
    await prepare(one, 1);
    const made = t.mock.method(crypto.subtle, "generateKey");
    const { request } = await seal(two, bytes(EXAMPLE.request));
    assert.equal(made.mock.callCount(), 1);
    assert.equal(hex(request.slice(0, 7)), "04002000010001");
  });
});
