/** Reads what a benchmark is given. */

import { readFile } from "node:fs/promises";
import { gunzipSync } from "node:zlib";

/** @typedef {import("./requests.js").Request} Request */

/**
 * @param {string} file gzip if its name ends in .gz
 * @returns {Promise<string>}
 */
export async function readText(file) {
  const bytes = await readFile(file);
  return (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
}

/**
 * @param {string} file a request a line, {"url","page","type"}
 * @returns {Promise<{lines: string[], requests: Request[]}>}
 */
export async function readCorpus(file) {
  const lines = (await readText(file)).trim().split("\n");
  return { lines, requests: lines.map((line) => JSON.parse(line)) };
}

/**
 * The parts of a canonical list that stop or allow by themselves, in the
 * language that every engine reads.
 * @param {string} text list.txt
 * @returns {string}
 */
export function filtersOf(text) {
  /** @type {Record<string, string[]>} */
  const parts = {};
  /** @type {string[]} */
  let part = [];
  for (const line of text.trim().split("\n")) {
    const [, name] = /^\[(\w+)\]$/.exec(line) ?? [];
    if (name) part = parts[name] = [];
    else part.push(line);
  }
  const { exceptions = [], hosts = [], rules = [] } = parts;
  return `${[...exceptions, ...hosts.map((host) => `||${host}^`), ...rules].join("\n")}\n`;
}

/**
 * Requests made of a list of filters: below a rule's host, beside it, and as a
 * path elsewhere.
 * @param {string} filters
 * @returns {Request[]}
 */
export function requestsOf(filters) {
  const page = "https://www.booking.example/oncologist/paris?insurance=private";
  return filters.split("\n").filter((line, i) => i % 25 === 0 && /^\|\|[a-z0-9.-]+\^/.test(line)).flatMap((rule) => {
    const host = rule.slice(2, rule.indexOf("^"));
    return [
      { url: `https://${host}/`, page, type: "script" },
      { url: `https://cdn.${host}/a/b/c.gif?u=${encodeURIComponent(page)}`, page, type: "image" },
      { url: `https://x${host}/collect`, page, type: "ping" },
      { url: `https://www.booking.example/${host}/x.js`, page, type: "xmlhttprequest" },
    ];
  });
}
