/**
 * A list server's log in memory, with maintainers and witnesses whose keys are
 * no secret: releases for tests, made from the formats' own texts (signed
 * notes, c2sp.org/tlog-tiles, tlog-proof and tlog-cosignature) without any of
 * the code that verifies them.
 */

import { createHash, createPrivateKey, createPublicKey, sign } from "node:crypto";

/** @param {...(string | Uint8Array)} parts */
const sha256 = (...parts) => {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** @param {number} value @param {number} size bytes */
function bigEndian(value, size) {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes.subarray(8 - size);
}

const ED25519 = 1;
const COSIGNATURE = 4;

/** A key with a name; the same name gives the same key. */
class Key {
  /**
   * @param {string} name
   * @param {number} [type]
   */
  constructor(name, type = ED25519) {
    this.name = name;
    this.type = type;
    // An Ed25519 key in PKCS #8 is this head and its seed.
    const head = Buffer.from("302e020100300506032b657004220420", "hex");
    this.secret = createPrivateKey({ key: Buffer.concat([head, sha256(name)]), format: "der", type: "pkcs8" });
    const spki = createPublicKey(this.secret).export({ format: "der", type: "spki" });
    this.public = Buffer.concat([Buffer.of(type), spki.subarray(-32)]);
    this.hash = sha256(`${name}\n`, this.public).subarray(0, 4);
  }

  /** What verifies it. */
  get verifier() {
    return `${this.name}+${this.hash.toString("hex")}+${this.public.toString("base64")}`;
  }

  /**
   * A line under a note.
   * @param {string} text
   * @param {Date} [time] of a cosignature
   */
  line(text, time = new Date()) {
    let signature = this.hash;
    if (this.type === COSIGNATURE) {
      const seconds = Math.floor(time.getTime() / 1000);
      signature = Buffer.concat([signature, bigEndian(seconds, 8)]);
      text = `cosignature/v1\ntime ${seconds}\n${text}`;
    }
    return `— ${this.name} ${Buffer.concat([signature, sign(null, Buffer.from(text), this.secret)]).toString("base64")}\n`;
  }
}

/** @param {Buffer[]} leaves @returns {Buffer} the root of a tree (RFC 6962) */
function root(leaves) {
  if (leaves.length <= 1) return leaves[0] ?? sha256();
  const half = split(leaves.length);
  return sha256(Buffer.of(1), root(leaves.slice(0, half)), root(leaves.slice(half)));
}

/** @param {Buffer[]} leaves @param {number} index @returns {Buffer[]} from the leaf's sibling on */
function path(leaves, index) {
  if (leaves.length <= 1) return [];
  const half = split(leaves.length);
  const [near, far] = index < half ? [leaves.slice(0, half), leaves.slice(half)] : [leaves.slice(half), leaves.slice(0, half)];
  return [...path(near, index < half ? index : index - half), root(far)];
}

/** @param {number} n @returns {number} the largest power of two below it */
const split = (n) => 2 ** (Math.ceil(Math.log2(n)) - 1);

/** @param {Uint8Array} data */
const digest = (data) => `${data.length} ${sha256(data).toString("hex")}`;

/**
 * @typedef {object} Terms whom a client is to trust
 * @property {string[]} maintainers names
 * @property {number} threshold
 * @property {string[]} [witnesses] names; all must have seen a release
 */

export class Log {
  #key = new Key("log.example");
  /** @type {Buffer[]} */
  #notes = [];
  /** @type {Buffer[]} */
  #leaves = [];
  #trustSince = 0;

  /** What the server has, by path. @type {Map<string, Uint8Array>} */
  objects = new Map();

  /** @param {Terms} terms */
  constructor(terms) {
    this.terms = terms;
    this.trust = this.#text(terms);
  }

  /** @param {Terms} terms */
  #text({ maintainers, threshold, witnesses = [] }) {
    const lines = [`threshold ${threshold}`, ...maintainers.map((name) => `maintainer ${new Key(name).verifier}`)];
    lines.push(`log ${this.#key.verifier}`);
    lines.push(...witnesses.map((name) => `witness ${name} ${new Key(name, COSIGNATURE).verifier}`));
    if (witnesses.length > 0) lines.push(`group all all ${witnesses.join(" ")}`, "quorum all");
    else lines.push("quorum none");
    return `${lines.join("\n")}\n`;
  }

  /**
   * Publishes a release.
   * @param {object} what
   * @param {Uint8Array} what.text canonical text of the list
   * @param {Uint8Array} what.bundle what it compiles to
   * @param {Terms} [what.terms] who is trusted from now on
   * @param {string[]} [what.signers] instead of all that must sign
   * @param {string[]} [what.cosigners] instead of all witnesses
   * @param {import("../background/relay.js").Relay[]} [what.relays] sorted by name
   * @param {string} [what.issued] RFC 3339
   * @param {string} [what.expires] RFC 3339
   */
  publish({ text, bundle, terms = this.terms, signers, cosigners, relays = [], issued = "2026-11-22T07:00:00Z", expires = "2099-11-22T07:00:00Z" }) {
    const index = this.#notes.length;
    const trust = this.#text(terms);
    const said = [
      "paravent release 2",
      `index ${index}`,
      `issued ${issued}`,
      `expires ${expires}`,
      "wait 900",
      `source ${"0".repeat(40)}`,
      `keys-since ${this.#trustSince}`,
      `trust ${digest(Buffer.from(trust))}`,
      `list ${digest(text)}`,
      `bundle ${digest(bundle)}`,
      `filters ${digest(Buffer.from("filters"))}`,
      ...relays.map(({ name, url, keys }) => ["relay", name, url, ...keys].join(" ")),
      "",
    ].join("\n");
    const names = signers ?? new Set([...this.terms.maintainers, ...terms.maintainers]);
    const note = Buffer.from(`${said}\n${[...names].map((name) => new Key(name).line(said)).join("")}`);
    if (trust !== this.trust) this.#trustSince = index;
    this.terms = terms;
    this.trust = trust;
    this.#notes.push(note);
    this.#leaves.push(sha256(Buffer.of(0), note));
    const size = this.#notes.length;
    const state = `${this.#key.name}\n${size}\n${root(this.#leaves).toString("base64")}\n`;
    const witnesses = cosigners ?? terms.witnesses ?? [];
    const checkpoint = `${state}\n${this.#key.line(state)}${witnesses.map((name) => new Key(name, COSIGNATURE).line(state)).join("")}`;
    const hashes = path(this.#leaves, index).map((hash) => `${hash.toString("base64")}\n`);
    const proof = `c2sp.org/tlog-proof@v1\nindex ${index}\n${hashes.join("")}\n${checkpoint}`;
    const entries = this.#notes.flatMap((entry) => [bigEndian(entry.length, 2), entry]);
    for (const [name, data] of /** @type {[string, Uint8Array][]} */ ([
      ["v1/release", Buffer.concat([note, Buffer.from(proof)])],
      ["checkpoint", Buffer.from(checkpoint)],
      [`tile/0/000.p/${size}`, Buffer.concat(this.#leaves)],
      [`tile/entries/000.p/${size}`, Buffer.concat(entries)],
      ...[text, Buffer.from(trust)].map((blob) => [`v1/blob/${sha256(blob).toString("hex")}`, blob]),
    ])) {
      this.objects.set(name, data);
    }
  }
}
