import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { LOCKS, readManaged } from "./managed.js";
import { MODES, SCOPES } from "./sites.js";

const KEY = "AQAgMeHwWnQBAhFSIOmvkY9zhnSuyV9U224E63Baro55gVUACAABAAEAAQAD";
const TRUST = "threshold 1\nmaintainer x+1+AA\nlog y+1+AA\nwitness eye z+1+BA\nquorum eye\n";
const RELAY = { name: "Clinic", url: "https://relay.clinic.example/", keys: [KEY] };

const WHOLE = {
  mode: "strict",
  sites: { "portal.clinic.example": "protect" },
  scope: "all",
  listServer: "https://lists.clinic.example",
  trust: TRUST,
  relays: [RELAY],
  keep: "tab",
  skipWelcome: true,
  locked: ["rules", "backup"],
};

test("values hold, and lock what they are about", () => {
  assert.deepEqual(readManaged(WHOLE), {
    present: true,
    values: WHOLE,
    problems: [],
    locked: ["backup", "keep", "lists", "modes", "relay", "rules", "scope", "welcome"],
  });
  assert.deepEqual(readManaged({}), { present: false, values: {}, problems: [], locked: [] });
  assert.deepEqual(readManaged({ sites: WHOLE.sites, skipWelcome: false }).locked, []);
  assert.deepEqual(readManaged({ listServer: "" }).values, { listServer: "" });
});

test("a value that is wrong is left out, all of it, and named", () => {
  for (const [field, value, why] of /** @type {const} */ ([
    ["mode", "safe", /want off, watch, protect, strict/],
    ["mode", ["strict"], /want off/],
    ["sites", ["clinic.example"], /want domains/],
    ["sites", { "https://clinic.example/": "strict" }, /want a domain/],
    ["sites", { com: "off" }, /com: want a domain/],
    ["sites", { "clinic.example": "strict", "b.example": "of" }, /"of": want/],
    ["scope", "everything", /want sites, all/],
    ["scope", null, /want sites, all/],
    ["listServer", "lists.example", /want an address/],
    ["listServer", "http://lists.example", /want https/],
    ["listServer", "https://lists.example/", /without a path/],
    ["listServer", "https://lists.example/v1", /without a path/],
    ["trust", "anyone", /no line "threshold"/],
    ["trust", 7, /want the text/],
    ["relays", [], /want a list of relays/],
    ["relays", [RELAY, { ...RELAY, url: "http://relay.example/" }], /\[1\]: url: /],
    ["relays", [{ ...RELAY, keys: [KEY, "AAAA"] }], /\[0\]: key: /],
    ["relays", [null], /\[0\]: want name, url and keys/],
    ["keep", "year", /want tab, day/],
    ["skipWelcome", "yes", /want true or false/],
    ["locked", ["modes", "everything"], /"everything": want modes/],
    ["locked", "modes", /want a list/],
    ["colour", "red", /no such setting/],
    ["__proto__", {}, /no such setting/],
  ])) {
    const { values, problems } = readManaged(Object.fromEntries([...Object.entries(WHOLE), [field, value]]));
    // A server is nothing without its trust, nor trust without its server.
    const named = problems.filter((one) => one.field === field);
    assert.equal(named.length, 1, `${field} ${JSON.stringify(value)}: ${JSON.stringify(problems)}`);
    assert.match(String(named[0]?.problem), why);
    const left = Object.keys(WHOLE).filter((key) => key !== field && !(["listServer", "trust"].includes(field) && ["listServer", "trust"].includes(key)));
    assert.deepEqual(Object.keys(values).sort(), left.sort());
  }
});

test("a server without a trust is none", () => {
  const { values, problems, locked } = readManaged({ listServer: "https://lists.clinic.example" });
  assert.deepEqual([values, locked], [{}, []]);
  assert.match(String(problems[0]?.problem), /want a right trust/);
});

test("the schema and the samples say what is read here", async () => {
  /** @param {string} file */
  const read = async (file) => JSON.parse(await readFile(new URL(`../${file}`, import.meta.url), "utf8"));
  const { properties } = await read("managed_schema.json");
  assert.deepEqual(Object.keys(properties), Object.keys(WHOLE));
  assert.deepEqual(properties.mode.enum, MODES);
  assert.deepEqual(properties.scope.enum, SCOPES);
  assert.deepEqual(properties.locked.items.enum, LOCKS);
  const [chromium] = Object.values((await read("policies/chromium.json"))["3rdparty"].extensions);
  const [firefox] = Object.values((await read("policies/firefox.json")).policies["3rdparty"].Extensions);
  assert.deepEqual(chromium, firefox);
  const { present, problems } = readManaged(/** @type {any} */ (chromium));
  assert.ok(present);
  assert.deepEqual(problems, []);
});
