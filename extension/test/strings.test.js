/** The module that copies strings into the engine's memory, in real browsers, in a page of the extension: against TextEncoder, and behind the engine. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { BROWSERS, createWorld } from "./world.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */
/** @typedef {import("./drive/driver.js").Tab} Tab */

/** @type {import("./world.js").World} */
let world;
before(async () => {
  world = await createWorld();
});
after(() => world.close());

/** Gives the page strings as browsers keep them: in one piece, in two, as a part of another, with two bytes a character. Runs in the page. */
function prepare() {
  const some = "abcXYZ019-._~:/?#[]@!$&'()*+,;=%20";
  const filled = (/** @type {number} */ length) => some.repeat(Math.ceil(length / some.length)).slice(0, length);
  const lengths = [...Array.from({ length: 70 }, (_, n) => n), 255, 256, 257, 1535, 1536, 1537, 1538, 2000, 2031, 2032];
  Object.assign(globalThis, {
    strings: lengths.flatMap((length) => {
      const text = filled(length);
      const half = length >> 1;
      return [
        JSON.parse(JSON.stringify(text)),
        `${text.slice(0, half)}${text.slice(half)}`,
        `<${text}>`.slice(1, -1),
        JSON.parse(JSON.stringify(`€${text}`)).slice(1),
        ...[0, half, length - 1].filter((at) => at >= 0 && at < length).flatMap((at) =>
          ["\x7f", "\x80", "é", "Ā", "ſ", "€", "\ud800", "\uffff"].map((odd) => text.slice(0, at) + odd + text.slice(at + 1)),
        ),
      ];
    }),
  });
}

for (const name of BROWSERS) {
  describe(name, () => {
    /** @type {Browser} */
    let browser;
    /** @type {Tab} */
    let page;
    before(async () => {
      browser = await world.launch(name, { extension: await world.extension(name) });
      page = await browser.extensionPage("ui/options.html");
      await page.evaluate(prepare);
    });
    after(() => browser?.close());

    it("copies what is ASCII, and says of all else that it is not", async () => {
      const { count, wrong } = await page.evaluate(async () => {
        const { strings, WebAssembly: wasm } = /** @type {any} */ (globalThis);
        const memory = new WebAssembly.Memory({ initial: 1 });
        const module = await wasm.compileStreaming(fetch("/wasm/strings.wasm"), { builtins: ["js-string"] });
        const { copy } = (await wasm.instantiate(module, { engine: { mem: memory } })).exports;
        const to = new Uint8Array(memory.buffer);
        const wrong = strings.filter((/** @type {string} */ text) => {
          const bytes = new TextEncoder().encode(text);
          const isASCII = bytes.length === text.length;
          to.fill(0xee);
          const failed = copy(text, text.length, 100);
          if (failed !== (isASCII ? 0 : 1)) return true;
          // It may write zeros up to a multiple of 16, and nothing else.
          const end = 100 + (isASCII ? text.length : 0);
          const zeros = 100 + Math.ceil(text.length / 16) * 16;
          return (
            to.subarray(0, 100).some((byte) => byte !== 0xee) ||
            (isASCII && bytes.some((byte, i) => to[100 + i] !== byte)) ||
            (isASCII && to.subarray(end, zeros).some((byte) => byte !== 0)) ||
            to.subarray(zeros, zeros + 100).some((byte) => byte !== 0xee)
          );
        });
        return { count: strings.length, wrong };
      });
      assert.ok(count > 1500, `${count} strings`);
      assert.deepEqual(wrong, []);
    });

    it("changes no decision", async () => {
      const { words, differ } = await page.evaluate(async () => {
        const { strings } = /** @type {any} */ (globalThis);
        const [exec, wasm, domains, sites] = ["/vendor/wasm_exec.js", "/background/wasm.js", "/background/domains.js", "/vendor/suffixes.txt"];
        await import(exec);
        const { Module } = await import(wasm);
        const { takeSuffixes } = await import(domains);
        takeSuffixes(await (await fetch(sites)).text());
        const bundle = new Uint8Array(await (await fetch("/lists/list.bundle")).arrayBuffer());
        const modules = [await Module.load("engine", "strings"), await Module.load("engine")];
        for (const module of modules) {
          if (module.call("open", [bundle]) !== 0) throw new Error("the list is not opened");
        }
        /** @type {Set<number>} */
        const words = new Set();
        /** @type {string[]} */
        const differ = [];
        const pages = ["https://www.booking.example/a?b=c", "https://m\u00fcnchen.example/", `https://booking.example/${"x".repeat(40_000)}`];
        const what = 4 | (2 << 12); // a script, mode protect
        for (const text of ["", ...strings]) {
          for (const url of [`https://analytics.test/${text}`, `https://www.example.org/${text}`, `https://example.org/a/b/${text}/pixel.gif?`, text]) {
            for (const whole of [false, true]) {
              const [with_, without] = modules.map((module) => module.decide(url, pages[url.length % 3], what | (whole ? 1 << 16 : 0), whole));
              words.add(without);
              if (with_ !== without) differ.push(url);
            }
          }
        }
        return { words: words.size, differ };
      });
      assert.ok(words >= 3, `${words} different decisions`);
      assert.deepEqual(differ, []);
    });
  });
}
