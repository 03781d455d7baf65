import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import test, { after, before } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { unzipSync } from "fflate";

const PROGRAM = fileURLToPath(new URL("package.js", import.meta.url));

/** @type {string} */
let home;

// What is packed from there is only copied: any bytes will do.
before(async () => {
  home = await mkdtemp(path.join(tmpdir(), "paravent-package-"));
  for (const [folder, names] of /** @type {const} */ ([
    ["wasm", ["wasm_exec.js", "engine.wasm", "strings.wasm", "desk.wasm", "LICENSES.txt"]],
    ["lists", ["list.bundle", "about.json"]],
  ])) {
    await mkdir(path.join(home, folder));
    for (const name of names) await writeFile(path.join(home, folder, name), `the ${name}`);
  }
});
after(() => rm(home, { recursive: true }));

const TRUST = "threshold 1\nmaintainer x+1+AA\nlog y+1+AA\nwitness eye z+1+BA\nquorum eye\n";
const GOOD = { listServer: "http://lists.localhost:8481", trust: TRUST, relays: [], pollSeconds: 2 };

const KEY = "AQAgMeHwWnQBAhFSIOmvkY9zhnSuyV9U224E63Baro55gVUACAABAAEAAQAD";
const RELAY = { name: "demo", url: "http://relay.localhost:8483/relay", keys: [KEY] };

/**
 * @param {string} name of the folder and the zip
 * @param {string} browser
 * @param {object | null} [settings]
 * @param {Record<string, string>} [env] what the environment has besides
 */
async function make(name, browser, settings, env) {
  const args = [PROGRAM, "--wasm", path.join(home, "wasm"), "--lists", path.join(home, "lists"), "--browser", browser];
  args.push("--out", path.join(home, name), "--zip", path.join(home, `${name}.zip`));
  if (settings) {
    await writeFile(path.join(home, "defaults.json"), JSON.stringify(settings));
    args.push("--defaults", path.join(home, "defaults.json"));
  }
  await promisify(execFile)(process.execPath, args, { env: { ...process.env, ...env } });
  const manifest = JSON.parse(await readFile(path.join(home, name, "manifest.json"), "utf8"));
  return { manifest, zip: await readFile(path.join(home, `${name}.zip`)) };
}

test("the same input gives the same package, of the same files", async () => {
  for (const browser of ["chromium", "firefox"]) {
    const { zip } = await make("one", browser);
    const file = path.join(home, "wasm", "desk.wasm");
    await utimes(file, 1e9, 1e9);
    await chmod(file, 0o700);
    await new Promise((done) => setTimeout(done, 2100)); // a zip counts in steps of two seconds
    const { zip: again } = await make("two", browser, null, { TZ: "Pacific/Kiritimati", LC_ALL: "C.UTF-8", LANG: "fr_FR.UTF-8", HOME: home });
    assert.ok(zip.equals(again), browser);
    const names = Object.keys(unzipSync(new Uint8Array(zip)));
    assert.deepEqual(names, [...names].sort());
    for (const name of ["manifest.json", "LICENSE", "wasm/engine.wasm", "wasm/strings.wasm", "wasm/LICENSES.txt", "lists/list.bundle", "vendor/suffixes.txt", "vendor/tldts.LICENSE", "vendor/hpke.js", "vendor/hpke.LICENSE"]) {
      assert.ok(names.includes(name), name);
    }
    assert.deepEqual(names.filter((name) => /\.test\.|node_modules|^tools|^test|package/.test(name)), []);
  }
});

