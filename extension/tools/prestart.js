/**
 * Turns a Go program for WebAssembly into the same program as it is once it
 * has started:
 *
 *   node tools/prestart.js WASM_EXEC.JS IN.wasm OUT.wasm EXPORT…
 *
 * Go spends a third of every wake of the engine on starting: it sets up its
 * memory and runs the init of every package, in functions that are compiled
 * for that alone. So the program is started here, until its main waits for
 * calls, and what its memory and its globals then hold is written where the
 * module had what they begin with. Its export "run" is left empty: whoever
 * starts the module as wasm_exec.js does finds it started. The exports that are
 * named are called first, with 0: a stack that has grown once stays large.
 *
 * The clock stands still meanwhile and nothing is random, so the same input
 * gives the same bytes. The seeds of Go's maps are therefore known; the engine
 * keeps nothing in maps that a page could choose.
 */

import { readFile, writeFile } from "node:fs/promises";
import { runInThisContext } from "node:vm";

/** Numbers of sections (https://webassembly.github.io/spec/core/binary/modules.html). */
const CUSTOM = 0, MEMORY = 5, GLOBAL = 6, EXPORT = 7, CODE = 10, DATA = 11;

const FUNCTION_KIND = 0, GLOBAL_KIND = 3;
const I32 = 0x7f, I64 = 0x7e, END = 0x0b;
/** The instructions i32.const and i64.const. @type {Record<number, number>} */
const CONST = { [I32]: 0x41, [I64]: 0x42 };

const PAGE = 64 * 1024;

/** So many zeros may stand within a piece of data: the next one's head takes about as many bytes. */
const GAP = 12;

/** @typedef {{id: number, body: Uint8Array}} Section */
/** @typedef {{name: string, kind: number, index: number}} Export */

/** Reads numbers one after another. */
class Reader {
  at = 0;
  /** @param {Uint8Array} bytes */
  constructor(bytes) {
    this.bytes = bytes;
  }
  /** @returns {number} an unsigned LEB128 number */
  number() {
    for (let value = 0, shift = 1; ; shift *= 128) {
      const byte = this.bytes[this.at++];
      value += (byte & 0x7f) * shift;
      if (byte < 0x80) return value;
    }
  }
  /** @param {number} size */
  take(size) {
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }
}

/**
 * @param {number} value
 * @returns {number[]} as unsigned LEB128
 */
function unsigned(value) {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(Math.floor(value / 0x80))];
}

/**
 * @param {bigint} value
 * @returns {number[]} as signed LEB128
 */
function signed(value) {
  const low = Number(value & 0x7fn);
  return value >= -0x40n && value < 0x40n ? [low] : [low | 0x80, ...signed(value >> 7n)];
}

/**
 * @param {Uint8Array} code
 * @returns {Section[]}
 */
function sectionsOf(code) {
  const reader = new Reader(code);
  reader.take(8); // "\0asm" and the version
  const sections = [];
  while (reader.at < code.length) {
    const [id] = reader.take(1);
    sections.push({ id, body: reader.take(reader.number()) });
  }
  return sections;
}

/**
 * @param {Section[]} sections
 * @returns {Buffer<ArrayBuffer>}
 */
function moduleOf(sections) {
  const head = Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0);
  return Buffer.concat([head, ...sections.flatMap(({ id, body }) => [Uint8Array.from([id, ...unsigned(body.length)]), body])]);
}

/**
 * @param {Uint8Array} body
 * @returns {Export[]}
 */
function exportsOf(body) {
  const reader = new Reader(body);
  return Array.from({ length: reader.number() }, () => ({
    name: Buffer.from(reader.take(reader.number())).toString(),
    kind: reader.take(1)[0],
    index: reader.number(),
  }));
}

/** @param {Export[]} all */
function exportSection(all) {
  return Uint8Array.from([
    ...unsigned(all.length),
    ...all.flatMap(({ name, kind, index }) => [...unsigned(name.length), ...Buffer.from(name), kind, ...unsigned(index)]),
  ]);
}

/**
 * The types of the globals. Go's are all variable numbers that begin at zero.
 * @param {Uint8Array} body
 */
function globalsOf(body) {
  const reader = new Reader(body);
  return Array.from({ length: reader.number() }, () => {
    const [type, variable, constant, zero, end] = reader.take(5);
    if (variable !== 1 || constant !== CONST[type] || zero !== 0 || end !== END) throw new Error("a global that no Go program has");
    return type;
  });
}

/**
 * The functions, one of them emptied.
 * @param {Uint8Array} body
 * @param {number} emptied its index, without those that are imported
 */
