/**
 * What readers get, from a bucket that a test has filled. Go cannot be started
 * here: the module in its place wants an import that nobody has.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import http from "node:http";
import { after, before, test } from "node:test";
import { gunzipSync, gzipSync } from "node:zlib";
import { modules, run } from "./local.js";

/** (module (import "never" "there" (func))) */
const BROKEN = Uint8Array.from(
  Buffer.from("0061736d01000000" + "010401600000" + "020f01056e65766572057468657265" + "0000", "hex"),
);

const LIST = Buffer.from("||tracker.example^\n".repeat(1000));
const ONE = "1".repeat(64);
const TWO = "2".repeat(64);
const NOTE = "paravent release 0\nindex 0\n";
const ANSWER = `${NOTE}\n— maintainer c2lnbmF0dXJl\nc2sp.org/tlog-proof@v1\nindex 0\n\ncheckpoint\n`;
const TAG = `"${createHash("sha256").update(NOTE).digest("hex")}"`;

/** @type {string} */
let url;
/** @type {import("./local.js").Bucket} */
let bucket;
/** @type {() => Promise<void>} */
let end;

before(async () => {
  const parts = await modules("");
  ({ url, bucket, end } = await run({
    quiet: true,
    modules: parts.map((part) => (part.type === "CompiledWasm" ? { ...part, contents: BROKEN } : part)),
  }));
  await bucket.put(`v1/blob/${ONE}`, new Uint8Array(gzipSync(LIST)), { httpMetadata: { contentEncoding: "gzip" } });
  await bucket.put(`v1/blob/${TWO}`, "small");
  await bucket.put(`v1/delta/${ONE}/${TWO}`, "delta");
  await bucket.put("tile/0/000.p/1", "h".repeat(32));
  await bucket.put("tile/entries/x001/234", "entries");
  await bucket.put("private/head", "private");
});

after(() => end());

/**
 * Sends exactly these headers and no others, and decodes nothing.
 * @param {string} name
 * @param {Record<string, string>} [headers]
 * @param {string} [method]
 * @returns {Promise<{status: number, headers: http.IncomingHttpHeaders, body: Buffer}>}
 */
function ask(name, headers = {}, method = "GET") {
  return new Promise((resolve, reject) => {
    const request = http.request(url + name, { headers, method }, (response) => {
      /** @type {Buffer[]} */
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) });
      });
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end();
  });
}

test("Go cannot start here", async () => {
  for (const [name, method] of [["/", "GET"], ["/healthz", "GET"], ["/v1/release", "POST"], ["/checkpoint", "DELETE"]]) {
    const { status, headers, body } = await ask(name, {}, method);
    assert.equal(status, 500, name);
    assert.equal(headers["cache-control"], "no-store");
    assert.match(String(body), /^the server broke/);
  }
});

test("nothing is published yet", async () => {
  for (const name of ["/v1/release", "/checkpoint", "/v1/filters"]) {
    const { status, headers } = await ask(name);
    assert.equal(status, 404, name);
    assert.equal(headers["cache-control"], "no-store", name);
  }
});

test("the release is tagged by its text alone", async () => {
  await bucket.put("v1/release", ANSWER);
  const whole = await ask("/v1/release");
  assert.equal(whole.status, 200);
  assert.equal(String(whole.body), ANSWER);
  assert.equal(whole.headers.etag, TAG);
  assert.equal(whole.headers["cache-control"], "no-cache");
  assert.equal(whole.headers["content-type"], "text/plain; charset=utf-8");

  for (const known of [TAG, `W/${TAG}`, `"other", ${TAG}`, `"other",W/${TAG} `, "*"]) {
    const { status, headers, body } = await ask("/v1/release", { "If-None-Match": known });
    assert.deepEqual([status, headers.etag, body.length], [304, TAG, 0], known);
  }
  for (const known of ['"other"', TAG.slice(0, -1), TAG.slice(1, -1), ""]) {
    assert.equal((await ask("/v1/release", { "If-None-Match": known })).status, 200, known);
  }

  // Cosigned anew: other bytes, the same release.
  await bucket.put("v1/release", `${ANSWER}— witness c2lnbmF0dXJl\n`);
  assert.equal((await ask("/v1/release")).headers.etag, TAG);
  assert.notEqual(String((await ask("/v1/release")).body), ANSWER);

  assert.equal((await ask("/v1/release", { "If-None-Match": TAG })).status, 304);

  const next = ANSWER.replace("release 0", "release 1");
  await bucket.put("v1/release", next);
  const { status, headers, body } = await ask("/v1/release", { "If-None-Match": TAG });
  assert.deepEqual([status, String(body)], [200, next]);
  assert.equal((await ask("/v1/release", { "If-None-Match": String(headers.etag) })).status, 304);
  assert.notEqual(headers.etag, TAG);
  await bucket.put("v1/release", ANSWER);

  const head = await ask("/v1/release", {}, "HEAD");
  assert.deepEqual([head.status, head.headers.etag, head.body.length], [200, TAG, 0]);
});

