import assert from "node:assert/strict";
import test from "node:test";
import { readNames, readWord } from "./engine.js";

const names = readNames("main_frame image script other\nget post\noff watch protect\nallow block relay\nown off listed");

test("a word is read as the engine wrote it", () => {
  assert.deepEqual(readWord((0x5aa5 << 16) | (1 << 12) | (1 << 8) | 2, names), {
    action: "block",
    would: "block",
    reason: "listed",
  });
  assert.deepEqual(readWord((0x5aa5 << 16) | (2 << 12) | 1, names), { action: "allow", would: "relay", reason: "off" });
});

test("garbage is a failure, never a decision", () => {
  for (const word of [0, -1, 1, 0x5aa4 << 16, (0x5aa5 << 16) | 99, (0x5aa5 << 16) | (7 << 8), (0x5aa5 << 16) | (3 << 12)]) {
    assert.throws(() => readWord(word, names), /the engine answered 0x/, word.toString(16));
  }
});

test("an engine that names no words is refused", () => {
  assert.throws(() => readNames("one line only"), /names no words/);
});
