/**
 * What the extension does when it has nobody to talk to, and when it is broken.
 */

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { contacted } from "./drive/demo.js";
import { startProxy } from "./drive/proxy.js";
import { installed, openPopup } from "./popup.js";
import { visit } from "./walk.js";
import { BROWSERS, createWorld } from "./world.js";

/** Whom the browsers themselves call, whatever is installed. */
const MAKERS = /(^|\.)(google\.com|googleapis\.com|gvt1\.com|mozilla\.(com|net|org))$/;

/** @type {import("./world.js").World} */
let world;
before(async () => {
  world = await createWorld();
});
after(() => world.close());

const results = () => `${world.demo.site}/oncologist/paris?insurance=private`;

for (const name of BROWSERS) {
  describe(name, () => {
    it("a stock build contacts no list server, no gateway and nobody else", async () => {
      const proxy = await startProxy();
      try {
        await world.demo.reset();
        const browser = await world.launch(name, { extension: await world.extension(name, null), proxy: proxy.address });
        await installed(browser);
        const tab = browser.tab();
        await visit(tab, results());
        // The popup's own button, if it were there, would ask for a list.
        const popup = await openPopup(browser, tab);
        await popup.page.waitFor(() => !document.querySelector("[aria-busy]"));
        assert.ok(await popup.page.evaluate(() => document.querySelector("#update:not([hidden])") === null));
        const state = await popup.state();
        await popup.close();
        assert.deepEqual(state.photos.relays, []);
        assert.equal(state.updates.server, false);
        assert.equal(state.updates.tried, 0);
        assert.ok(state.record && state.record.total.relay > 0, "no photo was asked for");
        assert.equal(state.record.photos.shown, 0);

        assert.deepEqual(contacted(await world.demo.settled()), []);
        await browser.close();
        const { site, needs } = world.demo;
        const expected = [site, ...Object.values(needs)].map((origin) => new URL(origin).host);
        assert.ok(proxy.hosts.includes(new URL(site).host), "the proxy did not see the site");
        const others = proxy.hosts.filter((host) => !expected.includes(host) && !MAKERS.test(host.replace(/:\d+$/, "")));
        assert.deepEqual(others, []);
      } finally {
        await proxy.close();
      }
    });

    it("with a broken engine nobody learns anything, and the popup says so", async () => {
      const extension = await world.extension(name);
      const engine = path.join(extension, "wasm", "engine.wasm");
      const whole = await readFile(engine);
      await writeFile(engine, whole.subarray(0, whole.length / 2));
      const browser = await world.launch(name, { extension });
      await installed(browser);
      await world.demo.reset();
      // The page's own scripts may be stopped too: it loads, and no more can be asked of it.
      await browser.tab().open(results());
      assert.deepEqual(contacted(await world.demo.settled()), []);
      const popup = await openPopup(browser, browser.tab());
      await popup.page.waitFor(() => !document.querySelector("[aria-busy]"));
      const state = await popup.state();
      const text = await popup.text();
      assert.notEqual(state.problems.engine, "");
      assert.ok(text.includes(state.problems.engine), `the popup does not say that the engine is broken:\n${text}`);
      await browser.close();
    });
  });
}
