/**
 * What each dependency costs, in bytes and in milliseconds from bytes to
 * running (the quickest of many starts), over a Go program that does nothing:
 *
 *   node bench/dependencies.js
 *
 * Each is linked into a program of its own that uses it as Paravent does, since
 * the linker leaves out what nothing calls. What two have in common counts for
 * both, so the parts add up to more than the whole.
 */

import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { turns } from "./measure.js";
import { table } from "./print.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const STARTING = fileURLToPath(new URL("starting.js", import.meta.url));
const RUNS = 15;

/** What is used of each package. @type {Record<string, string>} */
const USES = {
  "paravent/lists/address": `var u address.URL; sink = u.Parse(input)`,
  "paravent/lists/bundle": `_, err := bundle.Open(input); sink = err`,
  "paravent/lists/compile": `_, err := compile.Compile(input); sink = err`,
  "paravent/wasm/match": `m, _ := match.Open(input); d, _ := m.Decide(new(match.Request)); sink = d.Reason`,
  "paravent/wasm/leak": `var p leak.Page; p.Set(input); _, found := p.Find(input, nil, nil); sink = found`,
  "github.com/bits-and-blooms/bloom/v3": `f := bloom.NewWithEstimates(1000, 1e-6); f.AddString(string(input)); sink = f.TestString("x")`,
  "github.com/tidwall/gjson": `sink = gjson.Get(string(input), "a.b").Exists()`,
  "golang.org/x/mod/sumdb/note": `_, err := note.Open(input, note.VerifierList()); sink = err`,
};

const scratch = await mkdtemp(path.join(tmpdir(), "paravent-dependencies-"));
try {
  /** @type {[string, string][]} names and files */
  const files = [["an empty Go program", await linked("empty", "", "sink = input")]];
  for (const [name, use] of Object.entries(USES)) files.push([name, await linked(path.basename(name), name, use)]);
  for (const name of ["engine", "desk"]) files.push([`${name}.wasm`, path.join(ROOT, "dist/wasm", `${name}.wasm`)]);
  files.push(["suffixes.txt", path.join(ROOT, "dist/chromium/vendor/suffixes.txt")]);

  /** @type {number[][]} */
  const times = files.map(() => []);
  for (let run = 0; run < RUNS; run++) {
    for (const i of turns([...files.keys()], run)) {
      times[i].push(Number(execFileSync(process.execPath, [STARTING, files[i][1]], { encoding: "utf8" })));
    }
  }
  const rows = await Promise.all(files.map(async ([name, file], i) => {
    const bytes = await readFile(file);
    return { name, bytes: bytes.length, packed: gzipSync(bytes, { level: 9 }).length, ms: Math.min(...times[i]) };
  }));
  const [empty] = rows;
  table([
    ["", "bytes", "gzip", "ms", "bytes more", "gzip more", "ms more"],
    ...rows.map(({ name, bytes, packed, ms }) => [name, bytes, packed, ms.toFixed(1),
      ...(name === empty.name || name.endsWith(".txt") ? ["", "", ""] : [bytes - empty.bytes, packed - empty.packed, (ms - empty.ms).toFixed(1)])]),
  ]);
} finally {
  await rm(scratch, { recursive: true });
}

/**
 * @param {string} name
 * @param {string} imported
 * @param {string} use
 * @returns {Promise<string>} the module's file
 */
async function linked(name, imported, use) {
  const source = path.join(scratch, `${name}.go`);
  const overlay = path.join(scratch, `${name}.json`);
  const out = path.join(scratch, `${name}.wasm`);
  await writeFile(source, `package main

${imported && `import ${JSON.stringify(imported)}`}

var input []byte
var sink any

func main() { select {} }

//go:wasmexport use
func use() { ${use} }
`);
  // To the go command the program lies in the module, and may import what is internal to it.
  await writeFile(overlay, JSON.stringify({ Replace: { [path.join(ROOT, "wasm", `linked_${name}`, "main.go")]: source } }));
  execFileSync("go", ["build", "-overlay", overlay, "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", out, `./wasm/linked_${name}`], {
    cwd: ROOT,
    env: { ...process.env, GOOS: "js", GOARCH: "wasm" },
  });
  return out;
}
