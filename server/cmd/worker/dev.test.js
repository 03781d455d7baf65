/** dev.js, as other tests and people start it. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import readline from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { modules, run } from "./local.js";

const DEV = fileURLToPath(new URL("dev.js", import.meta.url));

test("it says where it listens, and ends when it is told to", async (t) => {
  const folder = await mkdtemp(path.join(os.tmpdir(), "paravent-dev-"));
  t.after(() => rm(folder, { recursive: true }));
  const [trust, key, store] = ["trust.txt", "log.key", "store"].map((name) => path.join(folder, name));
  await writeFile(trust, "threshold 1\n");
  await writeFile(key, "not a key\n");
  const child = spawn(process.execPath, [DEV, "--trust", trust, "--log-key", key, "--store", store], { cwd: "/" });
  const ended = once(child, "exit");
  const [line] = await Promise.race([once(readline.createInterface(child.stdout), "line"), ended]);
  const { lists } = JSON.parse(line);
  assert.match(lists, /^http:\/\/127\.0\.0\.1:\d+$/);
  assert.equal((await fetch(`${lists}/checkpoint`)).status, 404);
  child.kill("SIGTERM");
  await ended;
  await assert.rejects(fetch(`${lists}/checkpoint`), "workerd goes on without it");
});

test("it says what is missing", async () => {
  for (const args of [["--trust", "x"], ["--trust", "no such file", "--log-key", "x"]]) {
    const child = spawn(process.execPath, [DEV, ...args]);
    let said = "";
    child.stderr.on("data", (data) => (said += data));
    const [code] = await once(child, "close");
    assert.equal(code, 1, said);
    assert.match(said, /--trust FILE --log-key FILE|no such file/);
  }
});

test("a Worker that lacks its key or its trust text says so, and reads", async (t) => {
  for (const [trust, logKey] of [["", "PRIVATE+KEY"], ["threshold 1\n", undefined]]) {
    const { url, bucket, end } = await run({ modules: await modules(trust ?? ""), logKey, quiet: true });
    t.after(end);
    await bucket.put("checkpoint", "whatever it says");
    assert.equal((await fetch(`${url}/checkpoint`)).status, 200);
    for (const [name, method] of [["healthz", "GET"], ["v1/release", "POST"]]) {
      const response = await fetch(`${url}/${name}`, { method });
      assert.equal(response.status, 503);
      assert.match(await response.text(), /lacks something/);
    }
  }
});
