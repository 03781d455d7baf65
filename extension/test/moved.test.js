/** A page that gives itself another address goes on being protected, by the address that it has now. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { until } from "./drive/driver.js";
import { startHost } from "./drive/host.js";
import { installed } from "./popup.js";
import { BROWSERS, createWorld } from "./world.js";

/** @type {import("./world.js").World} */
let world;
/** @type {import("./drive/host.js").Host} */
let stranger;
before(async () => {
  world = await createWorld();
  stranger = await startHost("stranger.localhost", (_, response) => {
    response.writeHead(204, { "access-control-allow-origin": "*" }).end();
  });
});
after(async () => {
  await world.close();
  await stranger.close();
});

for (const name of BROWSERS) {
  describe(name, () => {
    it("stops what carries the address that a script has given the page", async () => {
      const browser = await world.launch(name, { extension: await world.extension(name) });
      await installed(browser);
      const tab = browser.tab();
      await tab.open(`${world.demo.site}/`);
      const carries = async (/** @type {string} */ what) =>
        tab.evaluate((url) => fetch(url).then(() => true, () => false), `${stranger.origin}/${what}`);
      assert.equal(await carries("nothing"), true);
      await tab.evaluate(() => history.pushState(null, "", "/oncologist/paris?motive=breast-lump"));
      const address = await tab.evaluate(() => encodeURIComponent(location.href));
      // Chromium tells of the new address when it is there already: what a page
      // asks for in the next few milliseconds has left before the rules are.
      if (name === "chromium") await until(async () => !(await carries(`told?at=${address}`)), { what: "the rules for the new address" });
      else assert.equal(await carries(`told?at=${address}`), false);
      stranger.asked.splice(0);
      assert.equal(await carries(`told-again?at=${address}`), false);
      assert.equal(await carries("nothing"), true);
      assert.deepEqual(stranger.asked.splice(0), ["GET /nothing"]);
      await browser.close();
    });
  });
}