test("the packed suffixes are rules, and whose they are", async () => {
  await make("vendored", "chromium");
  const lines = (await readFile(path.join(home, "vendored", "vendor", "suffixes.txt"), "utf8")).split("\n");
  for (const rule of ["co.uk", "github.io", "*.ck", "!www.ck", "xn--p1ai"]) assert.ok(lines.includes(rule), rule);
  assert.ok(lines.some((line) => line.startsWith("//") && line.includes("Mozilla Public License, v. 2.0")));
  assert.deepEqual(lines.filter((line) => !/^$|^\/\/|^(!|\*\.)?[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(line)), []);
});

test("a package may connect over TLS and to this computer, and to what its build names", async () => {
  const stock = await make("stock", "firefox");
  assert.match(stock.manifest.content_security_policy.extension_pages, /connect-src 'self' https: http:\/\/localhost:\* http:\/\/\*\.localhost:\*;/);
  const demo = await make("demo", "firefox", { ...GOOD, relays: [RELAY] });
  assert.equal(demo.manifest.content_security_policy.extension_pages, stock.manifest.content_security_policy.extension_pages);
  const room = await make("room", "firefox", { ...GOOD, listServer: "http://192.0.2.1:8480" });
  assert.match(room.manifest.content_security_policy.extension_pages, /connect-src 'self' http:\/\/192\.0\.2\.1:8480 https: /);
});

test("each browser gets a manifest that it knows", async () => {
  const { manifest: chromium } = await make("c", "chromium");
  const { manifest: firefox } = await make("f", "firefox");
  assert.deepEqual(chromium.background, { service_worker: "background/main.js", type: "module" });
  assert.deepEqual(firefox.background, { scripts: ["background/main.js"], type: "module" });
  assert.ok(!("browser_specific_settings" in chromium) && !("minimum_chrome_version" in firefox));
  // Firefox reads policies without a schema, and warns about one.
  assert.ok(!("storage" in firefox));
  const schema = JSON.parse(await readFile(path.join(home, "c", chromium.storage.managed_schema), "utf8"));
  assert.deepEqual(Object.keys(schema.properties), ["mode", "sites", "scope", "listServer", "trust", "relays", "keep", "skipWelcome", "locked"]);
});

test("settings that make no sense are refused by name", async () => {
  for (const [settings, why] of /** @type {const} */ ([
    [{ ...GOOD, trust: "" }, /a listServer needs a trust/],
    [{ ...GOOD, listServer: "nowhere" }, /listServer is no address/],
    [{ ...GOOD, pollSeconds: 0 }, /pollSeconds must be a number above 0/],
    [{ listServer: "" }, /trust must be a text/],
    [{ ...GOOD, relays: "nowhere" }, /relays must be a list/],
    [{ ...GOOD, relays: [{ ...RELAY, url: "nowhere" }] }, /url of relay demo is no address/],
    [{ ...GOOD, relays: [{ ...RELAY, keys: [] }] }, /relay demo needs keys/],
    [{ ...GOOD, relays: [{ ...RELAY, keys: [KEY.slice(4)] }] }, /a key of relay demo: /],
    [{ ...GOOD, trust: TRUST.replace(/^log.*\n/m, "") }, /trust: has no line "log"/],
    [{ ...GOOD, trust: TRUST.replace("quorum", "# quorum") }, /trust: has no line "quorum"/],
  ])) {
    await assert.rejects(make("never", "firefox", settings), why);
  }
});

test("a stock package refuses a demo's settings", async () => {
  const source = fileURLToPath(new URL("..", import.meta.url));
  const copy = path.join(home, "source");
  for (const folder of ["tools", "background", "vendor"]) await mkdir(path.join(copy, folder), { recursive: true });
  for (const name of ["tools/package.js", "tools/suffixes.js", "background/api.js", "background/bhttp.js", "background/hkdf.js", "background/ohttp.js", "vendor/hpke.js", "package.json", "manifest.json"]) {
    await cp(path.join(source, name), path.join(copy, name));
  }
  await symlink(path.join(source, "node_modules"), path.join(copy, "node_modules"));
  const args = [path.join(copy, "tools", "package.js"), "--wasm", home, "--lists", home, "--out", path.join(home, "never"), "--browser", "firefox"];
  for (const [settings, why] of /** @type {const} */ ([
    ...["x+1", "y+1", "z+1"].map((key) => [{ ...GOOD, trust: TRUST.replace(key, `demo.${key}`) }, /trusts a demo's key/]),
    [{ ...GOOD, relays: [RELAY] }, /names relays/],
  ])) {
    await writeFile(path.join(copy, "defaults.json"), JSON.stringify(settings));
    await assert.rejects(promisify(execFile)(process.execPath, args), why);
  }
});

test("a folder with something else in it is left alone", async () => {
  await assert.rejects(make("lists", "firefox"), /holds something else than an extension/);
  assert.equal(await readFile(path.join(home, "lists", "about.json"), "utf8"), "the about.json");
});
