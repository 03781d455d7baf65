/** Who carries a page, known by what it writes into the page's response: real headers, in a real browser, on the popup. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { startHost } from "./drive/host.js";
import { installed, openPopup } from "./popup.js";
import { BROWSERS, createWorld } from "./world.js";

/** What the server writes, by the path that is asked for. @type {Record<string, Record<string, string>>} */
const WRITTEN = {
  "/plain": { Server: "nginx", Via: "1.1 varnish (Varnish/7.1)" },
  "/carried": { Server: "cloudflare", "CF-RAY": "8c1f2a3b4c5d6e7f-CDG", Via: "1.1 google" },
  "/image": { Server: "AmazonS3" },
};

/** @type {import("./world.js").World} */
let world;
/** @type {import("./drive/host.js").Host} */
let site;
before(async () => {
  world = await createWorld();
  site = await startHost("booking.localhost", (request, response) => {
    for (const [name, value] of Object.entries(WRITTEN[request.url ?? ""] ?? {})) response.setHeader(name, value);
    response.setHeader("Content-Type", "text/html").end('<!doctype html><title>page</title><link rel="icon" href="data:,"><img src="/image" alt="">');
  });
});
after(async () => {
  await site?.close();
  await world?.close();
});

for (const name of BROWSERS) {
  describe(name, () => {
    /** @type {import("./drive/driver.js").Browser} */
    let browser;
    before(async () => {
      browser = await world.launch(name, { extension: await world.extension(name) });
      await installed(browser);
    });
    after(() => browser?.kill());

    /** @param {string} path @returns {Promise<{names: string[], said: string}>} whom the background knows, and what a person reads */
    const carriersOn = async (path) => {
      await browser.tab().front();
      // A visit of its own.
      await browser.tab().open("about:blank");
      await browser.tab().open(site.origin + path);
      const popup = await openPopup(browser, browser.tab());
      await popup.page.waitFor(() => document.querySelector("main:not([aria-busy])"), { what: "the popup" });
      const names = (await popup.state()).carriers.map((carrier) => carrier.name);
      const said = await popup.page.evaluate(() => document.querySelector("#carriers:not([hidden])")?.textContent ?? "");
      await popup.close();
      return { names, said };
    };

    it("a server of the site's own is no carrier", async () => {
      assert.deepEqual(await carriersOn("/plain"), { names: [], said: "" });
    });

    it("who answers for the page is named with the country, who answers for an image on it is not", async () => {
      const { names, said } = await carriersOn("/carried");
      assert.deepEqual(names.toSorted(), ["Cloudflare", "Google"]);
      for (const word of ["Cloudflare", "Google", "United States"]) assert.ok(said.includes(word), `${word} is not in "${said}"`);
    });
  });
}
