import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import test from "node:test";
import { STORED } from "./stored.js";

test("all that is kept has a sentence in every language", async () => {
  const folder = new URL("../_locales/", import.meta.url);
  for (const language of await readdir(folder)) {
    const messages = JSON.parse(await readFile(new URL(`${language}/messages.json`, folder), "utf8"));
    for (const { key, message } of STORED) assert.ok(message in messages, `${language}: ${key}: ${message}`);
  }
});
