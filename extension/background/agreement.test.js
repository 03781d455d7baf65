/** The engine in WebAssembly answers as native Go does, with the real list. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { filtersOf, requestsOf } from "../bench/corpus.js";
import { unlikeNative } from "../bench/native.js";

/** @param {string} name of a built file */
const built = (name) => fileURLToPath(new URL(`../../dist/lists/${name}`, import.meta.url));

it("gives native Go's answer on every request made of the built list", async () => {
  const requests = requestsOf(filtersOf(await readFile(built("list.txt"), "utf8")));
  assert.ok(requests.length > 1000);
  assert.equal(unlikeNative(built("list.bundle"), requests), 0);
});
