/** The engine in WebAssembly answers as native Go does, with the real list. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { it } from "node:test";
import { fileURLToPath } from "node:url";

/** @param {string} path below the top folder */
const file = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

it("gives native Go's answer on every request made of the built list", () => {
  // The benchmark compares all answers and fails when one differs.
  const output = execFileSync(process.execPath, [
    file("extension/tools/bench.js"), "--bundle", file("dist/lists/list.bundle"), "--native", file("dist/bin/paravent"),
  ], { encoding: "utf8" });
  assert.match(output, /unlike native Go +0 of \d{4,} answers/);
});
