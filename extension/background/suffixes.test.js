/** In a browser that has no list of public suffixes of its own. */

import assert from "node:assert/strict";
import test from "node:test";

Object.assign(globalThis, { chrome: { runtime: { getURL: (/** @type {string} */ path) => `extension://x/${path}` } } });
const { readSuffixes, registrable } = await import("./domains.js");

test("no site is guessed before the packaged suffixes are read", async (t) => {
  const reading = t.mock.method(globalThis, "fetch", async () => {
    throw new Error("no such file");
  });
  assert.throws(() => registrable("a.example.co.uk"), /suffixes are not known/);
  await assert.rejects(readSuffixes(), /no such file/);
  assert.throws(() => registrable("a.example.co.uk"), /suffixes are not known/);

  reading.mock.mockImplementation(async () => new Response("// a comment\n\nco.uk\nuk\n"));
  await readSuffixes();
  assert.deepEqual(reading.mock.calls.at(-1)?.arguments, ["extension://x/vendor/suffixes.txt"]);
  assert.equal(registrable("a.example.co.uk"), "example.co.uk");

  await readSuffixes();
  assert.equal(reading.mock.callCount(), 2, "once is enough");
});
