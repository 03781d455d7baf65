/** Paravent's version stands in the extension's manifest, and everything else takes it from there. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const { version } = JSON.parse(await readFile(path.join(ROOT, "extension", "manifest.json"), "utf8"));

/**
 * @param {string} folder in the repository
 * @returns {Promise<string[]>}
 */
async function sources(folder) {
  const found = [];
  for (const entry of await readdir(path.join(ROOT, folder), { withFileTypes: true })) {
    const name = path.join(folder, entry.name);
    if (["node_modules", "dist", ".git"].includes(entry.name)) continue;
    if (entry.isDirectory()) found.push(...(await sources(name)));
    else if (entry.isFile()) found.push(name);
  }
  return found;
}

test("the version is one that both browsers take", () => {
  assert.match(version, /^(0|[1-9]\d{0,3})(\.(0|[1-9]\d{0,3})){2}$/);
});

test("the programs and the packages have it", async () => {
  for (const program of ["paravent", "paravent-server"]) {
    assert.equal(String(execFileSync(path.join(ROOT, "dist", "bin", program), ["version"])), `${program} ${version}\n`);
  }
  for (const browser of ["chromium", "firefox"]) {
    const made = JSON.parse(await readFile(path.join(ROOT, "dist", browser, "manifest.json"), "utf8"));
    assert.equal(made.version, version, browser);
  }
});

test("nothing else states one", async () => {
  const stating = [];
  const stated = new RegExp(`(version|paravent)\\W{1,5}v?${version.replaceAll(".", "\\.")}(?![\\d.])`, "i");
  for (const name of await sources("")) {
    // The versions in a lock file are those of others.
    if (path.basename(name) === "package-lock.json") continue;
    const text = await readFile(path.join(ROOT, name), "utf8");
    if (stated.test(text)) stating.push(name);
  }
  assert.deepEqual(stating, [path.join("extension", "manifest.json")]);
  for (const folder of ["extension", path.join("server", "cmd", "worker")]) {
    for (const name of ["package.json", "package-lock.json"]) {
      const { version: own, packages } = JSON.parse(await readFile(path.join(ROOT, folder, name), "utf8"));
      assert.equal(own ?? packages?.[""].version, undefined, path.join(folder, name));
    }
  }
});