test("checkpoint and filters are read anew", async () => {
  for (const [name, type] of [["checkpoint", "text/plain; charset=utf-8"], ["v1/filters", "application/octet-stream"]]) {
    for (const data of ["first", "second"]) {
      await bucket.put(name, data);
      const { status, headers, body } = await ask(`/${name}`);
      assert.deepEqual([status, String(body), headers["content-type"]], [200, data, type]);
      assert.equal(headers["cache-control"], "no-cache");
    }
  }
  assert.equal((await ask("/checkpoint")).headers.etag, undefined);
  const etag = `W/"${createHash("sha256").update("second").digest("hex")}"`;
  assert.equal((await ask("/v1/filters")).headers.etag, etag);
  assert.equal((await ask("/v1/filters", { "If-None-Match": etag })).status, 304);
  assert.equal((await ask("/v1/filters", { "If-None-Match": TAG })).status, 200);
});

test("what was compressed once is sent as it lies there", async () => {
  for (const accepted of ["gzip", "br, gzip;q=0.5", "x-gzip", "*", "GZIP"]) {
    for (const round of ["from the bucket", "from the cache"]) {
      const { status, headers, body } = await ask(`/v1/blob/${ONE}`, { "Accept-Encoding": accepted });
      assert.equal(status, 200);
      assert.equal(headers["content-encoding"], "gzip", `${accepted} ${round}`);
      assert.equal(Number(headers["content-length"]), body.length);
      assert.deepEqual(gunzipSync(body), LIST);
      assert.equal(headers["cache-control"], "public, max-age=31536000, immutable");
      assert.equal(headers.vary, "Accept-Encoding");
      assert.equal(headers["x-encoded"], undefined);
    }
  }
  for (const accepted of ["identity", "gzip;q=0", "gzip;q=0.000, *", "br", "*;q=0", "gzipped"]) {
    const { headers, body } = await ask(`/v1/blob/${ONE}`, { "Accept-Encoding": accepted });
    assert.equal(headers["content-encoding"], undefined, accepted);
    assert.deepEqual(body, LIST, accepted);
  }
  assert.deepEqual((await ask(`/v1/blob/${ONE}`)).body, LIST, "no wish");
});

test("what never changes is asked of the bucket once", async () => {
  for (const [name, data] of [[`v1/blob/${TWO}`, "small"], [`v1/delta/${ONE}/${TWO}`, "delta"], ["tile/0/000.p/1", "h".repeat(32)], ["tile/entries/x001/234", "entries"]]) {
    assert.equal(String((await ask(`/${name}`)).body), data);
    await bucket.delete(name);
    const again = await ask(`/${name}?whatever`);
    assert.deepEqual([again.status, String(again.body)], [200, data], name);
    const head = await ask(`/${name}`, {}, "HEAD");
    assert.deepEqual([head.status, head.body.length, head.headers["cache-control"]], [200, 0, "public, max-age=31536000, immutable"]);
  }
});

test("what is missing may come", async () => {
  const name = `v1/blob/${"3".repeat(64)}`;
  const { status, headers } = await ask(`/${name}`);
  assert.deepEqual([status, headers["cache-control"]], [404, "no-store"]);
  await bucket.put(name, "came");
  assert.equal(String((await ask(`/${name}`)).body), "came");
});

test("no other name is looked up in the bucket", async () => {
  for (const name of [
    "/private/head",
    "/v1/../private/head",
    "/v1/blob/%2e%2e/%2e%2e/private/head",
    `/v1/blob/${ONE.slice(1)}`,
    `/v1/blob/${ONE.toUpperCase().replace("1", "A")}`,
    `/v1/blob/${ONE}/`,
    `/v1/delta/${ONE}`,
    "/tile/64/000",
    "/tile/00/000",
    "/tile/0/000.p/0",
    "/tile/0/000.p/256",
    "/tile/0/x000",
    "/tile/0/0000",
    "/checkpoint/",
  ]) {
    const { status, body } = await ask(name);
    assert.equal(status, 500, name); // Go would say what it thinks of it
    assert.doesNotMatch(String(body), /private/);
  }
});
