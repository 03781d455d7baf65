/**
 * Mode strict, and what its user lets through all the same: on one site, and
 * until it is taken back.
 */

/* global chrome */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { until } from "./drive/driver.js";
import { openPopup } from "./popup.js";
import { createWired } from "./wired.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */

/** @type {import("./wired.js").Wired} */
let wired;
before(async () => {
  wired = await createWired();
});
after(() => wired?.close());

for (const name of /** @type {const} */ (["chromium", "firefox"])) {
  describe(name, () => {
    /** @type {Browser} */
    let browser;
    before(async () => {
      browser = await wired.launch(name);
    });
    after(() => browser?.close());

    /**
     * Whether a request of a page on a site gets through to a host.
     * @param {string} site
     * @param {string} host
     */
    const reaches = async (site, host) => {
      const tab = browser.tab();
      await tab.front();
      await tab.open(`https://www.${site}/oncologist/paris`);
      const place = `https://${host}/${Math.random()}`;
      const loaded = await tab.evaluate((url) => fetch(url, { mode: "no-cors" }).then(() => true, () => false), place);
      assert.equal(wired.wire.arrived.some(({ url }) => url === place), loaded, `${name} says ${loaded}`);
      return loaded;
    };

    /**
     * Presses something in the popup of the page in the tab.
     * @param {string} selector
     * @param {(state: import("./popup.js").TabState) => unknown} done
     * @returns {Promise<string>} what the popup said before
     */
    const press = async (selector, done) => {
      const popup = await openPopup(browser, browser.tab());
      try {
        await popup.page.waitFor(() => !document.querySelector("[aria-busy]"));
        const text = await popup.text();
        await popup.page.waitFor((one) => document.querySelector(one)?.checkVisibility(), { args: [selector], what: selector });
        await popup.page.click(selector);
        await until(
          async () => {
            const state = await popup.state();
            return done(state) && state.problems.rules === "";
          },
          { what: `${selector} to work` },
        );
        return text;
      } finally {
        await popup.close();
      }
    };

    it("strict stops who is not known to be needed, and the popup says so", async () => {
      assert.ok(await reaches("booking.example", "fine.example"));
      await press("label:has(input[value=strict])", ({ mode }) => mode === "strict");
      assert.equal(await reaches("booking.example", "fine.example"), false);
      assert.ok(await reaches("booking.example", "cdn.booking.example"), "the site itself");
      assert.ok(await reaches("booking.example", "consent.example"), "what the site needs");
    });

    it("a host is let through on this site, and on no other", async () => {
      assert.equal(await reaches("booking.test", "fine.example"), true);
      await press("label:has(input[value=strict])", ({ mode }) => mode === "strict");
      assert.equal(await reaches("booking.test", "fine.example"), false);
      assert.equal(await reaches("booking.example", "fine.example"), false);
      const text = await press('[data-host="fine.example"]', ({ allowed }) => allowed.includes("fine.example"));
      assert.ok(text.includes("not known to be needed here"), text);
      assert.ok(await reaches("booking.example", "fine.example"));
      assert.ok(await reaches("booking.example", "cdn.fine.example"), "its subdomain");
      assert.equal(await reaches("booking.example", "other.example"), false);
      assert.equal(await reaches("booking.test", "fine.example"), false, "on another site");
    });

    it("so is one that the list names, in mode protect", async () => {
      assert.equal(await reaches("booking.example", "tracker.example"), false);
      await press("label:has(input[value=protect])", ({ mode }) => mode === "protect");
      assert.equal(await reaches("booking.example", "tracker.example"), false);
      await press('[data-host="tracker.example"]', ({ allowed }) => allowed.includes("tracker.example"));
      assert.ok(await reaches("booking.example", "tracker.example"));
    });

    it("and is stopped again when that is taken back", async () => {
      await reaches("booking.example", "fine.example");
      const text = await press('#allowed [data-host="tracker.example"]', ({ allowed }) => !allowed.includes("tracker.example"));
      assert.ok(text.includes("You let these through here"), text);
      assert.equal(await reaches("booking.example", "tracker.example"), false);
      assert.ok(await reaches("booking.example", "fine.example"), "the other one is let through as before");
    });

    it("the large rules of the browser are as they were", async () => {
      if (name === "firefox") return;
      const { rules } = await browser.extension(() => chrome.storage.local.get("rules"));
      assert.equal(/** @type {any} */ (rules).state, "ok");
      const small = await browser.extension(async () => {
        const all = await chrome.declarativeNetRequest.getDynamicRules();
        return all.filter(({ id }) => id < 1000).map(({ id }) => id);
      });
      assert.deepEqual(small.sort(), [2, 4]);
    });
  });
}
