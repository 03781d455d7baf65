import { api, isFirefox } from "./api.js";
import { registrable } from "./domains.js";

/** Requests up to this many bytes go through one buffer that the module keeps. */
const SMALL = 64 * 1024;

/** Where the page's address lies in it, behind that of the request. */
const PAGES = 32 * 1024;

/** Rules see so many bytes of an address; one more tells them that it goes on. */
const LONGEST = 1536 + 1;

/** An origin and its "/" are of as many characters at least: "https://" and a host. */
const ORIGIN = 9;
const SLASH = 0x2f;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Copies a text to an address of WebAssembly's memory, and says 0 when it is
 * ASCII: package wasm/assembly.
 * @typedef {(text: string, length: number, to: number) => number} Copy
 */

/**
 * Up to so many characters that is quicker than encodeInto, which Chromium takes
 * a quarter of a microsecond to enter. It takes 2032 at most.
 */
const COPIED = isFirefox ? 256 : 2032;

/**
 * @param {BufferSource | Promise<Response>} code of a module that takes JavaScript's strings
 * @returns {Promise<WebAssembly.Module | null>} null where WebAssembly cannot: nothing depends on it
 */
async function compiled(code) {
  /** @type {any} TypeScript does not know the builtins yet */
  const { compile, compileStreaming } = WebAssembly;
  const options = { builtins: ["js-string"] };
  try {
    return await (code instanceof Promise ? compileStreaming(code, options) : compile(code, options));
  } catch {
    return null;
  }
}

/**
 * @param {WebAssembly.Module} copier
 * @param {WebAssembly.Memory} memory to copy into
 * @returns {Copy | null} null where there are no strings to take
 */
function copyInto(copier, memory) {
  try {
    return /** @type {any} */ (new WebAssembly.Instance(copier, { engine: { mem: memory } }).exports).copy;
  } catch {
    return null;
  }
}

/**
 * One running Go module. Its exports take and give i32 only; texts and bytes
 * pass through its memory: in at `input(n)`, out at `output()`.
 */
export class Module {
  /** @type {Record<string, (...numbers: number[]) => number>} */
  #exports;
  #decide;
  /** @type {WebAssembly.Memory} */
  #memory;
  #urls = new Uint8Array(0);
  #pages = new Uint8Array(0);
  /** The address of #urls, behind which #pages lies. */
  #at = 0;
  #copy;
  /** How many bytes of a page the engine knows, as they stand in #pages. */
  #known = 0;
  /** The page that it knows as a whole. @type {string | null} */
  #page = null;
  #ended = false;

  /**
   * @param {BufferSource | Promise<Response>} code the module's bytes, or the file, which is compiled while it comes
   * @param {BufferSource | Promise<Response>} [strings] the same of the module that copies strings
   * @returns {Promise<Module>}
   */
  static async start(code, strings) {
    const go = new Go();
    const imports = {
      ...go.importObject,
      // How long the registrable domain is that a host ends with, 0 when there
      // is none or it cannot be told: to the engine such a host is a third
      // party. An error thrown through a Go program would leave it broken.
      paravent: {
        registrable(/** @type {number} */ at, /** @type {number} */ length) {
          try {
            return registrable(String.fromCharCode(...new Uint8Array(memory.buffer, at, length))).length;
          } catch {
            return 0;
          }
        },
      },
    };
    const [{ instance }, copier] = await Promise.all([
      code instanceof Promise ? WebAssembly.instantiateStreaming(code, imports) : WebAssembly.instantiate(code, imports),
      strings && compiled(strings),
    ]);
    const memory = /** @type {WebAssembly.Memory} */ (instance.exports.mem);
    return new Module(go, instance, copier ? copyInto(copier, memory) : null);
  }

  /**
   * @param {"engine" | "desk"} name of a packaged module
   * @param {"strings"} [strings] of the packaged one that copies them
   * @returns {Promise<Module>}
   */
  static load(name, strings) {
    const packaged = (/** @type {string} */ file) => fetch(api.runtime.getURL(`wasm/${file}.wasm`));
    return Module.start(packaged(name), strings && packaged(strings));
  }

  /**
   * @param {Go} go
   * @param {WebAssembly.Instance} instance
   * @param {Copy | null} copy into its memory
   */
  constructor(go, instance, copy) {
    // main never returns, so this promise settles only when the program broke.
    const end = () => {
      this.#ended = true;
    };
    go.run(instance).then(end, end);
    this.#exports = /** @type {any} */ (instance.exports);
    this.#memory = /** @type {any} */ (instance.exports).mem;
    this.#decide = this.#exports.decide;
    this.#copy = copy;
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
    this.#page = null;
    this.#known = 0;
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
   * The same for a request, without making anything: this is what every request
   * waits for.
   * @param {string} url
   * @param {string} page
   * @param {number} what see the engine's decide
   * @param {boolean} whole false when the engine need not see more of URL and page than rules do
   * @returns {number}
   */
  decide(url, page, what, whole) {
    if (this.#urls.length === 0) {
      // At first, and after memory has grown, which leaves older views empty.
      const at = this.#export("input")(SMALL) >>> 0;
      this.#at = at;
      this.#urls = new Uint8Array(this.#memory.buffer, at, PAGES);
      this.#pages = new Uint8Array(this.#memory.buffer, at + PAGES, SMALL - PAGES);
    }
    if (this.#ended) throw new Error("the module has ended");
    const decide = this.#decide;
    const length = whole ? url.length : Math.min(url.length, LONGEST);
    if (length <= PAGES && this.#write(url, length, this.#urls, this.#at)) {
      if (whole ? page === this.#page : this.#knows(page)) return decide(length, 0, 0, -1, what, PAGES);
      // Rules ask for nothing but the page's host.
      const size = whole ? page.length : page.indexOf("/", ORIGIN - 1) + 1 || page.length;
      if (size <= SMALL - PAGES && this.#write(page, size, this.#pages, this.#at + PAGES)) {
        this.#known = size;
        this.#page = whole ? page : null;
        return decide(length, 0, 0, size, what, PAGES);
      }
      this.#known = 0;
    }
    return this.call("decide", [url, "", "", page], what, -1);
  }

  /**
   * Copies a text of ASCII.
   * @param {string} text
   * @param {number} length of it to copy
   * @param {Uint8Array} to
   * @param {number} at its address
   * @returns {boolean} false when it is not ASCII
   */
  #write(text, length, to, at) {
    const part = length < text.length ? text.slice(0, length) : text;
    if (this.#copy !== null && length <= COPIED) return this.#copy(part, length, at) === 0;
    const { read, written } = encoder.encodeInto(part, to);
    return read === length && written === length;
  }

  /**
   * Whether a page begins with all that the engine knows of one, host and "/"
   * included: most requests come from where the one before came from.
   * @param {string} page
   */
  #knows(page) {
    const known = this.#pages;
    const size = this.#known;
    if (size < ORIGIN || page.length < size || known[size - 1] !== SLASH) return false;
    for (let i = 0; i < size; i++) {
      if (page.charCodeAt(i) !== known[i]) return false;
    }
    return true;
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
