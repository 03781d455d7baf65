/** Values of JSON, packed: DEFLATE (RFC 1951) in base64, which storage takes as a text. */

const encoder = new TextEncoder();

/**
 * @param {unknown} value
 * @returns {Promise<string>}
 */
export async function pack(value) {
  return toBase64(await through(encoder.encode(JSON.stringify(value)), new CompressionStream("deflate-raw")));
}

/**
 * @param {string} text that {@link pack} made
 * @returns {Promise<unknown>}
 */
export async function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(await through(bytes, new DecompressionStream("deflate-raw"))));
}

/**
 * @param {Uint8Array} bytes
 * @returns {string}
 */
export function toBase64(bytes) {
  let text = "";
  // A call takes no more arguments than this for sure.
  for (let i = 0; i < bytes.length; i += 0x2000) text += String.fromCharCode(...bytes.subarray(i, i + 0x2000));
  return btoa(text);
}

/**
 * @param {Uint8Array<ArrayBuffer>} bytes
 * @param {CompressionStream | DecompressionStream} stream
 * @returns {Promise<Uint8Array>}
 */
async function through(bytes, stream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}
