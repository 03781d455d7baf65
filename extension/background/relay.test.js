import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { AEAD_AES_128_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from "../vendor/hpke.js";
import { bring, PhotoError } from "./relay.js";

const suite = new CipherSuite(KEM_DHKEM_X25519_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_128_GCM);
const PHOTO = new Uint8Array([0xff, 0xd8, 0xff, 0xe0, ...Array(100).fill(7)]);
const HEADER = 7;
const SHARE = 32;

/** @typedef {Awaited<ReturnType<typeof startGateway>>} Gateway */

/** @param {string} text */
const ascii = (text) => new TextEncoder().encode(text);

/**
 * What a gateway does with its key, for one that gives every photo the same answer.
 * @param {number} id
 */
async function startGateway(id) {
  const pair = await suite.GenerateKeyPair(true);
  const config = Buffer.from([id, 0, 0x20, ...(await suite.SerializePublicKey(pair.publicKey)), 0, 4, 0, 1, 0, 1]);
  return {
    id,
    key: config.toString("base64"),
    /** What it was asked for. @type {string[]} */
    asked: [],
    /** @param {Uint8Array<ArrayBuffer>} sealed @param {Uint8Array<ArrayBuffer>} answer */
    async answer(sealed, answer) {
      const header = sealed.slice(0, HEADER);
      const share = sealed.slice(HEADER, HEADER + SHARE);
      const info = new Uint8Array([...ascii("message/bhttp request"), 0, ...header]);
      const ctx = await suite.SetupRecipient(pair, share, { info });
      const request = await ctx.Open(sealed.slice(HEADER + SHARE));
      const [method, scheme, authority, path] = partsOf(request);
      this.asked.push(`${method} ${scheme}://${authority}${path}`);
      const nonce = crypto.getRandomValues(new Uint8Array(16));
      const base = await crypto.subtle.importKey("raw", new Uint8Array(await ctx.Export(ascii("message/bhttp response"), 16)), "HKDF", false, ["deriveBits"]);
      const salt = new Uint8Array([...share, ...nonce]);
      const [key, iv] = await Promise.all(
        [["key", 128], ["nonce", 96]].map(([name, bits]) =>
          crypto.subtle.deriveBits({ name: "HKDF", hash: "SHA-256", salt, info: ascii(String(name)) }, base, Number(bits)),
        ),
      );
      const sealer = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
      return new Uint8Array([...nonce, ...new Uint8Array(await crypto.subtle.encrypt({ name: "AES-GCM", iv }, sealer, answer))]);
    },
  };
}

/** @param {Uint8Array} request */
function partsOf(request) {
  const parts = [];
  let at = 1;
  while (parts.length < 4) {
    const long = request[at] >= 0x40;
    const size = long ? (request[at] & 0x3f) * 256 + request[at + 1] : request[at];
    at += long ? 2 : 1;
    parts.push(Buffer.from(request.slice(at, at + size)).toString());
    at += size;
  }
  return parts;
}

/** @param {number} status @param {Uint8Array} content */
function answerOf(status, content) {
  const size = [0x80 | (content.length >> 24), (content.length >> 16) & 255, (content.length >> 8) & 255, content.length & 255];
  return new Uint8Array([1, 0x40 | (status >> 8), status & 255, 0, ...size, ...content, ...Array(1000).fill(0)]);
}

/** @param {number} status @param {string} type @param {string} title */
const problem = (status, type, title) =>
  new Response(JSON.stringify({ type, title }), { status, headers: { "Content-Type": "application/problem+json" } });

const unknownKey = () => problem(400, "https://iana.org/assignments/http-problem-types#ohttp-key", "the key is unknown");

/** What a relay that takes several requests in one is asked with. */
const BATCH = "application/vnd.paravent.ohttp-batch";

/**
 * Puts the network's other side in place.
 * @param {import("node:test").TestContext} t
 * @param {(url: string, sealed: Uint8Array<ArrayBuffer>) => Promise<Response> | Response} answer to one sealed request
 * @param {number} [refusal] status with which the relay answers to several in one; 0: it takes them
 * @returns {{url: string, size: number, how: RequestInit}[]} the sealed requests that arrived
 */
function network(t, answer, refusal = 0) {
  /** @type {{url: string, size: number, how: RequestInit}[]} */
  const arrived = [];
  t.mock.method(globalThis, "fetch", async (/** @type {string} */ url, /** @type {RequestInit} */ how) => {
    const body = /** @type {Uint8Array<ArrayBuffer>} */ (how.body);
    const isBatch = new Headers(how.headers).get("Content-Type") === BATCH;
    if (isBatch && refusal) return problem(refusal, "about:blank", "not so");
    const all = isBatch ? partsOfBatch(body) : [body];
    for (const sealed of all) arrived.push({ url, size: sealed.length, how });
    const answers = await Promise.all(all.map((sealed) => answer(url, sealed)));
    const [only] = answers;
    return isBatch || !only ? new Response(await batchOf(answers), { headers: { "Content-Type": BATCH } }) : only;
  });
  return arrived;
}

/** @param {Uint8Array<ArrayBuffer>} body */
function partsOfBatch(body) {
  const parts = [];
  for (let at = 0; at < body.length; ) {
    const end = at + 2 + body[at] * 256 + body[at + 1];
    parts.push(body.slice(at + 2, end));
    at = end;
  }
  return parts;
}

/** The last answer first. @param {Response[]} answers */
async function batchOf(answers) {
  const parts = [];
  for (const [i, answer] of [...answers.entries()].toReversed()) {
    const body = Buffer.from(await answer.arrayBuffer());
    const head = Buffer.alloc(7);
    head.writeUInt8(i);
    head.writeUInt16BE(answer.status, 1);
    head.writeUInt32BE(body.length, 3);
    parts.push(head, body);
  }
  return Buffer.concat(parts);
}

/** @param {Uint8Array} sealed */
const sent = (sealed) => new Response(Buffer.from(sealed), { headers: { "Content-Type": "message/ohttp-res" } });

/** @param {import("./relay.js").Problem} wanted @param {RegExp} [detail] */
const because = (wanted, detail = /./) => (/** @type {unknown} */ error) => {
  assert.ok(error instanceof PhotoError, String(error));
  assert.equal(error.problem, wanted);
  assert.match(error.message, detail);
  return true;
};

let count = 0;
/** @type {Gateway} */
let gateway;
/** @type {import("./relay.js").Relay} */
let relay;

beforeEach(async () => {
  gateway = await startGateway(1);
  // What is remembered of a relay is remembered by its address.
  relay = { name: "one", url: `https://relay-${++count}.example/relay`, keys: [gateway.key] };
});

describe("a photo", () => {
  it("comes through the relay, which hears nothing of it", async (t) => {
    const arrived = network(t, async (_, sealed) => sent(await gateway.answer(sealed, answerOf(200, PHOTO))));
    const photo = await bring("https://photos.example/doctor/1.jpg?size=2", [relay]);
    assert.deepEqual(photo, { type: "image/jpeg", bytes: PHOTO });
    assert.equal(photo.bytes.buffer.byteLength, PHOTO.length, "the padding stays in memory");
    assert.deepEqual(gateway.asked, ["GET https://photos.example/doctor/1.jpg?size=2"]);
    const [{ url, how }] = arrived;
    assert.equal(url, relay.url);
    const { credentials, referrerPolicy, redirect, headers } = how;
    assert.deepEqual({ credentials, referrerPolicy, redirect }, { credentials: "omit", referrerPolicy: "no-referrer", redirect: "error" });
    assert.deepEqual(headers, { "Content-Type": "message/ohttp-req", "Accept-Language": "*" });
  });

  it("of a page comes with the others, shuffled, in two sizes, a few at once", async (t) => {
    let running = 0;
    let most = 0;
    const arrived = network(t, async (_, sealed) => {
      most = Math.max(most, ++running);
      await new Promise((done) => setTimeout(done, 5));
      running--;
      return sent(await gateway.answer(sealed, answerOf(200, PHOTO)));
    });
    const urls = Array.from({ length: 80 }, (_, i) => `https://photos.example/${"a".repeat(i % 5 === 0 ? 600 : i)}/${i}.jpg`);
    await Promise.all(urls.map((url) => bring(url, [relay])));
    const order = gateway.asked.map((asked) => urls.indexOf(asked.slice(4)));
    assert.deepEqual(order.toSorted((a, b) => a - b), urls.map((_, i) => i));
    assert.notDeepEqual(order, urls.map((_, i) => i));
    assert.deepEqual([...new Set(arrived.map(({ size }) => size))].toSorted((a, b) => a - b), [512 + 55, 2048 + 55]);
    assert.ok(most <= 64, `${most} at once`);
    assert.ok(new Set(arrived.map(({ how }) => how)).size < 10, "each came alone");
  });

  it("of the next page is sealed with what was made ready since, and its answer can be read", async (t) => {
    network(t, async (_, sealed) => sent(await gateway.answer(sealed, answerOf(200, PHOTO))));
    await bring("https://photos.example/1", [relay]);
    const made = t.mock.method(crypto.subtle, "generateKey");
    while (made.mock.callCount() < 64) await new Promise((done) => setTimeout(done, 20));
    const before = made.mock.callCount();
    await bring("https://photos.example/2", [relay]);
    assert.equal(made.mock.callCount(), before);
  });

  for (const refusal of [400, 404, 415]) {
    it(`comes alone from a relay that answers to a batch with ${refusal}`, async (t) => {
      const arrived = network(t, async (_, sealed) => sent(await gateway.answer(sealed, answerOf(200, PHOTO))), refusal);
      for (let page = 0; page < 2; page++) {
        const urls = Array.from({ length: 20 }, (_, i) => `https://photos.example/${page}/${i}`);
        await Promise.all(urls.map((url) => bring(url, [relay])));
      }
      assert.equal(arrived.length, 40);
      assert.equal(gateway.asked.length, 40);
    });
  }

  it("is not asked for once more when the relay asks to wait", async (t) => {
    const arrived = network(t, () => assert.fail(), 429);
    const all = await Promise.allSettled([1, 2, 3].map((i) => bring(`https://photos.example/${i}`, [relay])));
    for (const outcome of all) because("relay", /429/)(outcome.status === "rejected" && outcome.reason);
    assert.equal(arrived.length, 0);
  });

  it("comes although another of its batch does not", async (t) => {
    let asked = 0;
    network(t, async (_, sealed) => (++asked === 2 ? problem(502, "about:blank", "not reached") : sent(await gateway.answer(sealed, answerOf(200, PHOTO)))));
    const all = await Promise.allSettled(Array.from({ length: 3 }, (_, i) => bring(`https://photos.example/${i}`, [relay])));
    assert.equal(all.filter(({ status }) => status === "fulfilled").length, 2);
    for (const outcome of all) if (outcome.status === "rejected") because("gateway", /502 not reached/)(outcome.reason);
  });

  it("comes although its batch breaks off behind it", async (t) => {
    t.mock.method(globalThis, "fetch", async (/** @type {string} */ _, /** @type {RequestInit} */ how) => {
      const all = partsOfBatch(/** @type {Uint8Array<ArrayBuffer>} */ (how.body));
      const whole = await batchOf(await Promise.all(all.map(async (sealed) => sent(await gateway.answer(sealed, answerOf(200, PHOTO))))));
      return new Response(whole.subarray(0, whole.length - 1), { headers: { "Content-Type": BATCH } });
    });
    const all = await Promise.allSettled(Array.from({ length: 3 }, (_, i) => bring(`https://photos.example/${i}`, [relay])));
    assert.equal(all.filter(({ status }) => status === "fulfilled").length, 2);
    for (const outcome of all) if (outcome.status === "rejected") because("relay", /ended early/)(outcome.reason);
  });

  it("whose address is longer than a request is not asked for", async (t) => {
    const arrived = network(t, () => assert.fail());
    await assert.rejects(bring(`https://photos.example/${"a".repeat(2100)}`, [relay]), because("long"));
    assert.equal(arrived.length, 0);
  });

  it("is not asked for when far too many wait", async (t) => {
    network(t, async (_, sealed) => sent(await gateway.answer(sealed, answerOf(200, PHOTO))));
    const all = await Promise.allSettled(Array.from({ length: 310 }, (_, i) => bring(`https://photos.example/${i}`, [relay])));
    assert.equal(all.filter(({ status }) => status === "fulfilled").length, 300);
    for (const outcome of all) if (outcome.status === "rejected") because("busy")(outcome.reason);
  });
});

describe("when the gateway's key has changed", () => {
  it("the next one is tried, then kept to, and none is fetched", async (t) => {
    const old = await startGateway(9);
    relay.keys = [old.key, gateway.key];
    const arrived = network(t, async (_, sealed) => (sealed[0] === 9 ? unknownKey() : sent(await gateway.answer(sealed, answerOf(200, PHOTO)))));
    await bring("https://photos.example/1", [relay]);
    assert.equal(arrived.length, 2);
    await bring("https://photos.example/2", [relay]);
    assert.equal(arrived.length, 3);
    assert.ok(arrived.every(({ url, how }) => url === relay.url && how.method === "POST"));
  });

  it("and no key is left, it says so", async (t) => {
    network(t, unknownKey);
    await assert.rejects(bring("https://photos.example/1", [relay]), because("key", /other keys/));
  });
});

describe("what goes wrong has a name", () => {
  /** @type {[string, import("./relay.js").Problem, RegExp, (sealed: Uint8Array<ArrayBuffer>) => Promise<Response> | Response][]} */
  const cases = [
    ["no relay", "relay", /refused/, () => Promise.reject(new TypeError("connection refused"))],
    ["a relay that asks to wait", "relay", /429 too often/, () => problem(429, "about:blank", "too often")],
    ["a relay that is something else", "relay", /200 with text\/html/, () => new Response("hello", { headers: { "Content-Type": "text/html" } })],
    ["no gateway behind the relay", "gateway", /502 not reached/, () => problem(502, "about:blank", "not reached")],
    ["an answer that was changed", "answer", /cannot be opened/, async (sealed) => {
      const answer = await gateway.answer(sealed, answerOf(200, PHOTO));
      answer[20] ^= 1;
      return sent(answer);
    }],
    ["an answer to another request", "answer", /cannot be opened/, () => sent(new Uint8Array(1000))],
    ["an answer that is no HTTP", "answer", /framing/, async (sealed) => sent(await gateway.answer(sealed, new Uint8Array([9])))],
    ["a photo that is not there", "photo", /404 the photo host answered 404/, async (sealed) =>
      sent(await gateway.answer(sealed, answerOf(404, ascii("the photo host answered 404"))))],
    ["a page that says it is a photo", "answer", /not a photo/, async (sealed) =>
      sent(await gateway.answer(sealed, answerOf(200, ascii("<html><script>alert(1)</script>"))))],
    ["a drawing", "answer", /not a photo/, async (sealed) => sent(await gateway.answer(sealed, answerOf(200, ascii("<svg xmlns='http://www.w3.org/2000/svg'/>"))))],
    ["an answer without end", "relay", /longer than/, () =>
      new Response(new ReadableStream({ pull: (to) => to.enqueue(new Uint8Array(1 << 20)) }), { headers: { "Content-Type": "message/ohttp-res" } })],
  ];
  for (const [name, wanted, detail, answer] of cases) {
    it(name, async (t) => {
      network(t, (_, sealed) => answer(sealed));
      await assert.rejects(bring("https://photos.example/1", [relay]), because(wanted, detail));
    });
  }

  it("a key that cannot be read", async () => {
    relay.keys = ["AAAA"];
    await assert.rejects(bring("https://photos.example/1", [relay]), because("key", /too few/));
  });
});

it("another relay is asked when one cannot be reached, and kept to", async (t) => {
  const other = { ...relay, name: "two", url: `${relay.url}/two` };
  const arrived = network(t, async (url, sealed) => {
    if (url === relay.url) throw new TypeError("connection refused");
    return sent(await gateway.answer(sealed, answerOf(200, PHOTO)));
  });
  for (let i = 0; i < 5; i++) await bring(`https://photos.example/${i}`, [relay, other]);
  assert.ok(arrived.filter(({ url }) => url === relay.url).length <= 1);
  assert.equal(gateway.asked.length, 5);
});

it("a photo that the gateway cannot bring is not asked for elsewhere", async (t) => {
  const arrived = network(t, async (_, sealed) => sent(await gateway.answer(sealed, answerOf(403, ascii("no photo rule allows it")))));
  await assert.rejects(bring("https://photos.example/1", [relay, { ...relay, url: `${relay.url}/two` }]), because("photo"));
  assert.equal(arrived.length, 1);
});
