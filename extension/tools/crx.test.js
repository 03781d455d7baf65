import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, createPublicKey, generateKeyPairSync, verify } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { strToU8, zipSync } from "fflate";
import { signed, updateManifest } from "./crx.js";

const PROGRAM = fileURLToPath(new URL("crx.js", import.meta.url));
const MANIFEST = { version: "1.2.3", minimum_chrome_version: "145" };
const ZIP = zipSync({ "manifest.json": strToU8(JSON.stringify(MANIFEST)) });

/** @param {number} bits */
function newKey(bits) {
  return generateKeyPairSync("rsa", {
    modulusLength: bits,
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
    publicKeyEncoding: { type: "spki", format: "der" },
  });
}

/**
 * Reads what protobuf writes, fields with a length alone.
 * @param {Buffer} message
 * @returns {Record<number, Buffer>}
 */
function fields(message) {
  /** @type {Record<number, Buffer>} */
  const found = {};
  let at = 0;
  const number = () => {
    for (let value = 0, shift = 0; ; shift += 7) {
      const byte = message[at++];
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < message.length) {
    const tag = number();
    const size = number();
    assert.equal(tag & 7, 2);
    found[tag >> 3] = message.subarray(at, (at += size));
  }
  return found;
}

/**
 * What Chromium's components/crx_file/crx_verifier.cc asks of a CRX.
 * @param {Buffer} crx
 */
function verified(crx) {
  assert.equal(crx.toString("latin1", 0, 4), "Cr24");
  assert.equal(crx.readUInt32LE(4), 3);
  const end = 12 + crx.readUInt32LE(8);
  const header = fields(crx.subarray(12, end));
  const proof = fields(header[2]);
  const statement = header[10000];
  const size = Buffer.alloc(4);
  size.writeUInt32LE(statement.length);
  const zip = crx.subarray(end);
  const key = createPublicKey({ key: proof[1], format: "der", type: "spki" });
  assert.ok(verify("sha256", Buffer.concat([Buffer.from("CRX3 SignedData\0"), size, statement, zip]), key, proof[2]), "the signature");
  const id = fields(statement)[1];
  assert.deepEqual(id, createHash("sha256").update(proof[1]).digest().subarray(0, 16));
  return { zip, id: id.toString("hex"), publicKey: proof[1] };
}

test("a package is signed with its key, the same every time", () => {
  for (const bits of [2048, 4096]) {
    const { privateKey, publicKey } = newKey(bits);
    const { crx, id } = signed(ZIP, privateKey);
    const read = verified(crx);
    assert.deepEqual(read.zip, Buffer.from(ZIP));
    assert.deepEqual(read.publicKey, publicKey);
    assert.match(id, /^[a-p]{32}$/);
    assert.equal([...id].map((letter) => (letter.charCodeAt(0) - 97).toString(16)).join(""), read.id);
    assert.deepEqual(signed(ZIP, privateKey).crx, crx);
    assert.throws(() => verified(Buffer.concat([crx, Buffer.from("!")])), /the signature/);
  }
});

test("keys that Chromium would refuse are refused", () => {
  assert.throws(() => signed(ZIP, newKey(1024).privateKey), /RSA key of 2048 bits or more/);
  const { privateKey } = generateKeyPairSync("ed25519");
  assert.throws(() => signed(ZIP, String(privateKey.export({ type: "pkcs8", format: "pem" }))), /RSA key of 2048 bits/);
  assert.throws(() => signed(ZIP, "nothing"), /--key: no private key in PEM/);
});

test("the update manifest names the package as it is", () => {
  const crx = Buffer.from("the package");
  assert.equal(
    updateManifest({ id: "abc", address: 'https://a.example/?a=1&b="2"', crx, manifest: MANIFEST }),
    `<?xml version="1.0" encoding="UTF-8"?>
<gupdate xmlns="http://www.google.com/update2/response" protocol="2.0">
  <app appid="abc">
    <updatecheck codebase="https://a.example/?a=1&#38;b=&#34;2&#34;"
      version="1.2.3"
      prodversionmin="145"
      hash_sha256="${createHash("sha256").update(crx).digest("hex")}"
      size="11"/>
  </app>
</gupdate>
`,
  );
});

test("the program leaves both beside one another, or says what it lacks", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "paravent-crx-"));
  const at = (/** @type {string} */ name) => path.join(folder, name);
  try {
    await writeFile(at("key.pem"), newKey(2048).privateKey);
    await writeFile(at("some.zip"), ZIP);
    const args = [PROGRAM, "--zip", at("some.zip"), "--key", at("key.pem"), "--out", at("out"), "--url"];
    const { stdout } = await promisify(execFile)(process.execPath, [...args, "https://a.example/paravent"]);
    assert.match(stdout, /^[a-p]{32}\n$/);
    verified(await readFile(at("out/paravent-1.2.3.crx")));
    assert.match(await readFile(at("out/update.xml"), "utf8"), new RegExp(`appid="${stdout.trim()}"[^]*codebase="https://a.example/paravent/paravent-1\\.2\\.3\\.crx"`));
    await assert.rejects(promisify(execFile)(process.execPath, [...args, "nowhere"]), /--url: want the address/);
    await assert.rejects(promisify(execFile)(process.execPath, [PROGRAM]), /say --zip FILE/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
