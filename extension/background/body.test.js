import assert from "node:assert/strict";
import test from "node:test";
import { bodyOf } from "./body.js";

/** @param {string} text */
const bytes = (text) => new TextEncoder().encode(text);

test("what a request carries, whichever way the browser shows it", () => {
  for (const [body, want] of /** @type {[import("./body.js").RequestBody | null, unknown][]} */ ([
    [null, undefined],
    [{ error: "Unknown error." }, undefined],
    [{ raw: [] }, undefined],
    [{ raw: [{ file: "/tmp/x" }] }, undefined],
    [{ raw: [{ bytes: bytes("ab").buffer }] }, bytes("ab")],
    [{ raw: [{ bytes: bytes("ab").buffer }, { file: "/tmp/x" }, { bytes: bytes("cd").buffer }] }, bytes("abcd")],
    [{ formData: { q: ["a b", "c&d"], r: [new ArrayBuffer(1)] } }, "q=a+b&q=c%26d"],
    [{ formData: { q: ["\u00c3\u00a9"] } }, "q=%C3%A9"],
    [{ formData: { q: ["\u00e9"] } }, "q=%C3%A9"],
    [{ formData: { q: ["\u20ac"] } }, "q=%E2%82%AC"],
  ])) {
    assert.deepEqual(bodyOf(body), want, JSON.stringify(body));
  }
});

test("a large upload is read as far as it may take time", () => {
  const half = new ArrayBuffer(200 * 1024);
  assert.equal(bodyOf({ raw: [{ bytes: half }, { bytes: half }] })?.length, 256 * 1024);
  assert.equal(bodyOf({ raw: [{ bytes: new ArrayBuffer(1 << 20) }] })?.length, 256 * 1024);
});
