/**
 * The canonical addresses of lists/address, held against the platform's own
 * URL: both must read the same host and the same path, but for the cases that
 * say what the standard has instead.
 */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

/**
 * A string, or a list of strings and of repeated strings that are put together.
 * @typedef {string | (string | {repeat: string, times: number})[]} Text
 */

/**
 * @typedef {object} Case
 * @property {string} name
 * @property {Text} url
 * @property {Text} [canonical]
 * @property {"host" | "scheme" | "local" | "extension"} [error] in place of canonical
 * @property {Text | null} [standard] what the standard writes where it differs; null: it refuses
 * @property {string} says
 */

/** @param {Text} text */
function textOf(text) {
  if (typeof text === "string") return text;
  return text.map((part) => (typeof part === "string" ? part : part.repeat.repeat(part.times))).join("");
}

/**
 * What the platform writes, without user information and fragment.
 * @param {string} text
 * @returns {string | null} null: no address of a server
 */
function platform(text) {
  let url;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  if (!["http:", "https:", "ws:", "wss:"].includes(url.protocol)) return null;
  url.username = url.password = url.hash = "";
  // Node 20 follows the standard of a time when "^" was not escaped in a path.
  const { href, pathname } = url;
  return href.replace(pathname, () => pathname.replaceAll("^", "%5E"));
}

/** @type {Case[]} */
const cases = JSON.parse(await readFile(new URL("../../lists/address/testdata/urls.json", import.meta.url), "utf8"));

test("the platform reads addresses as the lists do", async (t) => {
  for (const { name, url, canonical, standard, says } of cases) {
    await t.test(name, () => {
      const ours = canonical === undefined ? null : textOf(canonical);
      const theirs = standard === undefined ? ours : standard && textOf(standard);
      const got = platform(textOf(url));
      if (got !== theirs) assert.fail(`${says}\n${String(got).slice(0, 200)}\nwant ${String(theirs).slice(0, 200)}`);
      assert.ok(standard === undefined || theirs !== ours, "the standard says the same: drop it from the case");
    });
  }
});
