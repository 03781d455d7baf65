/**
 * HKDF with SHA-256 (RFC 5869, RFC 2104, FIPS 180-4), at once. WebCrypto has it
 * too, but each of its steps is a job for another thread that has to be waited
 * for, and a sealed request takes twenty: for texts as short as these that costs
 * ten times what the sums do. Whatever has a key that is kept, or a text of any
 * length, is left to WebCrypto.
 *
 * A library is as fast (@noble/hashes 2.4.0: 50 photos sealed and opened in the
 * same time), but it is six modules instead of this one, which every wake of the
 * background reads: 8 ms more in Firefox, 20 to 40 more in Chromium.
 */

export const HASH_SIZE = 32;
const BLOCK_SIZE = 64;
/** Behind a text come a mark and its length in bits. */
const END_SIZE = 9;

/** The first 32 bits of the fractional parts of the cube roots of the first 64 primes. */
const ROUNDS = fractions(64, Math.cbrt);
/** The same of the square roots of the first 8. */
const START = fractions(8, Math.sqrt);

/**
 * @param {Uint8Array} salt
 * @param {Uint8Array} secret
 * @returns {Uint8Array<ArrayBuffer>} a key for {@link expand}
 */
export function extract(salt, secret) {
  return hmac(salt, secret);
}

/**
 * @param {Uint8Array} key from {@link extract}
 * @param {Uint8Array} info what it is for
 * @param {number} size in bytes
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function expand(key, info, size) {
  const all = new Uint8Array(Math.ceil(size / HASH_SIZE) * HASH_SIZE);
  /** @type {Uint8Array} */
  let last = new Uint8Array();
  for (let at = 0; at < size; at += HASH_SIZE) {
    last = hmac(key, last, info, Uint8Array.of(at / HASH_SIZE + 1));
    all.set(last, at);
  }
  return all.slice(0, size);
}

/**
 * @param {Uint8Array} key
 * @param {...Uint8Array} parts of one text
 */
function hmac(key, ...parts) {
  const short = key.length > BLOCK_SIZE ? sha256([key]) : key;
  const inner = new Uint8Array(BLOCK_SIZE).fill(0x36);
  const outer = new Uint8Array(BLOCK_SIZE).fill(0x5c);
  for (let i = 0; i < short.length; i++) {
    inner[i] ^= short[i];
    outer[i] ^= short[i];
  }
  return sha256([outer, sha256([inner, ...parts])]);
}

/**
 * @param {Uint8Array[]} parts of one text
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function sha256(parts) {
  const size = parts.reduce((sum, { length }) => sum + length, 0);
  const text = new Uint8Array(Math.ceil((size + END_SIZE) / BLOCK_SIZE) * BLOCK_SIZE);
  let at = 0;
  for (const part of parts) {
    text.set(part, at);
    at += part.length;
  }
  text[size] = 0x80;
  const view = new DataView(text.buffer);
  view.setBigUint64(text.length - 8, BigInt(size) * 8n);
  const state = START.slice();
  for (let block = 0; block < text.length; block += BLOCK_SIZE) mix(state, view, block);
  const hash = new DataView(new ArrayBuffer(HASH_SIZE));
  state.forEach((word, i) => hash.setUint32(i * 4, word));
  return new Uint8Array(hash.buffer);
}

const schedule = new Int32Array(64);

/**
 * Takes one block into the state (FIPS 180-4, 6.2.2).
 * @param {Int32Array} state
 * @param {DataView} text
 * @param {number} at
 */
function mix(state, text, at) {
  for (let t = 0; t < 16; t++) schedule[t] = text.getInt32(at + t * 4);
  for (let t = 16; t < 64; t++) {
    const x = schedule[t - 15];
    const y = schedule[t - 2];
    const near = turned(x, 7) ^ turned(x, 18) ^ (x >>> 3);
    const far = turned(y, 17) ^ turned(y, 19) ^ (y >>> 10);
    schedule[t] = schedule[t - 16] + near + schedule[t - 7] + far;
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < 64; t++) {
    const one = (h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + ROUNDS[t] + schedule[t]) | 0;
    const two = ((turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  // An Int32Array keeps of each sum what 32 bits hold.
  [a, b, c, d, e, f, g, h].forEach((word, i) => (state[i] += word));
}

/**
 * @param {number} word
 * @param {number} bits to the right
 */
function turned(word, bits) {
  return (word >>> bits) | (word << (32 - bits));
}

/**
 * @param {number} count
 * @param {(prime: number) => number} root
 */
function fractions(count, root) {
  /** @type {number[]} */
  const primes = [];
  for (let n = 2; primes.length < count; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return Int32Array.from(primes, (prime) => (root(prime) % 1) * 2 ** 32);
}
