/** The first page: opened once, at the install; what it asks, and what it says of private windows. */

/* global chrome */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { until } from "./drive/driver.js";
import { installed } from "./popup.js";
import { BROWSERS, createWorld } from "./world.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */

/** @type {import("./world.js").World} */
let world;
before(async () => {
  world = await createWorld();
});
after(() => world.close());

/** The first pages that are open. @param {Browser} browser */
const opened = (browser) =>
  browser.extension(async () => {
    const tabs = await chrome.tabs.query({});
    return tabs.filter(({ url }) => url?.includes("/ui/welcome.html")).length;
  });

for (const name of BROWSERS) {
  describe(name, () => {
    /** @param {import("./drive/driver.js").Browser} browser */
    const open = async (browser) => {
      const page = await browser.extensionPage("ui/welcome.html");
      await page.waitFor(() => document.querySelector("main:not([aria-busy])"));
      return { page, said: (/** @type {string} */ id) => page.evaluate((where) => document.getElementById(where)?.innerText ?? "", id) };
    };

    it("is opened at the install, and not at the next start", async () => {
      const extension = await world.extension(name, { welcome: true });
      const profile = `${world.dir}/profile-${name}`;
      const first = await world.launch(name, { extension, profile, permanent: true });
      await until(() => opened(first).then((count) => count === 1), { what: "the first page" });
      await installed(first);
      assert.equal(await opened(first), 1);
      await first.close();
      const second = await world.launch(name, { extension, profile, permanent: true });
      await installed(second);
      assert.equal(await opened(second), 0);
      await second.close();
    });

    it("asks for photos plainly: later, or yes", async () => {
      const browser = await world.launch(name, { extension: await world.extension(name) });
      await installed(browser);
      assert.equal(await opened(browser), 0, "a build may leave it out");
      const { page, said } = await open(browser);
      assert.match(await said("photos-said"), /May Paravent bring them through a relay/);
      assert.match(await said("private-said"), /keeps Paravent out of private windows/);
      assert.match(await said("private-how"), name === "firefox" ? /Run in Private Windows/ : /Allow in Incognito/);
      assert.equal(await page.evaluate(() => /** @type {HTMLAnchorElement} */ (document.getElementById("try-site")).href), `${world.demo.site}/`);

      await page.click("#photos-later");
      await page.waitFor(() => document.getElementById("photos-said")?.textContent?.includes("for now"));
      const consent = () => page.evaluate(async () => (await chrome.runtime.sendMessage({ type: "settings" })).consent);
      assert.equal(await consent(), "unasked");

      await page.reload();
      await page.waitFor(() => document.querySelector("#photos-choice:not([hidden])"));
      // By keys alone: the first that can be operated is the question.
      await page.press("Tab", "Enter");
      await page.waitFor(() => document.getElementById("photos-said")?.textContent?.includes("private way"));
      assert.equal(await consent(), "granted");
      assert.equal(await page.evaluate(() => document.activeElement?.id), "photos-title");
      await browser.close();
    });

    it("asks for nothing where no relay is configured", async () => {
      const browser = await world.launch(name, { extension: await world.extension(name, null) });
      await installed(browser);
      const { page, said } = await open(browser);
      assert.match(await said("photos-said"), /no relay is configured/);
      assert.equal(await page.evaluate(() => document.querySelector("#photos-choice:not([hidden]), #try-site:not([hidden])")), null);
      await browser.close();
    });
  });
}
