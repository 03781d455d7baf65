import assert from "node:assert/strict";
import test from "node:test";
import { publicSuffixes } from "../tools/suffixes.js";
import { FORMAT, readBackup } from "./backup.js";
import { takeSuffixes } from "./domains.js";

takeSuffixes(publicSuffixes());

const SITES = { isListed: (/** @type {string} */ domain) => domain === "booking.doctolib.fr" };
const BACKUP = {
  format: FORMAT,
  scope: "all",
  modes: { "booking.doctolib.fr": "strict", "mine.example": "watch" },
  allowed: { "mine.example": ["cdn.example", "a.b.example"] },
  keep: "day",
  ownRelay: { name: "Mine", url: "https://relay.example/", key: "AQAgMeHwWnQBAhFSIOmvkY9zhnSuyV9U224E63Baro55gVUACAABAAEAAQAD" },
  rules: "||a.example^\n",
};

/** @param {object} change */
const read = (change) => readBackup(JSON.stringify({ ...BACKUP, ...change }), SITES);

test("a backup is read as it was written", () => {
  assert.deepEqual(read({}), BACKUP);
  assert.deepEqual(read({ ownRelay: null, rules: "", modes: {}, allowed: {} }).ownRelay, null);
});

test("what is wrong is named by its field", () => {
  for (const [change, why] of /** @type {const} */ ([
    [{ format: "paravent backup 2" }, /^format: "paravent backup 2": want "paravent backup 1"/],
    [{ format: 1 }, /^format: /],
    [{ scope: "some" }, /^scope: "some": want sites or all/],
    [{ modes: { "www.doctolib.fr": "off" } }, /^modes: "www\.doctolib\.fr": want a site/],
    [{ modes: { "co.uk": "off" } }, /^modes: "co\.uk": want a site/],
    [{ modes: { "mine.example": "loud" } }, /^modes: mine\.example: "loud": want off or/],
    [{ modes: [] }, /^modes: want sites/],
    [{ modes: null }, /^modes: want sites/],
    [{ modes: Object.fromEntries(Array.from({ length: 5001 }, (_, i) => [`a${i}.example`, "off"])) }, /^modes: 5001 sites: 5000 are the most/],
    [{ allowed: { "mine.example": [] } }, /^allowed: mine\.example: want a list/],
    [{ allowed: { "mine.example": ["A.example"] } }, /^allowed: mine\.example: "A\.example": want a host/],
    [{ keep: "year" }, /^keep: /],
    [{ keep: undefined }, /^keep: is missing/],
    [{ ownRelay: { name: "x", url: "ftp://a.example/", key: "" } }, /^ownRelay: url: /],
    [{ ownRelay: "x" }, /^ownRelay: name: /],
    [{ rules: 7 }, /^rules: want a text/],
    [{ visits: [] }, /^visits: there is no such field/],
  ])) {
    assert.throws(() => read(change), { message: why }, JSON.stringify(change).slice(0, 100));
  }
  for (const text of ["", "null", "[]", "7", "{", '"paravent backup 1"', 7, null, undefined, "x".repeat(2_000_000)]) {
    assert.throws(() => readBackup(text, SITES), /backup/);
  }
});

test("whatever is done to a backup, it is read as one or refused in words", () => {
  // The same numbers every time.
  let seed = 1;
  const below = (/** @type {number} */ count) => (seed = (seed * 48271) % 0x7fffffff) % count;
  const odd = [null, 0, -1, "", "x", [], {}, true, [[]], { "": "" }, "__proto__", "constructor", "\u0000", "https://a.example/", "co.uk", Number.MAX_VALUE, "off", { length: 7 }];
  const pieces = ['"', "{", "}", "[", ",", ":", "null", "\\u0000", "__proto__", "9", "\n", "é", "off", "a.example"];
  /** @param {any} value @returns {any} */
  const changed = (value) => {
    if (below(4) === 0 || typeof value !== "object" || value === null) return odd[below(odd.length)];
    const keys = Object.keys(value);
    const key = keys[below(keys.length)] ?? "x";
    const name = below(5) === 0 ? String(odd[below(odd.length)]) : key;
    return Array.isArray(value) ? value.with(Number(key) || 0, changed(value[0])) : { ...value, [name]: changed(value[key]) };
  };
  let readable = 0;
  for (let i = 0; i < 20_000; i++) {
    let text = JSON.stringify(i % 2 === 0 ? changed(BACKUP) : BACKUP);
    if (i % 2 === 1) {
      const at = below(text.length);
      text = text.slice(0, at) + pieces[below(pieces.length)] + text.slice(at + below(4));
    }
    try {
      const got = readBackup(text, SITES);
      // What is read can be written, and is then read as the same.
      assert.deepEqual(readBackup(JSON.stringify(got), SITES), got);
      assert.deepEqual(Object.keys(got).sort(), Object.keys(BACKUP).sort());
      readable++;
    } catch (error) {
      assert.ok(error instanceof Error && !(error instanceof TypeError) && !(error instanceof assert.AssertionError), `${text}\n${error}`);
      assert.match(error.message, /^(format|scope|modes|allowed|keep|ownRelay|rules): |no backup|there is no such field/);
    }
  }
  assert.ok(readable > 100, `${readable}`);
});
