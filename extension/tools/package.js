/**
 * Assembles the unpacked extension for one browser from this folder, the built
 * WebAssembly and the built list, and packs it if asked to:
 *
 *   node tools/package.js --wasm DIR --lists DIR --out DIR \
 *     --browser chromium|firefox [--defaults FILE] [--zip FILE]
 *
 * The same input gives the same bytes, so that anyone can rebuild a package and
 * compare.
 */

import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { zipSync } from "fflate";
import { readKey } from "../background/ohttp.js";
import { publicSuffixes } from "./suffixes.js";

const HERE = fileURLToPath(new URL("..", import.meta.url));
const require = createRequire(import.meta.url);

/** What runs; everything else in this folder is for building and testing. */
const RUNTIME = ["_locales", "background", "content", "icons", "ui"];

/** Manifest keys that only the other browser knows, and warns about. */
const FOREIGN = {
  chromium: ["browser_specific_settings"],
  firefox: ["minimum_chrome_version", "message_serialization", "storage"],
};

/**
 * @typedef {"chromium" | "firefox"} Browser
 * @typedef {import("../background/defaults.js").Defaults} Defaults
 */

class Refused extends Error {}

/**
 * @param {string[]} argv
 */
function options(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      wasm: { type: "string" },
      lists: { type: "string" },
      out: { type: "string" },
      browser: { type: "string" },
      defaults: { type: "string" },
      zip: { type: "string" },
    },
  });
  const { wasm, lists, out, browser, defaults, zip } = values;
  if (!wasm || !lists || !out) throw new Refused("say --wasm DIR, --lists DIR and --out DIR");
  if (browser !== "chromium" && browser !== "firefox") throw new Refused("say --browser chromium or firefox");
  return { wasm, lists, out: path.resolve(out), browser: /** @type {Browser} */ (browser), defaults, zip };
}

/**
 * The settings of a fresh install, checked: a demo's key or relay must never
 * get into a package that people install.
 * @param {string} file
 * @param {boolean} stock
 * @returns {Promise<Defaults>}
 */
async function readDefaults(file, stock) {
  const settings = JSON.parse(await readFile(file, "utf8"));
  for (const key of ["listServer", "trust"]) {
    if (typeof settings[key] !== "string") throw new Refused(`${file}: ${key} must be a text, empty or not`);
  }
  if (!["undefined", "boolean"].includes(typeof settings.welcome)) throw new Refused(`${file}: welcome must be true or false`);
  if (settings.tryOn && !(/^https?:/.test(settings.tryOn) && URL.canParse(settings.tryOn))) {
    throw new Refused(`${file}: tryOn must be empty or the address of a site, such as https://booking.example/`);
  }
  if (!(settings.pollSeconds > 0)) throw new Refused(`${file}: pollSeconds must be a number above 0`);
  if (settings.listServer !== "" && !URL.canParse(settings.listServer)) throw new Refused(`${file}: listServer is no address`);
  if (!Array.isArray(settings.relays)) throw new Refused(`${file}: relays must be a list, empty or not`);
  for (const relay of settings.relays) checkRelay(relay, file);
  if (settings.listServer !== "" && settings.trust === "") {
    throw new Refused(`${file}: a listServer needs a trust, or nothing it says could be believed`);
  }
  for (const word of settings.trust === "" ? [] : ["threshold", "maintainer", "log", "quorum"]) {
    if (!new RegExp(`^[ \\t]*${word}[ \\t]`, "m").test(settings.trust)) {
      throw new Refused(`${file}: trust: has no line "${word}", so that no release could ever be believed; give all of a trust.txt`);
    }
  }
  if (stock && /^\s*(maintainer|log|witness\s+\S+)\s+demo\./m.test(settings.trust)) {
    throw new Refused(`${file}: trusts a demo's key; give a demo's settings with --defaults`);
  }
  if (stock && settings.relays.length > 0) {
    throw new Refused(`${file}: names relays, which stand in no public log; give settings of your own with --defaults`);
  }
  return settings;
}

/**
 * @param {any} relay
 * @param {string} file
 */
function checkRelay({ name, url, keys }, file) {
  if (typeof name !== "string" || name === "") throw new Refused(`${file}: a relay needs a name`);
  if (typeof url !== "string" || !URL.canParse(url)) throw new Refused(`${file}: the url of relay ${name} is no address`);
  if (!Array.isArray(keys) || keys.length === 0) throw new Refused(`${file}: relay ${name} needs keys, its gateway's key configurations in base64`);
  for (const key of keys) {
    try {
      readKey(new Uint8Array(Buffer.from(String(key), "base64")));
    } catch (error) {
      throw new Refused(`${file}: a key of relay ${name}: ${error instanceof Error ? error.message : error}`);
    }
  }
}

/**
 * @param {Record<string, any>} manifest
 * @param {Browser} browser
 * @param {Defaults} settings
 */
