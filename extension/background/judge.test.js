import assert from "node:assert/strict";
import test from "node:test";
import { publicSuffixes } from "../tools/suffixes.js";
import { takeSuffixes } from "./domains.js";
import { judge } from "./judge.js";
import { Sites } from "./sites.js";

takeSuffixes(publicSuffixes());

/** @typedef {import("./engine.js").Engine} Engine */

const sites = new Sites(["doctolib.fr", "strict.example"], {
  modes: { "watched.example": "watch", "strict.example": "strict" },
  allowed: { "strict.example": ["maps.example"] },
});
const page = "https://www.doctolib.fr/oncologue/paris";

/** An engine that went wrong after it was opened. */
const broken = /** @type {Engine} */ (/** @type {unknown} */ ({
  decide() {
    throw new Error("the engine answered 0x0");
  },
}));

/**
 * @param {string} type
 * @param {string} [from]
 * @param {string} [url]
 */
const request = (type, from = page, url = "https://api.tanker.io/x") => ({ url, type, page: from });

test("without an engine a protected page gets nothing but itself", () => {
  for (const engine of [null, broken]) {
    assert.equal(judge(request("script"), sites, engine).action, "block");
    assert.equal(judge(request("image", page, "https://www.doctolib.fr/logo.png"), sites, engine).action, "block");
    assert.equal(judge(request("script", "https://strict.example/"), sites, engine).action, "block");
    assert.equal(judge(request("main_frame"), sites, engine).action, "allow");
    assert.equal(judge(request("script", "https://watched.example/"), sites, engine).action, "allow");
    assert.equal(judge(request("script", "https://other.example/"), sites, engine).action, "allow");
    assert.equal(judge(request("script", ""), sites, engine).action, "allow");
  }
  assert.match(String(judge(request("script"), sites, broken).failure), /0x0/);
});

test("what its user allows on a site passes, and is not asked about", () => {
  const from = "https://www.strict.example/book";
  for (const [url, reason] of [
    ["https://maps.example/tile.png", "allowed"],
    ["https://a.maps.example:8443/tile.png", "allowed"],
    ["https://notmaps.example/", "failed"],
    ["https://maps.example.evil.test/", "failed"],
  ]) {
    assert.equal(judge(request("image", from, url), sites, broken).reason, reason, url);
  }
  assert.equal(judge(request("image", page, "https://maps.example/tile.png"), sites, broken).reason, "failed", "elsewhere");
});

test("when nothing is known, third parties are stopped everywhere", () => {
  const unknown = new Sites(null, null);
  const from = "https://some.example/page";
  assert.equal(judge(request("script", from), unknown, null).action, "block");
  assert.equal(judge(request("script", from, "https://cdn.some.example/a.js"), unknown, null).action, "allow");
  assert.equal(judge(request("main_frame", from), unknown, null).action, "allow");
});

test("when only the choices are unknown, the engine decides as if every page were protected", () => {
  const unknown = new Sites(["doctolib.fr"], null);
  /** @type {unknown[]} */
  const asked = [];
  const engine = /** @type {Engine} */ (/** @type {unknown} */ ({
    decide: (/** @type {unknown[]} */ ...args) => {
      asked.push(args);
      return { action: "block", would: "block", reason: "listed" };
    },
    explain: () => "||tracker.example^",
    told: () => [],
  }));
  const sent = { ...request("script", "https://some.example/"), method: "POST", body: "a=1" };
  assert.deepEqual(judge(sent, unknown, engine), {
    action: "block",
    would: "block",
    reason: "listed",
    rule: "||tracker.example^",
    isPhoto: false,
    told: [],
    failure: null,
  });
  assert.deepEqual(asked, [[sent.url, sent.page, "script", "protect", { method: "POST", body: "a=1", leaks: true }]]);
});
