/** The shared vectors, decided by the WebAssembly that the extension carries. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { before, describe, it } from "node:test";
import { openDesk, openEngine, startModule } from "../tools/modules.js";
import { bundleSHA256, list as readList, vectors } from "../tools/vectors.js";

/** @typedef {import("./engine.js").Engine} Engine */

const list = await readList();
const sum = await bundleSHA256();
const cases = await vectors();

describe("decisions", () => {
  /** @type {Engine} */
  let engine;

  before(async () => {
    const bundle = (await openDesk()).compile(list, sum);
    assert.equal(createHash("sha256").update(bundle).digest("hex"), sum);
    engine = await openEngine(bundle);
  });

  for (const { file, name, url, page, type, mode, method, body, referer, action, would, reason, rule } of cases) {
    it(`${file}: ${name}`, () => {
      assert.deepEqual(
        { ...engine.decide(url, page, type, mode, { method, body, referer, leaks: true }), rule: engine.explain() },
        { action, would, reason, rule },
      );
    });
  }

  it("a type that nobody knows as any other one", () => {
    for (const type of ["", "o", "other", "sth", "main_framf", "toString", "\u0000"]) {
      assert.equal(engine.decide("https://types.example/other/x", "https://booking.example/", type, "protect").action, "block", type);
      assert.equal(engine.decide("https://types.example/image/x", "https://booking.example/", type, "protect").action, "allow", type);
    }
  });

  it("an address longer than the small buffer", () => {
    const url = `https://tracker.example/?${"x".repeat(200_000)}`;
    assert.equal(engine.decide(url, "https://booking.example/", "script", "protect").action, "block");
    assert.equal(engine.decide("https://fine.example/", "https://booking.example/", "script", "protect").action, "allow");
  });
});

describe("what the desk refuses", () => {
  it("a bundle other than the release names", async () => {
    const desk = await openDesk();
    assert.throws(() => desk.compile(list, "00"), /^Error: the compiled bundle has SHA-256 [0-9a-f]{64}, the release names 00$/);
  });

  it("a list that is cut off", async () => {
    const desk = await openDesk();
    assert.throws(() => desk.compile(list.subarray(0, list.length - 3), sum), /^Error: list: line \d+: cut off/);
  });
});

describe("what the engine refuses", () => {
  it("a mode that is none, before and behind others", async () => {
    const engine = await openEngine((await openDesk()).compile(list, sum));
    for (const mode of /** @type {any[]} */ (["", "protect", undefined, "off", "none"])) {
      const decide = () => engine.decide("https://tracker.example/", "https://booking.example/", "script", mode);
      if (mode === "protect" || mode === "off") assert.doesNotThrow(decide, mode);
      else assert.throws(decide, /^Error: the engine answered 0x0$/, mode);
    }
  });

  it("a truncated bundle, and keeps the one it has", async () => {
    const bundle = (await openDesk()).compile(list, sum);
    const module = await startModule("engine");
    assert.equal(module.call("open", [bundle]), 0);
    const answer = module.call("open", [bundle.subarray(0, bundle.length - 1)]);
    assert.ok(answer < 0);
    assert.match(module.text(-answer), /^bundle: header: says \d+ bytes, has \d+$/);
    assert.equal(module.decide("https://tracker.example/", "https://a.example/", 3 | (2 << 12), false) >>> 16, 0x5aa5);
  });

  it("to decide before a list is open", async () => {
    const module = await startModule("engine");
    assert.equal(module.decide("https://tracker.example/", "https://a.example/", 3 | (2 << 12), false), 0);
  });
});
