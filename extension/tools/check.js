/**
 * What `paravent check` does, with the extension's engine in place of the
 * native one: a request a line on standard input, a decision a line on
 * standard output.
 *
 *   node tools/check.js --bundle dist/lists/list.bundle < requests.jsonl
 */

import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { openEngine } from "./modules.js";

/** @typedef {import("../background/engine.js").Mode} Mode */

const { values } = parseArgs({ options: { bundle: { type: "string", default: "dist/lists/list.bundle" } } });
const engine = await openEngine(await readFile(values.bundle));

/**
 * @param {string} line
 * @returns {object}
 */
function check(line) {
  const { url, page, type, mode = "protect", ...more } = JSON.parse(line);
  for (const [field, value] of Object.entries({ url, page, type })) {
    if (typeof value !== "string") throw new Error(`${field} is missing: want {"url","page","type"}`);
  }
  // Browsers hand out addresses that they have serialized.
  const address = URL.canParse(url) ? new URL(url).href : url;
  const { action, would, reason } = engine.decide(address, page, type, /** @type {Mode} */ (mode), { leaks: true, ...more });
  const rule = engine.explain();
  return { action, ...(would === action ? {} : { would }), reason, ...(rule === "" ? {} : { rule }) };
}

let number = 0;
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  number++;
  let answer;
  try {
    answer = check(line);
  } catch (error) {
    answer = { error: `line ${number}: ${error instanceof Error ? error.message : error}` };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
