/**
 * Puts a checkpoint in front of every `await` of some modules, so that a test
 * can stop them there. `await x` becomes `await (await __at?.(7), x)`:
 * at checkpoint 7 all that stands before has been done, and x has not begun.
 * What `__at` is, the test decides; pages of the extension have none.
 */

import { readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { Linter } from "eslint";

/**
 * Changes all modules of a folder, tests apart.
 *
 * @param {string} folder
 * @returns {Promise<string[]>} where each checkpoint is, by its number: "store.js:132"
 */
export async function addCheckpoints(folder) {
  /** @type {string[]} */
  const places = [];
  for (const name of (await readdir(folder)).sort()) {
    if (!name.endsWith(".js") || name.endsWith(".test.js")) continue;
    const file = path.join(folder, name);
    const source = await readFile(file, "utf8");
    const operands = awaited(source, name);
    // From the end on: an await can stand inside another one's operand.
    const insertions = operands.flatMap(({ start, end, line }) => [
      { at: start, text: `(await globalThis.__at?.(${places.push(`${name}:${line}`) - 1}), ` },
      { at: end, text: ")" },
    ]);
    insertions.sort((a, b) => b.at - a.at);
    let changed = source;
    for (const { at, text } of insertions) changed = changed.slice(0, at) + text + changed.slice(at);
    await writeFile(file, changed);
  }
  return places;
}

/**
 * @param {string} source of a module
 * @param {string} name
 * @returns {{start: number, end: number, line: number}[]} what it awaits, each in characters from the source's beginning
 */
function awaited(source, name) {
  /** @type {{start: number, end: number, line: number}[]} */
  const found = [];
  const rule = {
    create: () => ({
      AwaitExpression(/** @type {any} */ { argument, loc }) {
        found.push({ start: argument.range[0], end: argument.range[1], line: loc.start.line });
      },
    }),
  };
  const config = { plugins: { awaits: { rules: { all: rule } } }, rules: { "awaits/all": /** @type {const} */ ("error") } };
  const [problem] = new Linter().verify(source, [config], name);
  if (problem) throw new Error(`${name}:${problem.line}: ${problem.message}`);
  return found;
}
