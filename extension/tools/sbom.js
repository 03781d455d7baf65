/**
 * Writes down what each file of a release is made of, as a software bill of
 * materials: CycloneDX 1.6 (https://cyclonedx.org/docs/1.6/json/), JSON.
 *
 *   node tools/sbom.js --release dist/release --out FILE
 *
 * The files are the programs, by the names that build.sh gives them, and the
 * extension's packages. A Go module is in a file if the compiler takes it for
 * that file; what the packages have of npm and of lists by others is what
 * package.js and the list's sources say. No time and no number of its own goes
 * in, so that the same release gives the same bytes.
 */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const LICENCE = "GPL-3.0-or-later";

/** npm packages of which the extension's packages carry something: see package.js. */
const CARRIED = ["hpke", "tldts"];

/** What licences say that others do not, by their SPDX names; the first that fits. */
const LICENCES = /** @type {const} */ ([
  ["Apache-2.0", /Apache License\s+Version 2\.0/],
  ["MIT", /Permission is hereby granted, free of charge, to any person obtaining a copy/],
  ["BSD-3-Clause", /Redistribution and use in source and binary forms[^]*Neither the name/],
  ["BSD-2-Clause", /Redistribution and use in source and binary forms/],
]);

class Refused extends Error {}

/**
 * @typedef {object} Component as CycloneDX has it
 * @property {"application" | "library" | "data"} type
 * @property {string} bom-ref
 * @property {string} name
 * @property {string} version
 * @property {{license: {id: string}}[]} licenses
 * @property {{alg: "SHA-256" | "SHA-512", content: string}[]} [hashes]
 * @property {string} [purl]
 */

/**
 * @param {Component["type"]} type
 * @param {string} ref
 * @param {string} name
 * @param {string} version
 * @param {string} licence
 * @returns {Component}
 */
function component(type, ref, name, version, licence) {
  return { type, "bom-ref": ref, name, version, licenses: [{ license: { id: licence } }] };
}

/** @param {Uint8Array} bytes */
function sha256(bytes) {
  return /** @type {const} */ ({ alg: "SHA-256", content: createHash("sha256").update(bytes).digest("hex") });
}

/**
 * A hash as go.sum and lock files have it.
 * @param {"SHA-256" | "SHA-512"} alg
 * @param {string} text such as "h1:base64"
 */
function hashOf(alg, text) {
  return { alg, content: Buffer.from(text.replace(/^\w+[:-]/, ""), "base64").toString("hex") };
}

/** @param {string} file */
async function readJSON(file) {
  return JSON.parse(await readFile(path.join(ROOT, file), "utf8"));
}

/**
 * @param {string} folder of a Go module
 * @returns {Promise<string>}
 */
async function licenceOf(folder) {
  const name = (await readdir(folder)).sort().find((file) => /^(LICEN[CS]E|COPYING)/i.test(file));
  const text = name ? await readFile(path.join(folder, name), "utf8") : "";
  const known = LICENCES.find(([, words]) => words.test(text));
  if (!known) throw new Refused(`${folder}: its licence is none that this tool knows; add it to LICENCES`);
  return known[0];
}

/**
 * The Go modules that are compiled into a program, Go itself first.
 * @param {string[]} programs
 * @param {Record<string, string>} platform GOOS and GOARCH
 * @returns {Promise<Component[]>}
 */
async function goParts(programs, platform) {
  const go = (/** @type {string[]} */ ...args) =>
    execFileSync("go", args, { cwd: ROOT, env: { ...process.env, CGO_ENABLED: "0", ...platform }, encoding: "utf8" }).trim();
  const format = "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Sum}}\t{{.Dir}}{{end}}{{end}}";
  const lines = new Set(go("list", "-deps", "-f", format, ...programs).split("\n").filter(Boolean));
  const version = go("env", "GOVERSION").replace(/^go/, "");
  const purl = `pkg:golang/std@${version}`;
  const std = { ...component("library", purl, "std", version, "BSD-3-Clause"), purl };
  const modules = [...lines].sort().map(async (line) => {
    const [name = "", version = "", sum = "", folder = ""] = line.split("\t");
    const purl = `pkg:golang/${name}@${version}`;
    return { ...component("library", purl, name, version, await licenceOf(folder)), hashes: [hashOf("SHA-256", sum)], purl };
  });
  return [std, ...(await Promise.all(modules))];
}

/**
 * What the extension's packages carry besides.
 * @returns {Promise<Component[]>}
 */
async function carriedParts() {
  const lock = (await readJSON("extension/package-lock.json")).packages;
  const npm = CARRIED.map((name) => {
    const { version, license, integrity } = lock[`node_modules/${name}`];
    const purl = `pkg:npm/${name}@${version}`;
    return { ...component("library", purl, name, version, license), hashes: [hashOf("SHA-512", integrity)], purl };
  });
  const suffixes = component("data", "public-suffix-list", "Public Suffix List", `of tldts ${lock["node_modules/tldts"].version}`, "MPL-2.0");
  const lists = (await readJSON("lists/upstream.json")).map((/** @type {any} */ list) => {
    const hashes = [{ alg: "SHA-256", content: list.sha256 }];
    return { ...component("data", `list:${list.package}`, list.name, list.version, list.licence), hashes };
  });
  return [...npm, suffixes, ...lists];
}

/**
 * @param {string} folder
 */
async function bill(folder) {
  const { version } = await readJSON("extension/manifest.json");
  /** @type {Map<string, Component>} */
  const parts = new Map();
  /** @type {{ref: string, dependsOn: string[]}[]} */
  const dependencies = [];
  const files = [];
  for (const name of (await readdir(folder)).sort()) {
    const program = /^(paravent|paravent-server)-(linux|darwin|windows)-(\w+)(\.exe)?$/.exec(name);
    const isPackage = /^paravent-(chromium\.zip|firefox\.xpi)$/.test(name);
    if (!program && !isPackage) continue;
    const made = program
      ? await goParts([`./server/cmd/${program[1]}`], { GOOS: program[2], GOARCH: program[3] })
      : [...(await goParts(["./wasm/engine", "./wasm/desk"], { GOOS: "js", GOARCH: "wasm" })), ...(await carriedParts())];
    for (const part of made) parts.set(part["bom-ref"], part);
    const ref = `file:${name}`;
    files.push({ ...component("application", ref, name, version, LICENCE), hashes: [sha256(await readFile(path.join(folder, name)))] });
    dependencies.push({ ref, dependsOn: made.map((part) => part["bom-ref"]).sort() });
  }
  if (files.length === 0) throw new Refused(`${folder}: holds no file of a release; run ./build.sh binaries`);
  const sorted = [...parts.values()].sort((a, b) => (a["bom-ref"] < b["bom-ref"] ? -1 : 1));
  const root = `paravent@${version}`;
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: { component: component("application", root, "paravent", version, LICENCE) },
    components: [...files, ...sorted],
    dependencies: [{ ref: root, dependsOn: files.map((file) => file["bom-ref"]) }, ...dependencies],
  };
}

const { release, out } = parseArgs({ options: { release: { type: "string" }, out: { type: "string" } } }).values;
try {
  if (!release || !out) throw new Refused("say --release DIR and --out FILE");
  await writeFile(out, `${JSON.stringify(await bill(release), null, 2)}\n`);
} catch (error) {
  console.error(`sbom.js: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
}
