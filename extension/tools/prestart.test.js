import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { runInThisContext } from "node:vm";
import { Module } from "../background/wasm.js";

const TOOL = fileURLToPath(new URL("prestart.js", import.meta.url));
const RUNTIME = fileURLToPath(new URL("../../dist/wasm/wasm_exec.js", import.meta.url));

const PROGRAM = `package main

import "strings"

var inits, calls int32

func init() { inits++ }

var text = strings.Repeat("started ", 1000)

func main() { inits++; select {} }

//go:wasmexport count
func count(int32) int32 {
	calls++
	return calls*10 + inits
}

//go:wasmexport length
func length(int32) int32 { return int32(len(strings.ReplaceAll(text, " ", ""))) }
`;

test("a program that is packaged started goes on from there, and is the same every time", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "paravent-prestart-"));
  try {
    const source = path.join(folder, "main.go"), plain = path.join(folder, "plain.wasm");
    await writeFile(source, PROGRAM);
    execFileSync("go", ["build", "-ldflags=-s -w", "-o", plain, source], { env: { ...process.env, GOOS: "js", GOARCH: "wasm" } });
    const made = ["a.wasm", "b.wasm"].map((name) => path.join(folder, name));
    for (const file of made) execFileSync(process.execPath, [TOOL, RUNTIME, plain, file, "count"]);
    const [code, again] = await Promise.all(made.map((file) => readFile(file)));
    assert.deepEqual(code, again);
    runInThisContext(await readFile(RUNTIME, "utf8"));
    const module = await Module.start(code);
    // It was called once before; init and main have run once each.
    assert.equal(module.ask("count"), 22);
    assert.equal(module.ask("length"), 7000);
    const other = await Module.start(code);
    assert.equal(other.ask("count"), 22);
  } finally {
    await rm(folder, { recursive: true });
  }
});
