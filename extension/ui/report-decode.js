/** What a request carried, unwrapped as far as a person can read it. */

/** Of one text so much is shown at most, in characters. */
const LONGEST = 4000;

/** So many parameters of an address are shown. */
const MOST = 60;

/**
 * @param {string} url
 * @returns {{name: string, value: string}[]} its parameters, decoded
 */
export function parametersOf(url) {
  try {
    const found = [...new URL(url).searchParams].slice(0, MOST);
    return found.map(([name, value]) => ({ name: plain(cut(name, 100)), value: plain(cut(value, 500)) }));
  } catch {
    return [];
  }
}

/**
 * @param {string} text
 * @param {number} longest in characters
 * @returns {string} with its end left out when it is longer
 */
export function cut(text, longest) {
  return text.length > longest ? `${text.slice(0, longest).replace(/[\uD800-\uDBFF]$/, "")}…` : text;
}

/**
 * A text without the signs that nobody sees, and that turn around what follows.
 * @param {string} text
 */
export function plain(text) {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, "\uFFFD");
}

/**
 * An address as it is shown, cut in its middle: who is asked and what comes
 * last say most.
 * @param {string} url
 * @param {number} longest in characters
 */
export function shortened(url, longest) {
  if (url.length <= longest) return plain(url);
  const end = Math.floor(longest / 4);
  const head = url.slice(0, longest - end - 1).replace(/[\uD800-\uDBFF]$/, "");
  return plain(`${head}…${url.slice(-end).replace(/^[\uDC00-\uDFFF]/, "")}`);
}

/**
 * A body as text: unpacked when it is gzip, and laid out when it is JSON.
 * @param {string} base64
 * @returns {Promise<{text: string, bytes: number}>} text is "" when it is none
 */
export async function bodyOf(base64) {
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const plain = bytes[0] === 0x1f && bytes[1] === 0x8b ? await unpacked(bytes) : bytes;
  return { text: plain ? readable(plain) : "", bytes: bytes.length };
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @returns {Promise<Uint8Array | null>} null when they are damaged
 */
async function unpacked(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  /** @type {Uint8Array[]} */
  const parts = [];
  let size = 0;
  try {
    // A small text can unpack to a huge one: no more is read than is shown.
    for (const reader = stream.getReader(); size < 4 * LONGEST; ) {
      const { done, value } = await reader.read();
      if (done) break;
      parts.push(value);
      size += value.length;
    }
  } catch {
    if (size === 0) return null;
  }
  const all = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** @param {Uint8Array} bytes */
function readable(bytes) {
  const text = new TextDecoder().decode(bytes.subarray(0, 4 * LONGEST));
  const strange = [...text].filter((character) => character === "\uFFFD" || /[^\P{Cc}\s]/u.test(character)).length;
  if (strange > text.length / 20) return "";
  return cut(laidOut(text), LONGEST).replace(/\p{Cf}|(?![\n\r\t])\p{Cc}/gu, "\uFFFD");
}

/** @param {string} text */
function laidOut(text) {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
