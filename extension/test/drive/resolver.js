/**
 * A resolver of our own that browsers ask over HTTPS (RFC 8484): every name
 * below some domains is this machine, nothing else exists, and what has been
 * asked for is told, as whoever runs a name's own server could.
 *
 *   ? a.example.net A      a.example.net A 127.0.0.1
 *   ? b.example.org A      b.example.org CNAME a.example.net, a.example.net A 127.0.0.1
 */

const ADDRESS = 1;
const ALIAS = 5;
/** Seconds that an answer may be kept. */
const KEPT = 60;

/**
 * @param {readonly string[]} domains that exist
 * @param {(name: string) => string} aliasOf is told every name that is asked for; "" when it is no alias
 * @returns {(request: import("node:http2").Http2ServerRequest, response: import("node:http2").Http2ServerResponse) => void}
 */
export function createResolver(domains, aliasOf) {
  return (request, response) => {
    const inAddress = new URL(request.url, "https://resolver/").searchParams.get("dns");
    /** @type {Buffer[]} */
    const parts = inAddress === null ? [] : [Buffer.from(inAddress, "base64url")];
    request.on("data", (part) => parts.push(Buffer.from(part)));
    request.on("end", () => {
      const question = Buffer.concat(parts);
      const { name, type, end } = readQuestion(question);
      const exists = domains.some((domain) => name === domain || name.endsWith(`.${domain}`));
      response.setHeader("Content-Type", "application/dns-message");
      response.end(answerTo(question.subarray(0, end), { name, type, exists, alias: aliasOf(name) }));
    });
  };
}

/** @param {Buffer} message with one question (RFC 1035, 4.1) */
function readQuestion(message) {
  const labels = [];
  let at = 12;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString("latin1", at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join(".").toLowerCase(), type: message.readUInt16BE(at + 1), end: at + 5 };
}

/**
 * @param {Buffer} question the message up to the end of its question
 * @param {{name: string, type: number, exists: boolean, alias: string}} asked
 */
function answerTo(question, { name, type, exists, alias }) {
  const records = [];
  if (exists && alias !== "") records.push(record(name, ALIAS, written(alias)));
  if (exists && type === ADDRESS) records.push(record(alias || name, ADDRESS, Buffer.from([127, 0, 0, 1])));
  const head = Buffer.alloc(12);
  question.copy(head, 0, 0, 2);
  head.writeUInt16BE(exists ? 0x8180 : 0x8183, 2); // an answer, of a resolver; or: no such name
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(records.length, 6);
  return Buffer.concat([head, question.subarray(12), ...records]);
}

/**
 * @param {string} name
 * @param {number} type
 * @param {Buffer} data
 */
function record(name, type, data) {
  const fixed = Buffer.alloc(10);
  fixed.writeUInt16BE(type, 0);
  fixed.writeUInt16BE(1, 2); // of the Internet
  fixed.writeUInt32BE(KEPT, 4);
  fixed.writeUInt16BE(data.length, 8);
  return Buffer.concat([written(name), fixed, data]);
}

/** @param {string} name */
function written(name) {
  return Buffer.from(`${name.split(".").map((label) => String.fromCharCode(label.length) + label).join("")}\0`, "latin1");
}
