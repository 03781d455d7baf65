/**
 * Does the store in R2 keep the promises of a store? The Go tests that say what
 * they are run inside workerd, on a bucket of its own.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { BUILT, run } from "./local.js";

const HERE = fileURLToPath(new URL(".", import.meta.url));

test("the bucket is a store", async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "paravent-bucket-"));
  t.after(() => rm(folder, { recursive: true }));
  const wasm = path.join(folder, "tests.wasm");
  await promisify(execFile)("go", ["test", "-c", "-ldflags=-s -w", "-o", wasm, "."], {
    cwd: HERE,
    env: { ...process.env, GOOS: "js", GOARCH: "wasm" },
  });
  const { url, end } = await run({
    modules: [
      { type: "ESModule", path: "bucket.worker.js", contents: await readFile(path.join(HERE, "bucket.worker.js"), "utf8") },
      { type: "ESModule", path: "wasm_exec.js", contents: await readFile(path.join(BUILT, "wasm_exec.js"), "utf8") },
      { type: "CompiledWasm", path: "tests.wasm", contents: new Uint8Array(await readFile(wasm)) },
    ],
  });
  t.after(() => end());
  const response = await fetch(url);
  const output = await response.text();
  assert.equal(response.status, 200, output);
  for (const name of ["TestBucket/sixteen_at_once", "TestBucket/names", "TestGzip", "TestAgain", "TestUnchanged"]) {
    assert.match(output, new RegExp(`^ *--- PASS: ${name} `, "m"));
  }
});
