import assert from "node:assert/strict";
import test from "node:test";
import { readNames, readWord } from "./engine.js";

const names = readNames("main_frame image script other\nget post\noff watch protect\nallow block relay\nown off listed");

test("a word is read as the engine wrote it", () => {
  assert.deepEqual(readWord(0x5aa50000 | (1 << 7) | (1 << 5) | 2, names), {
    action: "block",
    would: "block",
    reason: "listed",
  });
  assert.deepEqual(readWord(0x5aa50000 | (2 << 7) | 1, names), { action: "allow", would: "relay", reason: "off" });
});

test("garbage is a failure, never a decision", () => {
  for (const word of [0, -1, 1, 0x5aa40000, 0x5aa50000 | 31, 0x5aa50000 | (3 << 5), 0x5aa50000 | (3 << 7), 0x5aa50200, 0x5aa51002]) {
    assert.throws(() => readWord(word, names), /the engine answered 0x/, word.toString(16));
  }
});

test("an engine that names no words is refused", () => {
  assert.throws(() => readNames("one line only"), /names no words/);
});
