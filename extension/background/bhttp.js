/**
 * Binary HTTP (RFC 9292): a request or a response as bytes. It is what lies
 * inside the sealed messages of ohttp.js. Requests are written with known
 * length; responses are read strictly, in both forms that there are.
 *
 * A GET of https://example.com/ is, in hexadecimal and before its padding,
 *
 *     00 03 474554 05 6874747073 0b 6578616d706c652e636f6d 01 2f 00 00 00
 *
 * that is: framing, method, scheme, authority, path, each behind its length, and
 * the lengths of header, content and trailer. Zeros may follow, as many as one
 * likes; what is empty at the end may be left out.
 */

/** @typedef {[name: string, value: string][]} Fields names in small letters */

const KNOWN_REQUEST = 0;
const KNOWN_RESPONSE = 1;
const INDETERMINATE_RESPONSE = 3;

const MAX_FIELDS = 64;
const MAX_SECTION = 16 * 1024;
const MAX_INTERIM = 8;

/** HTTP's token (RFC 9110, 5.6.2), without capital letters. */
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** What no value may have in it or at its ends (RFC 9113, 8.2.1). */
const BAD_VALUE = /[\0\r\n]|^[ \t]|[ \t]$/;

/**
 * @param {object} request
 * @param {string} request.method
 * @param {string} request.scheme
 * @param {string} request.authority
 * @param {string} request.path
 * @param {Fields} [request.header]
 * @param {number[]} [sizes] in bytes, the smallest first: the request is padded to the first that it fits into
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function encodeRequest({ method, scheme, authority, path, header = [] }, sizes = []) {
  const start = [method, scheme, authority, path].map((part) => withLength(ascii(part)));
  const fields = header.flatMap((field) => field.map((part) => withLength(ascii(part))));
  const bytes = joined([number(KNOWN_REQUEST), ...start, withLength(joined(fields)), number(0), number(0)]);
  if (sizes.length === 0) return bytes;
  const size = sizes.find((each) => bytes.length <= each);
  if (size === undefined) throw new Error(`the request has ${bytes.length} bytes, more than ${sizes[sizes.length - 1]}`);
  const padded = new Uint8Array(size);
  padded.set(bytes);
  return padded;
}

/**
 * @param {Uint8Array<ArrayBuffer>} message
 * @returns {{status: number, header: Fields, content: Uint8Array<ArrayBuffer>, trailer: Fields}}
 *   the final response; interim ones are checked and dropped
 */
export function decodeResponse(message) {
  const reader = new Reader(message);
  const framing = reader.number();
  if (framing !== KNOWN_RESPONSE && framing !== INDETERMINATE_RESPONSE) throw new Error(`framing ${framing} is not a response's`);
  const isKnown = framing === KNOWN_RESPONSE;
  const status = finalStatus(reader, isKnown);
  const header = reader.fields(isKnown);
  const content = reader.content(isKnown);
  const trailer = reader.fields(isKnown);
  if (!reader.isZeros()) throw new Error("the padding is not all zeros");
  return { status, header, content, trailer };
}

/**
 * @param {Reader} reader
 * @param {boolean} isKnown
 * @returns {number}
 */
function finalStatus(reader, isKnown) {
  for (let interim = 0; interim <= MAX_INTERIM; interim++) {
    const status = reader.number();
    if (status < 100 || status > 599) throw new Error(`status ${status} is not one of 100 to 599`);
    if (status >= 200) return status;
    reader.fields(isKnown);
  }
  throw new Error(`more than ${MAX_INTERIM} responses with a status below 200`);
}

/** Reads a message from its front. */
class Reader {
  #bytes;
  #at = 0;

  /** @param {Uint8Array<ArrayBuffer>} bytes */
  constructor(bytes) {
    this.#bytes = bytes;
  }

  get #left() {
    return this.#bytes.length - this.#at;
  }

  /** @param {number} count */
  #take(count) {
    if (count > this.#left) throw new Error("the message ends too early");
    const taken = this.#bytes.subarray(this.#at, this.#at + count);
    this.#at += count;
    return taken;
  }

  /** @returns {number} of variable length (RFC 9000, 16) */
  number() {
    const [first] = this.#take(1);
    let value = first & 0x3f;
    for (const byte of this.#take((1 << (first >> 6)) - 1)) value = value * 256 + byte;
    // Beyond that a number has no exact form here, and a message no such length.
    if (!Number.isSafeInteger(value)) throw new Error("a number is too large");
    return value;
  }

  #text() {
    const length = this.number();
    if (length > MAX_SECTION) throw new Error(`a field has ${length} bytes, more than ${MAX_SECTION}`);
    return String.fromCharCode(...this.#take(length));
  }

  /**
   * @param {boolean} isKnown
   * @returns {Fields}
   */
  fields(isKnown) {
    if (this.#left === 0) return [];
    /** @type {Reader} */
    let section = this;
    if (isKnown) section = new Reader(this.#take(this.number()));
    const start = section.#at;
    /** @type {Fields} */
    const fields = [];
    while (!isKnown || section.#left > 0) {
      const name = section.#text().toLowerCase();
      if (name === "" && !isKnown) return fields;
      const value = section.#text();
      if (!NAME.test(name)) throw new Error(`${JSON.stringify(name)} is not the name of a field`);
      if (BAD_VALUE.test(value)) throw new Error(`the value of ${name} has characters that none may have`);
      if (section.#at - start > MAX_SECTION) throw new Error(`fields of more than ${MAX_SECTION} bytes`);
      if (fields.push([name, value]) > MAX_FIELDS) throw new Error(`more than ${MAX_FIELDS} fields`);
    }
    return fields;
  }

  /**
   * @param {boolean} isKnown
   * @returns {Uint8Array<ArrayBuffer>}
   */
  content(isKnown) {
    if (this.#left === 0) return new Uint8Array();
    if (isKnown) return this.#take(this.number());
    const chunks = [];
    for (;;) {
      const chunk = this.#take(this.number());
      if (chunk.length === 0) return joined(chunks);
      chunks.push(chunk);
    }
  }

  isZeros() {
    return this.#bytes.subarray(this.#at).every((byte) => byte === 0);
  }
}

/**
 * @param {number} value below 2 ** 30
 * @returns {Uint8Array<ArrayBuffer>} of variable length (RFC 9000, 16)
 */
function number(value) {
  if (value < 0x40) return Uint8Array.of(value);
  if (value < 0x4000) return Uint8Array.of(0x40 | (value >> 8), value & 0xff);
  return Uint8Array.of(0x80 | (value >> 24), (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff);
}

/** @param {Uint8Array<ArrayBuffer>} bytes */
function withLength(bytes) {
  return joined([number(bytes.length), bytes]);
}

/**
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
function ascii(text) {
  // An address that the browser has read has nothing else in it.
  if (/[^\x20-\x7e]/.test(text)) throw new Error("a part of the request is not printable ASCII");
  return new TextEncoder().encode(text);
}

/**
 * @param {Uint8Array<ArrayBuffer>[]} parts
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function joined(parts) {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
