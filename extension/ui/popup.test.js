import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { it } from "node:test";

/**
 * @param {URL} file a module
 * @param {Set<string>} seen all that it needs, itself among them
 */
async function follow(file, seen = new Set()) {
  if (seen.has(file.href)) return seen;
  seen.add(file.href);
  const text = await readFile(file, "utf8");
  for (const [, name = ""] of text.matchAll(/^(?:import|export)\b[^;]*?"(\.[^"]+)";/gm)) await follow(new URL(name, file), seen);
  return seen;
}

it("the popup asks at once for every module that it needs", async () => {
  const page = new URL("popup.html", import.meta.url);
  const text = await readFile(page, "utf8");
  const asked = Array.from(text.matchAll(/(?:modulepreload" href|<script type="module"(?: async)? src)="([^"]+)"/g), ([, name = ""]) => new URL(name, page).href);
  assert.deepEqual(asked.sort(), [...(await follow(new URL("popup.js", page)))].sort());
});
