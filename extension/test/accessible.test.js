/**
 * Every page of the extension in every state, as axe-core judges it, and none
 * that has to be moved sideways to be read (WCAG 2.2, 1.4.10): nothing may stand
 * between it and anybody.
 */

import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import { createRequire } from "node:module";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { play } from "./scenes.js";
import { BROWSERS, createWorld } from "./world.js";

/** @type {import("./world.js").World} */
let world;
before(async () => {
  world = await createWorld();
});
after(() => world.close());

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** What axe-core finds on the page, and what sticks out of it. @returns {Promise<string[]>} */
async function found() {
  const { scrollWidth, clientWidth } = document.documentElement;
  const out = [...document.body.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right + scrollX > clientWidth);
  const wide = scrollWidth > clientWidth ? [`${scrollWidth - clientWidth} pixels wider than the window: ${out.map((one) => `${one.localName}#${one.id}.${one.className}`)}`] : [];
  // The pages allow no script but the extension's own files.
  if (!("axe" in globalThis)) await import(new URL("/ui/axe.min.js", location.href).href);
  const { violations } = await /** @type {any} */ (globalThis).axe.run(document, { resultTypes: ["violations"] });
  const unfit = violations.flatMap((/** @type {any} */ { id, help, nodes }) =>
    nodes.map((/** @type {any} */ { target, failureSummary }) => `${id}: ${help}: ${target} ${failureSummary}`),
  );
  return [...wide, ...unfit];
}

for (const name of BROWSERS) {
  for (const dark of [false, true]) {
    describe(`${name}, ${dark ? "dark" : "light"}`, () => {
      it("finds nothing on any page", async () => {
        const folder = await world.extension(name);
        await copyFile(AXE, path.join(folder, "ui", "axe.min.js"));
        const browser = await world.launch(name, { extension: folder, dark });
        /** @type {Record<string, string[]>} */
        const all = {};
        await play({ browser, world }, async (scene, page) => {
          // A page of the list server has a policy of its own.
          if (scene.name === "server") return;
          for (const width of scene.widths) {
            await page.setViewport(width, 900);
            all[`${scene.name} at ${width}`] = await page.evaluate(found);
          }
        });
        assert.ok(Object.keys(all).length > 10);
        assert.deepEqual(Object.fromEntries(Object.entries(all).filter(([, problems]) => problems.length > 0)), {});
        await browser.close();
      });
    });
  }
}