function manifestFor(manifest, browser, settings) {
  const made = structuredClone(manifest);
  for (const key of FOREIGN[browser]) delete made[key];
  delete made.background[browser === "chromium" ? "scripts" : "service_worker"];
  // Users and administrators name servers of their own, over TLS or on this
  // computer; a build can name others.
  const addresses = [settings.listServer, ...settings.relays.map(({ url }) => url)].filter((address) => /^http:/.test(address));
  const hosts = addresses.map((address) => new URL(address)).filter(({ hostname }) => !/(^|\.)localhost$/.test(hostname));
  const policy = made.content_security_policy.extension_pages;
  const allowed = policy.replace("connect-src 'self'", ["connect-src 'self'", ...new Set(hosts.map(({ origin }) => origin))].join(" "));
  if (hosts.length > 0 && allowed === policy) throw new Refused("manifest.json: no connect-src 'self' to extend");
  made.content_security_policy.extension_pages = allowed;
  return made;
}

/**
 * The public suffixes, for browsers that have no list of their own.
 * @param {string} out
 */
async function writeSuffixes(out) {
  const home = path.dirname(require.resolve("tldts/package.json"));
  const { version, homepage } = JSON.parse(await readFile(path.join(home, "package.json"), "utf8"));
  const head = `// The public suffix list (https://publicsuffix.org/list/) as tldts ${version} carries it
// (${homepage}, licence in tldts.LICENSE), a rule a line.
//
// This Source Code Form is subject to the terms of the Mozilla Public License, v. 2.0.
// If a copy of the MPL was not distributed with this file, You can obtain one at
// https://mozilla.org/MPL/2.0/.

`;
  await writeFile(path.join(out, "suffixes.txt"), head + publicSuffixes());
  await cp(path.join(home, "LICENSE"), path.join(out, "tldts.LICENSE"));
}

/**
 * HPKE, one file, as npm has it.
 * @param {string} out
 */
async function writeHpke(out) {
  const file = fileURLToPath(import.meta.resolve("hpke"));
  await cp(file, path.join(out, "hpke.js"));
  await cp(path.join(path.dirname(file), "LICENSE.md"), path.join(out, "hpke.LICENSE"));
}

/**
 * @param {string} folder
 * @returns {Promise<string[]>} paths of all files, sorted, with slashes
 */
async function filesIn(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).split(path.sep).join("/"))
    .sort();
}

/**
 * @param {string} folder
 * @param {string} file
 */
async function pack(folder, file) {
  /** @type {import("fflate").Zippable} */
  const content = {};
  for (const name of await filesIn(folder)) {
    content[name] = new Uint8Array(await readFile(path.join(folder, name)));
  }
  // A zip has no time zone: the fields must come out the same everywhere.
  const mtime = new Date(1980, 0, 1);
  await mkdir(path.dirname(path.resolve(file)), { recursive: true });
  await writeFile(file, zipSync(content, { level: 9, mtime, os: 3, attrs: 0o644 << 16 }));
}

/**
 * Empties the folder to build in, if it holds an extension or nothing.
 * @param {string} out
 */
async function clear(out) {
  const present = await readdir(out).catch(() => /** @type {string[]} */ ([]));
  if (present.length > 0 && !(present.includes("manifest.json") && present.includes("vendor") && present.includes("wasm"))) {
    throw new Refused(`${out}: holds something else than an extension; name another folder or empty this one`);
  }
  await rm(out, { recursive: true, force: true });
}

/** @param {string[]} argv */
async function main(argv) {
  const { wasm, lists, out, browser, defaults, zip } = options(argv);
  const manifest = JSON.parse(await readFile(path.join(HERE, "manifest.json"), "utf8"));
  const settings = await readDefaults(defaults ?? path.join(HERE, "defaults.json"), !defaults);

  await clear(out);
  for (const folder of ["vendor", "wasm", "lists"]) await mkdir(path.join(out, folder), { recursive: true });
  for (const name of RUNTIME) {
    await cp(path.join(HERE, name), path.join(out, name), {
      recursive: true,
      filter: (file) => !file.endsWith(".test.js"),
    });
  }
  await cp(path.join(HERE, "..", "LICENSE"), path.join(out, "LICENSE"));
  await writeSuffixes(path.join(out, "vendor"));
  await writeHpke(path.join(out, "vendor"));
  await cp(path.join(wasm, "wasm_exec.js"), path.join(out, "vendor", "wasm_exec.js"));
  await cp(path.join(HERE, "vendor", "wasm_exec.LICENSE"), path.join(out, "vendor", "wasm_exec.LICENSE"));
  for (const name of ["engine.wasm", "strings.wasm", "desk.wasm", "LICENSES.txt"]) await cp(path.join(wasm, name), path.join(out, "wasm", name));
  for (const name of ["list.bundle", "about.json"]) await cp(path.join(lists, name), path.join(out, "lists", name));
  if (browser === "chromium") await cp(path.join(HERE, "managed_schema.json"), path.join(out, "managed_schema.json"));
  const made = manifestFor(manifest, browser, settings);
  await writeFile(path.join(out, "manifest.json"), `${JSON.stringify(made, null, 2)}\n`);
  await writeFile(path.join(out, "defaults.json"), `${JSON.stringify(settings, null, 2)}\n`);
  if (zip) await pack(out, zip);
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`package.js: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
});
