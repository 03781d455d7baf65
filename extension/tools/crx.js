/**
 * Signs the extension's package for administrators who have their browsers
 * install it by policy, and writes the update manifest in which Chromium looks
 * for newer ones:
 *
 *   node tools/crx.js --zip paravent-chromium.zip --key KEY.pem \
 *     --url https://extensions.clinic.example/paravent/ --out DIR
 *
 * leaves DIR/paravent-VERSION.crx and DIR/update.xml, to be served at that
 * address, and prints the extension's id. The key is an RSA key, in PEM.
 *
 * A CRX of version 3 (components/crx_file/crx3.proto in Chromium) is a zip
 * behind a header: "Cr24", the version and the header's size as little-endian
 * numbers of 32 bits, then a protobuf message, here shown as its fields:
 *
 *   2: { 1: public key (SubjectPublicKeyInfo), 2: signature }
 *   10000: { 1: id, the first 16 bytes of the public key's SHA-256 }
 *
 * The signature is RSASSA-PKCS1-v1_5 with SHA-256, over a label, the size and
 * the bytes of field 10000, and the zip. So the same zip and key give the same
 * bytes.
 */

import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { strFromU8, unzipSync } from "fflate";

/** What Chromium asks for at least. */
const KEY_BITS = 2048;

class Refused extends Error {}

/**
 * @param {number} value
 * @returns {Buffer} little-endian, 32 bits
 */
function word(value) {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/**
 * @param {number} value
 * @returns {number[]} as protobuf writes a number
 */
function varint(value) {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...varint(value >>> 7)];
}

/**
 * @param {number} number of the field
 * @param {...Uint8Array} content
 * @returns {Buffer} a field of protobuf that has a length
 */
function field(number, ...content) {
  const whole = Buffer.concat(content);
  return Buffer.concat([Uint8Array.from([...varint((number << 3) | 2), ...varint(whole.length)]), whole]);
}

/**
 * @param {string} pem
 * @returns {import("node:crypto").KeyObject}
 */
function readKey(pem) {
  /** @type {import("node:crypto").KeyObject} */
  let key;
  try {
    key = createPrivateKey(pem);
  } catch (error) {
    throw new Refused(`--key: no private key in PEM: ${error instanceof Error ? error.message : error}`);
  }
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType !== "rsa" || bits < KEY_BITS) throw new Refused(`--key: want an RSA key of ${KEY_BITS} bits or more`);
  return key;
}

/**
 * @param {Uint8Array} zip
 * @param {string} pem the private key
 * @returns {{crx: Buffer, id: string}}
 */
export function signed(zip, pem) {
  const key = readKey(pem);
  const publicKey = createPublicKey(key).export({ type: "spki", format: "der" });
  const id = createHash("sha256").update(publicKey).digest().subarray(0, 16);
  const statement = field(1, id);
  const signature = sign("sha256", Buffer.concat([Buffer.from("CRX3 SignedData\0"), word(statement.length), statement, zip]), key);
  const header = Buffer.concat([field(2, field(1, publicKey), field(2, signature)), field(10000, statement)]);
  return {
    crx: Buffer.concat([Buffer.from("Cr24"), word(3), word(header.length), header, zip]),
    // Chromium's alphabet for hexadecimal digits begins at "a".
    id: id.toString("hex").replace(/./g, (digit) => String.fromCharCode(97 + parseInt(digit, 16))),
  };
}

/**
 * @param {object} what
 * @param {string} what.id
 * @param {string} what.address of the CRX
 * @param {Uint8Array} what.crx
 * @param {{version: string, minimum_chrome_version: string}} what.manifest of the extension
 * @returns {string} as https://developer.chrome.com/docs/extensions/how-to/distribute/host-on-linux describes it
 */
export function updateManifest({ id, address, crx, manifest }) {
  const about = {
    codebase: address,
    version: manifest.version,
    prodversionmin: manifest.minimum_chrome_version,
    hash_sha256: createHash("sha256").update(crx).digest("hex"),
    size: String(crx.length),
  };
  const escaped = (/** @type {string} */ text) => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
  const attributes = Object.entries(about).map(([name, value]) => `${name}="${escaped(value)}"`);
  return `<?xml version="1.0" encoding="UTF-8"?>
<gupdate xmlns="http://www.google.com/update2/response" protocol="2.0">
  <app appid="${id}">
    <updatecheck ${attributes.join("\n      ")}/>
  </app>
</gupdate>
`;
}

/** @param {string[]} argv */
async function main(argv) {
  const text = /** @type {const} */ ({ type: "string" });
  const { zip: from, key, url, out } = parseArgs({ args: argv, options: { zip: text, key: text, url: text, out: text } }).values;
  if (!from || !key || !url || !out) throw new Refused("say --zip FILE, --key FILE, --url ADDRESS and --out DIR");
  if (!/^https?:/.test(url) || !URL.canParse(url)) throw new Refused("--url: want the address of the folder that will be served, such as https://extensions.clinic.example/paravent/");
  const zip = new Uint8Array(await readFile(from));
  const manifest = JSON.parse(strFromU8(unzipSync(zip, { filter: ({ name }) => name === "manifest.json" })["manifest.json"] ?? new Uint8Array()));
  const { crx, id } = signed(zip, await readFile(key, "utf8"));
  const name = `paravent-${manifest.version}.crx`;
  const address = new URL(name, url.endsWith("/") ? url : `${url}/`).href;
  await mkdir(out, { recursive: true });
  await writeFile(path.join(out, name), crx);
  await writeFile(path.join(out, "update.xml"), updateManifest({ id, address, crx, manifest }));
  console.log(id);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main(process.argv.slice(2)).catch((error) => {
    console.error(`crx.js: ${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  });
}
