/** Checks a relay that somebody has named: a user in the options, an administrator, a backup. */

import { errorText } from "./api.js";
import { readKey } from "./ohttp.js";

/**
 * @typedef {object} OwnRelay
 * @property {string} name of who runs it
 * @property {string} url that sealed requests are posted to
 * @property {string} key the gateway's key configuration (RFC 9458, 3.1) in base64
 */

const MAX_NAME = 100;
const MAX_URL = 2048;
const MAX_KEY = 1024;

/**
 * @param {any} relay
 * @returns {OwnRelay} nothing but its fields
 * @throws what is wrong, by its field
 */
export function checkRelay(relay) {
  const { name, url, key } = relay ?? {};
  if (typeof name !== "string" || name.trim() === "" || name.length > MAX_NAME) {
    throw new Error(`name: want the name of who runs it, up to ${MAX_NAME} characters`);
  }
  try {
    checkAddress(url);
  } catch (error) {
    throw new Error(`url: ${errorText(error)}`, { cause: error });
  }
  try {
    if (typeof key !== "string" || key.length > MAX_KEY) throw new Error("want it in base64");
    readKey(fromBase64(key));
  } catch (error) {
    throw new Error(`key: ${errorText(error)}: want the gateway's key configuration in base64`, { cause: error });
  }
  return { name: name.trim(), url, key: key.trim() };
}

/**
 * An address that may be talked to: over TLS, or on this computer.
 * @param {unknown} text
 * @returns {URL}
 */
export function checkAddress(text) {
  const url = typeof text === "string" && text.length <= MAX_URL ? parsed(text) : null;
  if (!url) throw new Error("want an address, such as https://relay.example/");
  const isHere = url.protocol === "http:" && /(^|\.)localhost$/.test(url.hostname);
  if (url.protocol !== "https:" && !isHere) throw new Error(`${text}: want https, or http on localhost`);
  if (url.username !== "" || url.password !== "") throw new Error(`${text}: want it without a user's name or password`);
  return url;
}

/** @param {string} text */
function parsed(text) {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}

/** @param {string} text */
function fromBase64(text) {
  try {
    return Uint8Array.from(atob(text.trim()), (char) => char.charCodeAt(0));
  } catch {
    throw new Error("it is not base64");
  }
}
