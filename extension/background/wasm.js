import { api } from "./api.js";

/** Requests up to this many bytes go through one buffer that the module keeps. */
const SMALL = 64 * 1024;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * One running Go module. Its exports take and give i32 only; texts and bytes
 * pass through its memory: in at `input(n)`, out at `output()`.
 */
export class Module {
  /** @type {Record<string, (...numbers: number[]) => number>} */
  #exports;
  /** @type {WebAssembly.Memory} */
  #memory;
  /** @type {Uint8Array} */
  #small = new Uint8Array(0);
  #ended = false;

  /**
   * @param {BufferSource} code the module's bytes
   * @returns {Promise<Module>}
   */
  static async start(code) {
    const go = new Go();
    const { instance } = await WebAssembly.instantiate(code, go.importObject);
    return new Module(go, instance);
  }

  /**
   * @param {"engine" | "desk"} name of a packaged module
   * @returns {Promise<Module>}
   */
  static async load(name) {
    const response = await fetch(api.runtime.getURL(`wasm/${name}.wasm`));
    return Module.start(await response.arrayBuffer());
  }

  /**
   * @param {Go} go
   * @param {WebAssembly.Instance} instance
   */
  constructor(go, instance) {
    // main never returns, so this promise settles only when the program broke.
    const end = () => {
      this.#ended = true;
    };
    go.run(instance).then(end, end);
    this.#exports = /** @type {any} */ (instance.exports);
    this.#memory = /** @type {any} */ (instance.exports).mem;
  }

  /**
   * Calls an export with texts or bytes laid one after another, each as its
   * length.
   * @param {string} name
   * @param {(string | Uint8Array | ArrayBuffer)[]} parts
   * @param {...number} numbers follow the lengths
   * @returns {number}
   */
  call(name, parts, ...numbers) {
    const bytes = parts.map((part) =>
      typeof part === "string" ? encoder.encode(part) : part instanceof Uint8Array ? part : new Uint8Array(part),
    );
    const size = bytes.reduce((sum, part) => sum + part.length, 0);
    const at = this.#export("input")(size) >>> 0;
    if (at === 0) throw new Error(`no memory for ${size} bytes`);
    const view = new Uint8Array(this.#memory.buffer, at, size);
    let offset = 0;
    for (const part of bytes) {
      view.set(part, offset);
      offset += part.length;
    }
    return this.#export(name)(...bytes.map((part) => part.length), ...numbers);
  }

  /**
   * The same for the three texts of a request, without making anything: this is
   * what every request waits for.
   * @param {string} url
   * @param {string} page
   * @param {string} site
   * @param {number} type
   * @param {number} mode
   * @returns {number}
   */
  decide(url, page, site, type, mode) {
    // Asked for each time: a larger call may have taken the buffer's place.
    const at = this.#export("input")(SMALL) >>> 0;
    if (at === 0) throw new Error("no memory for a request");
    if (this.#small.buffer !== this.#memory.buffer || this.#small.byteOffset !== at) {
      // Memory that grew leaves older views empty.
      this.#small = new Uint8Array(this.#memory.buffer, at, SMALL);
    }
    const first = encoder.encodeInto(url, this.#small);
    const second = encoder.encodeInto(page, this.#small.subarray(first.written));
    const third = encoder.encodeInto(site, this.#small.subarray(first.written + second.written));
    if (first.read < url.length || second.read < page.length || third.read < site.length) {
      return this.call("decide", [url, page, site], type, mode);
    }
    return this.#export("decide")(first.written, second.written, third.written, type, mode);
  }

  /**
   * Calls an export that takes a single number.
   * @param {string} name
   * @returns {number}
   */
  ask(name) {
    return this.#export(name)(0);
  }

  /**
   * @param {number} size of what the last call left at output()
   * @returns {Uint8Array<ArrayBuffer>} a copy: the module's memory is its own
   */
  bytes(size) {
    const at = this.#export("output")() >>> 0;
    return new Uint8Array(this.#memory.buffer, at, size).slice();
  }

  /**
   * @param {number} size
   * @returns {string}
   */
  text(size) {
    return decoder.decode(this.bytes(size));
  }

  /** @param {string} name */
  #export(name) {
    if (this.#ended) throw new Error("the module has ended");
    return this.#exports[name];
  }
}
