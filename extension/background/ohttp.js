/**
 * Oblivious HTTP (RFC 9458), the client's side: a request is sealed so that only
 * the gateway whose key it is can read it, and the answer so that only whoever
 * asked can. The one suite that this speaks is DHKEM(X25519, HKDF-SHA256),
 * HKDF-SHA256, AES-128-GCM: all of it is in the browser.
 *
 * A sealed request is the key's number, the suite, a public key that was made
 * for this request alone, and the ciphertext; a sealed answer is a random text
 * of 16 bytes and the ciphertext.
 */

import { AEAD_AES_128_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_X25519_HKDF_SHA256 } from "../vendor/hpke.js";
import { joined } from "./bhttp.js";
import { expand, extract } from "./hkdf.js";

/**
 * A gateway's key, as it publishes it (RFC 9458, 3.1).
 * @typedef {object} Key
 * @property {Uint8Array<ArrayBuffer>} header its number and the suite, as every request begins
 * @property {Uint8Array<ArrayBuffer>} publicKey
 */

/**
 * @typedef {object} Sealed
 * @property {Uint8Array<ArrayBuffer>} request
 * @property {(response: Uint8Array<ArrayBuffer>) => Promise<Uint8Array<ArrayBuffer>>} open rejects
 *   when the response is not the answer to this request, by this gateway
 */

export const REQUEST_TYPE = "message/ohttp-req";
export const RESPONSE_TYPE = "message/ohttp-res";
/** The problem (RFC 9457) that says that the gateway does not know the key (RFC 9458, 5.3). */
export const KEY_PROBLEM = "https://iana.org/assignments/http-problem-types#ohttp-key";

const KEM = 0x0020;
const KDF = 0x0001;
const AEAD = 0x0001;
const PUBLIC_KEY_SIZE = 32;
const SUITES_AT = 1 + 2 + PUBLIC_KEY_SIZE + 2;

/** Of AES-128-GCM: of the key, and of the nonce. Answers carry a salt of the larger. */
const KEY_SIZE = 16;
const NONCE_SIZE = 12;

/** The library's KDF, without a job for another thread at every step. */
const kdf = () => ({
  ...KDF_HKDF_SHA256(),
  Extract: async (/** @type {Uint8Array} */ salt, /** @type {Uint8Array} */ secret) => extract(salt, secret),
  Expand: async (/** @type {Uint8Array} */ key, /** @type {Uint8Array} */ info, /** @type {number} */ size) => expand(key, info, size),
});
const suite = new CipherSuite(() => ({ ...KEM_DHKEM_X25519_HKDF_SHA256(), kdf: kdf() }), kdf, AEAD_AES_128_GCM);

/**
 * The last key that a request was sealed to, and senders to it that were made
 * ahead, each for one request: agreeing on a secret with the gateway is nearly
 * all that sealing costs, and needs no request.
 * @type {{bytes: string, recipient: Promise<Recipient>, senders: Sender[]} | undefined}
 */
let last;

/**
 * @param {Uint8Array<ArrayBuffer>} bytes a key configuration
 * @returns {Key}
 */
export function readKey(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < SUITES_AT + 4) throw new Error(`a key configuration has ${bytes.length} bytes, too few`);
  if (view.getUint16(1) !== KEM) throw new Error(`KEM ${view.getUint16(1)} of a key configuration is not spoken here`);
  const size = view.getUint16(SUITES_AT - 2);
  if (size === 0 || size % 4 !== 0 || bytes.length !== SUITES_AT + size) throw new Error("the suites of a key configuration do not end where it does");
  for (let at = SUITES_AT; at < bytes.length; at += 4) {
    if (view.getUint16(at) !== KDF || view.getUint16(at + 2) !== AEAD) continue;
    return { header: joined([bytes.slice(0, 3), bytes.slice(at, at + 4)]), publicKey: bytes.slice(3, 3 + PUBLIC_KEY_SIZE) };
  }
  throw new Error("no suite of a key configuration is spoken here");
}

/**
 * @param {Key} key
 * @param {Uint8Array<ArrayBuffer>} request
 * @returns {Promise<Sealed>}
 */
export async function seal(key, request) {
  const { share, ctx, secret } = lastFor(key).senders.pop() ?? (await newSender(key));
  const ciphertext = await ctx.Seal(request);
  return {
    request: joined([key.header, share, plain(ciphertext)]),
    open: (response) => open(secret, share, response),
  };
}

/**
 * Makes one sender ahead.
 * @param {Key} key
 * @param {number} count of those that there should be
 * @returns {Promise<boolean>} whether some are missing yet
 */
export async function prepare(key, count) {
  const { senders } = lastFor(key);
  if (senders.length < count) senders.push(await newSender(key));
  return senders.length < count;
}

/** @typedef {Awaited<ReturnType<typeof suite.DeserializePublicKey>>} Recipient */

/** @param {Key} key */
function lastFor({ header, publicKey }) {
  const bytes = `${header} ${publicKey}`;
  if (last?.bytes !== bytes) last = { bytes, recipient: suite.DeserializePublicKey(publicKey), senders: [] };
  return last;
}

/**
 * What seals one request: a public key that was made for it, what encrypts it,
 * and the secret that its answer is read with.
 * @typedef {Awaited<ReturnType<typeof newSender>>} Sender
 */

/** @param {Key} key */
async function newSender(key) {
  const info = joined([text("message/bhttp request"), Uint8Array.of(0), key.header]);
  const { encapsulatedSecret, ctx } = await suite.SetupSender(await lastFor(key).recipient, { info });
  const secret = await ctx.Export(text("message/bhttp response"), KEY_SIZE);
  return { share: plain(encapsulatedSecret), ctx, secret: plain(secret) };
}

/**
 * @param {Uint8Array<ArrayBuffer>} secret
 * @param {Uint8Array<ArrayBuffer>} share
 * @param {Uint8Array<ArrayBuffer>} response
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function open(secret, share, response) {
  if (response.length < KEY_SIZE) throw new Error("the sealed answer is too short");
  const base = extract(joined([share, response.subarray(0, KEY_SIZE)]), secret);
  const opener = await crypto.subtle.importKey("raw", expand(base, text("key"), KEY_SIZE), "AES-GCM", false, ["decrypt"]);
  const iv = expand(base, text("nonce"), NONCE_SIZE);
  try {
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, opener, response.subarray(KEY_SIZE)));
  } catch {
    // The browser says no more than that it failed.
    throw new Error("the sealed answer cannot be opened: it is not the gateway's answer to this request");
  }
}

/** @param {string} label */
function text(label) {
  return new TextEncoder().encode(label);
}

/**
 * The library's bytes may be of any kind of buffer to the type checker.
 * @param {Uint8Array} bytes
 * @returns {Uint8Array<ArrayBuffer>}
 */
function plain(bytes) {
  return /** @type {Uint8Array<ArrayBuffer>} */ (bytes);
}
