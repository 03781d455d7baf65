/** The engine while nobody can say which hosts are one site. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";
import { runInThisContext } from "node:vm";
import { Desk } from "./desk.js";
import { Engine } from "./engine.js";
import { Module } from "./wasm.js";

const BUILT = new URL("../../dist/wasm/", import.meta.url);
const LIST = "paravent list 1\n[sites]\n[recipients]\n[needs]\n[exceptions]\n[photos]\n[hosts]\n[rules]\n*$third-party,script\n";
const BUNDLE_SHA256 = "4e5cc74f1c1e1223026625a0a9840e1ab38a792f1efce3f46fbd151e7fb0915b";

test("hosts are strangers, and the engine goes on", async () => {
  runInThisContext(await readFile(new URL("wasm_exec.js", BUILT), "utf8"));
  const start = async (/** @type {string} */ name) => Module.start(await readFile(new URL(`${name}.wasm`, BUILT)));
  const bundle = new Desk(await start("desk")).compile(new TextEncoder().encode(LIST), BUNDLE_SHA256);
  const engine = await Engine.open(bundle, start("engine"));
  for (let i = 0; i < 3; i++) {
    assert.equal(engine.decide("https://b.example.co.uk/x.js", "https://a.example.co.uk/", "script", "protect").action, "block");
    assert.equal(engine.decide("https://a.example.co.uk/x.js", "https://a.example.co.uk/", "script", "protect").action, "allow");
  }
});
