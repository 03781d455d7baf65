/**
 * Pictures of every page of the extension in every state, in both themes, in
 * every language and in several widths, to be looked at one by one:
 *
 *   node tools/shots.js [--languages fr,en] [--scenes popup-watch,options]
 *
 * They are left in dist/shots/, named scene.language.theme.width.png, with an
 * index.html that shows them side by side.
 */

import { mkdir, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { parseArgs } from "node:util";
import { ROOT } from "../test/drive/demo.js";
import { play, SCENES } from "../test/scenes.js";
import { createWorld } from "../test/world.js";

const OUT = path.join(ROOT, "dist", "shots");
/** How high a window of that width is. @param {number} width */
const heightFor = (width) => Math.max(800, Math.round((width * 9) / 16));

const { values } = parseArgs({
  options: { languages: { type: "string", default: "fr,en" }, scenes: { type: "string", default: "" } },
});
const wanted = new Set(values.scenes ? values.scenes.split(",") : SCENES.map(({ name }) => name));

/** @type {string[]} */
const taken = [];
await rm(OUT, { recursive: true, force: true });
await mkdir(OUT, { recursive: true });
const world = await createWorld();
try {
  for (const language of values.languages.split(",")) {
    for (const dark of [false, true]) {
      // Chromium alone takes its language from the command line.
      const browser = await world.launch("chromium", { extension: await world.extension("chromium"), language, dark });
      await play({ browser, world }, async ({ name, widths }, page) => {
        if (!wanted.has(name)) return;
        for (const width of widths) {
          await page.setViewport(width, heightFor(width));
          const file = `${name}.${language}.${dark ? "dark" : "light"}.${width}.png`;
          await writeFile(path.join(OUT, file), await page.screenshot({ full: true }));
          taken.push(file);
        }
      });
      await browser.close();
    }
  }
} finally {
  await world.close();
}
const figures = taken.toSorted().map((file) => `<figure><img src="${file}" alt=""><figcaption>${file}</figcaption></figure>`);
await writeFile(
  path.join(OUT, "index.html"),
  `<!doctype html><meta charset="utf-8"><title>Paravent</title>
<style>body { display: flex; flex-wrap: wrap; gap: 1em; align-items: start } figure { margin: 0 } img { max-width: 45em }</style>
${figures.join("\n")}\n`,
);
console.log(`${taken.length} pictures in ${path.relative(process.cwd(), OUT)}`);
