/**
 * What a hostile page tries against the extension, and what comes of it: the
 * README's table, each row of which a test of hostile-*.test.js shows to be so
 * in both browsers.
 *
 *   node test/hostile-rows.js    writes the table anew
 */

import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Limits, as the table says them, for a browser that has one. @typedef {{name: string, chromium?: string, firefox?: string}} Row */

const SEEN = "**seen**: a `data:`, a `blob:` or a placeholder, and the `title` that says why";

/** @type {readonly Row[]} */
export const ROWS = [
  { name: "find it in the window, the natives, the document, on an unprotected site, a protected one, in a third party's frame" },
  { name: "find it by a photo's `src`, size or `title`", chromium: SEEN, firefox: SEEN },
  { name: "learn an address of its files, from images, stacks, performance entries, errors, mutations, policy reports" },
  { name: "learn one from the answer to a photo that a script or a service worker fetches" },
  {
    name: "load, frame or open its pages and files, at known addresses",
    firefox: "**the placeholder**, for who knows the number that Firefox gave this profile's Paravent; no page learns it",
  },
  { name: "send it messages: by its number, to windows and frames, as events, on channels" },
  { name: "have it fetch what is no photo, or with a password, from another port, host or scheme" },
  { name: "have it fetch more than 64 photos at once, by 1,000 images" },
  { name: "have what the site needs stopped, by telling it the page's address" },
  {
    name: "have another host stopped, on this site, by telling it the page's address in the page's own name",
    chromium: "**possible**: until the browser is closed. A page can leave it out as well",
    firefox: "that request alone",
  },
  { name: "the same from a third party's frame, or from another site" },
  { name: "be read as more than text, in the popup, the report, the letter: by hosts, paths, methods, titles, headers" },
  { name: "be read as more than text in what is saved: formulas in CSV, broken HAR and JSON" },
  { name: "fill the record: long addresses, hosts and methods, 1,000 requests" },
];

const README = fileURLToPath(new URL("../../README.md", import.meta.url));
const BEGIN = "<!-- hostile pages: written by node extension/test/hostile-rows.js -->\n";
const END = "<!-- end of hostile pages -->\n";

/** @returns {string} */
export function table() {
  const lines = ROWS.map(({ name, chromium = "stopped", firefox = "stopped" }) => `| ${name} | ${chromium} | ${firefox} |\n`);
  return `| what a page tries | Chromium | Firefox |\n|---|---|---|\n${lines.join("")}`;
}

/** @returns {Promise<{before: string, table: string, after: string}>} the README around its table */
export async function readme() {
  const text = await readFile(README, "utf8");
  const [before, rest] = text.split(BEGIN);
  const [inside, after] = rest?.split(END) ?? [];
  if (before === undefined || inside === undefined || after === undefined) {
    throw new Error(`README.md: the table of hostile pages stands between "${BEGIN.trim()}" and "${END.trim()}", which it lacks`);
  }
  return { before, table: inside, after };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const { before, after } = await readme();
  await writeFile(README, `${before}${BEGIN}${table()}${END}${after}`);
}
