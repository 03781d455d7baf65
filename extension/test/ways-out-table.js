/**
 * The README's table of ways out of a page, made of the rows that the suites
 * show to be so in both browsers.
 *
 *   node test/ways-out-table.js    writes it anew
 */

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { WAYS } from "./ways-out.js";

/**
 * What the table says of a row.
 * @typedef {object} Row
 * @property {string} name in Markdown
 * @property {import("./ways-out.js").Else} [chromium] absent: it is stopped
 * @property {import("./ways-out.js").Else} [firefox]
 */

/** Of every suite, in order. @type {readonly Row[]} */
const ROWS = [...WAYS];

const README = fileURLToPath(new URL("../../README.md", import.meta.url));
const BEGIN = "<!-- ways out: written by ./build.sh ways -->\n";
const END = "<!-- end of ways out -->\n";

/** @returns {string} */
export function table() {
  const lines = ROWS.map(({ name, chromium, firefox }) => `| ${name} | ${cell(chromium)} | ${cell(firefox)} |\n`);
  return `| way | Chromium | Firefox |\n|---|---|---|\n${lines.join("")}`;
}

/** @param {import("./ways-out.js").Else} [what] */
function cell({ limit, absent } = {}) {
  if (limit) return `**open**: ${limit}`;
  return absent ? `none: ${absent}` : "stopped";
}

/** @returns {Promise<{before: string, table: string, after: string}>} the README around its table */
export async function readme() {
  const text = await readFile(README, "utf8");
  const [before, rest] = text.split(BEGIN);
  const [inside, after] = rest?.split(END) ?? [];
  if (before === undefined || inside === undefined || after === undefined) {
    throw new Error(`README.md: the table of ways out stands between "${BEGIN.trim()}" and "${END.trim()}", which it lacks`);
  }
  return { before, table: inside, after };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { before, after } = await readme();
  await writeFile(README, `${before}${BEGIN}${table()}${END}${after}`);
}