function codeSection(body, emptied) {
  const reader = new Reader(body);
  const count = reader.number();
  for (let i = 0; i < emptied; i++) reader.take(reader.number());
  const start = reader.at;
  reader.take(reader.number());
  if (reader.at > body.length || emptied >= count) throw new Error("the code has no function run");
  return Buffer.concat([body.subarray(0, start), Uint8Array.of(2, 0, END), body.subarray(reader.at)]);
}

/**
 * What is not zero in memory.
 * @param {Uint8Array} memory
 */
function dataSection(memory) {
  /** @type {Uint8Array[]} */
  const pieces = [];
  for (let start = 0; ; ) {
    while (start < memory.length && memory[start] === 0) start++;
    if (start === memory.length) break;
    let end = start;
    for (let i = start; i < memory.length && i - end <= GAP; i++) if (memory[i] !== 0) end = i + 1;
    pieces.push(Uint8Array.from([0, CONST[I32], ...signed(BigInt(start)), END, ...unsigned(end - start)]), memory.subarray(start, end));
    start = end;
  }
  return Buffer.concat([Uint8Array.from(unsigned(pieces.length / 2)), ...pieces]);
}

/**
 * Starts a module.
 * @param {Uint8Array<ArrayBuffer>} code
 * @param {string[]} called exports
 * @returns {Promise<WebAssembly.Exports>}
 */
async function start(code, called) {
  const go = /** @type {any} */ (new Go());
  const { gojs } = go.importObject;
  gojs["runtime.nanotime1"] = (/** @type {number} */ sp) => go.mem.setBigInt64(sp + 8, 1n, true);
  gojs["runtime.walltime"] = (/** @type {number} */ sp) => {
    go.mem.setBigInt64(sp + 8, 1n, true);
    go.mem.setInt32(sp + 16, 0, true);
  };
  gojs["runtime.getRandomData"] = (/** @type {number} */ sp) => {
    const at = Number(go.mem.getBigInt64(sp + 8, true));
    new Uint8Array(go.mem.buffer, at, Number(go.mem.getBigInt64(sp + 16, true))).fill(1);
  };
  const module = await WebAssembly.compile(code);
  for (const { module: room, name } of WebAssembly.Module.imports(module)) {
    go.importObject[room] ??= {};
    go.importObject[room][name] ??= () => {
      throw new Error(`${room}.${name} is called before main waits`);
    };
  }
  const instance = await WebAssembly.instantiate(module, go.importObject);
  void go.run(instance);
  if (go.exited) throw new Error("main ends: it must wait for calls");
  for (const name of called) /** @type {(n: number) => number} */ (instance.exports[name])(0);
  return instance.exports;
}

/**
 * @param {Uint8Array} code
 * @param {string[]} called exports
 * @returns {Promise<Buffer>}
 */
async function prestarted(code, called) {
  const sections = sectionsOf(code);
  /** @type {(id: number) => Section} */
  const section = (id) => sections.find((section) => section.id === id) ?? { id, body: Uint8Array.of(0) };
  const exported = exportsOf(section(EXPORT).body);
  const types = globalsOf(section(GLOBAL).body);

  // A module beside it that shows the globals, too.
  const shown = types.map((_, index) => ({ name: `global ${index}`, kind: GLOBAL_KIND, index }));
  const all = exportSection([...exported, ...shown]);
  const exports = await start(moduleOf(sections.map(({ id, body }) => ({ id, body: id === EXPORT ? all : body }))), called);
  const memory = new Uint8Array(/** @type {WebAssembly.Memory} */ (exports.mem).buffer);
  const values = shown.map(({ name }) => BigInt(/** @type {WebAssembly.Global} */ (exports[name]).value));

  const run = exported.find(({ name, kind }) => name === "run" && kind === FUNCTION_KIND);
  if (!run) throw new Error("the module exports no function run");
  const module = new WebAssembly.Module(new Uint8Array(code));
  const imported = WebAssembly.Module.imports(module).filter(({ kind }) => kind === "function").length;
  /** @type {Map<number, Uint8Array>} */
  const changed = new Map([
    [MEMORY, Uint8Array.from([1, 0, ...unsigned(memory.length / PAGE)])],
    [GLOBAL, Uint8Array.from([types.length, ...types.flatMap((type, i) => [type, 1, CONST[type], ...signed(values[i]), END])])],
    [CODE, codeSection(section(CODE).body, run.index - imported)],
    [DATA, dataSection(memory)],
  ]);
  // By its build ID in a custom section, go build would take the file for its own work, and leave it.
  const kept = sections.filter(({ id }) => id !== CUSTOM);
  return moduleOf(kept.map(({ id, body }) => ({ id, body: changed.get(id) ?? body })));
}

const [runtime, from, to, ...called] = process.argv.slice(2);
runInThisContext(await readFile(runtime, "utf8"));
await writeFile(to, await prestarted(await readFile(from), called));
process.exit(); // the program waits for calls for ever
