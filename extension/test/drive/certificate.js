/**
 * A certificate that nobody trusts, for servers in tests: browsers are told to
 * take any. X.509 version 3 (RFC 5280) in DER, signed by its own key.
 */

import { generateKeyPairSync, randomBytes, sign } from "node:crypto";

/**
 * @param {number} tag
 * @param {...Uint8Array} parts
 * @returns {Buffer} in the Distinguished Encoding Rules (ITU-T X.690)
 */
function der(tag, ...parts) {
  const content = Buffer.concat(parts);
  const n = content.length;
  const length = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const SEQUENCE = 0x30;
const ECDSA_WITH_SHA256 = der(SEQUENCE, der(0x06, Buffer.from("2a8648ce3d040302", "hex")));
const COMMON_NAME = der(0x06, Buffer.from("550403", "hex"));

/** @param {string} date "YYMMDD" */
const midnight = (date) => der(0x17, Buffer.from(`${date}000000Z`));

/** @returns {{key: string, cert: string}} in PEM */
export function certificate() {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const name = der(SEQUENCE, der(0x31, der(SEQUENCE, COMMON_NAME, der(0x0c, Buffer.from("test")))));
  const statement = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ECDSA_WITH_SHA256,
    name,
    der(SEQUENCE, midnight("200101"), midnight("491231")),
    name,
    publicKey.export({ type: "spki", format: "der" }),
  );
  const signature = sign("sha256", statement, privateKey);
  const whole = der(SEQUENCE, statement, ECDSA_WITH_SHA256, der(0x03, Buffer.from([0]), signature));
  return {
    key: String(privateKey.export({ type: "pkcs8", format: "pem" })),
    cert: `-----BEGIN CERTIFICATE-----\n${whole.toString("base64").replace(/.{64}/g, "$&\n")}\n-----END CERTIFICATE-----\n`,
  };
}
