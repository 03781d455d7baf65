import { isFirefox } from "./api.js";

/** Nobody needs more than this to tell where a patient is, and every request waits for its copy. */
const MAX_BYTES = 256 * 1024;

/**
 * @typedef {object} RequestBody as webRequest gives it
 * @property {string} [error]
 * @property {Record<string, (string | ArrayBuffer)[]>} [formData] a form, already read
 * @property {{bytes?: ArrayBuffer, file?: string}[]} [raw]
 */

/**
 * What a request carries, as far as the browser shows it: not the content of
 * files, and in Chromium not that of blobs.
 * @param {RequestBody | null | undefined} body
 * @returns {Uint8Array | string | undefined} the bytes, or a form as application/x-www-form-urlencoded
 */
export function bodyOf(body) {
  if (!body) return undefined;
  if (body.formData) return formText(body.formData);
  const parts = (body.raw ?? []).flatMap(({ bytes }) => (bytes ? [new Uint8Array(bytes)] : []));
  if (parts.length <= 1) return parts[0]?.subarray(0, MAX_BYTES);
  const all = new Uint8Array(Math.min(parts.reduce((sum, part) => sum + part.length, 0), MAX_BYTES));
  let at = 0;
  for (const part of parts) {
    all.set(part.subarray(0, all.length - at), at);
    at = Math.min(at + part.length, all.length);
  }
  return all;
}

/** @param {NonNullable<RequestBody["formData"]>} form */
function formText(form) {
  const text = new URLSearchParams();
  for (const [name, values] of Object.entries(form)) {
    for (const value of values) if (typeof value === "string") text.append(decoded(name), decoded(value));
  }
  return text.toString().slice(0, MAX_BYTES);
}

const utf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Chromium gives every byte of a form's UTF-8 as a character of its own.
 * @param {string} text
 */
function decoded(text) {
  if (isFirefox || !/^[\0-\xff]*[\x80-\xff][\0-\xff]*$/.test(text)) return text;
  try {
    return utf8.decode(Uint8Array.from(text, (character) => character.charCodeAt(0)));
  } catch {
    return text;
  }
}
