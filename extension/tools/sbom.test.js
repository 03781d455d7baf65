import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const PROGRAM = fileURLToPath(new URL("sbom.js", import.meta.url));
const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * What CycloneDX 1.6 asks of the parts that are used here: property, and how its value looks.
 * @type {Record<string, RegExp>}
 */
const COMPONENT = {
  type: /^(application|library|data)$/,
  "bom-ref": /./,
  name: /./,
  version: /./,
  purl: /^pkg:(golang|npm)\/[\w./-]+@[\w.-]+$/,
};
const LENGTHS = /** @type {Record<string, number>} */ ({ "SHA-256": 64, "SHA-512": 128 });

test("the bill names all that each file is made of, the same every time", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "paravent-sbom-"));
  try {
    const release = path.join(folder, "release");
    await mkdir(release);
    const files = ["paravent-chromium.zip", "paravent-firefox.xpi", "paravent-linux-amd64", "paravent-server-windows-arm64.exe"];
    for (const name of [...files, "LICENSE"]) await writeFile(path.join(release, name), `the ${name}`);
    const outs = ["one.json", "two.json"].map((name) => path.join(folder, name));
    for (const out of outs) await promisify(execFile)(process.execPath, [PROGRAM, "--release", release, "--out", out]);
    const [one, two] = await Promise.all(outs.map((out) => readFile(out, "utf8")));
    assert.equal(one, two);

    const bom = JSON.parse(one);
    assert.deepEqual(Object.keys(bom), ["bomFormat", "specVersion", "version", "metadata", "components", "dependencies"]);
    assert.deepEqual([bom.bomFormat, bom.specVersion, bom.version], ["CycloneDX", "1.6", 1]);
    const all = [bom.metadata.component, ...bom.components];
    for (const { licenses, hashes = [], ...rest } of all) {
      for (const [key, value] of Object.entries(rest)) assert.match(value, COMPONENT[key] ?? /^$/, key);
      assert.deepEqual(licenses.map((/** @type {any} */ one) => Object.keys(one.license)), [["id"]], rest.name);
      for (const { alg, content } of hashes) assert.match(content, new RegExp(`^[0-9a-f]{${LENGTHS[alg]}}$`), rest.name);
      assert.ok(hashes.length === 1 || /^(paravent|std|Public Suffix List)$/.test(rest.name), rest.name);
    }
    const refs = all.map((one) => one["bom-ref"]);
    assert.equal(new Set(refs).size, refs.length);
    /** @type {Record<string, string[]>} */
    const made = {};
    for (const { ref, dependsOn } of bom.dependencies) {
      assert.ok(refs.includes(ref), ref);
      for (const part of dependsOn) assert.ok(refs.includes(part), part);
      made[ref] = dependsOn.map((/** @type {string} */ part) => part.replace(/(?<=^pkg:.*)@[^@/]*$/, ""));
    }
    const { version } = JSON.parse(await readFile(path.join(ROOT, "extension", "manifest.json"), "utf8"));
    assert.deepEqual(made[`paravent@${version}`], files.map((name) => `file:${name}`));
    const [zip] = bom.components;
    assert.equal(zip.hashes[0].content, createHash("sha256").update("the paravent-chromium.zip").digest("hex"));
    assert.deepEqual(made["file:paravent-chromium.zip"], made["file:paravent-firefox.xpi"]);
    for (const part of ["pkg:golang/std", "pkg:golang/github.com/bits-and-blooms/bloom/v3", "pkg:npm/hpke", "pkg:npm/tldts", "public-suffix-list", "list:@adguard/dnr-rulesets"]) {
      assert.ok(made["file:paravent-chromium.zip"].includes(part), part);
    }
    for (const program of files.slice(2)) {
      assert.ok(made[`file:${program}`].includes("pkg:golang/golang.org/x/mod"), program);
      assert.ok(!made[`file:${program}`].some((part) => part.startsWith("pkg:npm/")), program);
    }
    await assert.rejects(promisify(execFile)(process.execPath, [PROGRAM, "--release", folder, "--out", outs[0]]), /holds no file of a release/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
