/**
 * What the popup's three modes do, and that nothing is done to other sites.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { contacted, fromBrowser } from "./drive/demo.js";
import { startHost } from "./drive/host.js";
import { until } from "./drive/driver.js";
import { installed, openPopup } from "./popup.js";
import { visit } from "./walk.js";
import { BROWSERS, createWorld } from "./world.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */

/** Who hears of a visit to the results and to a doctor's page. */
const EVERYBODY = ["photos", "bucket", "analytics", "metrics", "stream", "ads", "errors", "widgets"];

/** @type {import("./world.js").World} */
let world;
before(async () => {
  world = await createWorld();
});
after(() => world.close());

for (const name of BROWSERS) {
  describe(name, () => {
    /** @type {Browser} */
    let browser;
    before(async () => {
      browser = await world.launch(name, { extension: await world.extension(name) });
      await installed(browser);
    });
    after(() => browser.close());

    const results = () => visit(browser.tab(), `${world.demo.site}/oncologist/paris?insurance=private`);

    /** Presses a mode in the popup. @param {string} mode */
    const choose = async (mode) => {
      await results();
      const popup = await openPopup(browser, browser.tab());
      await popup.page.waitFor(() => document.querySelector("#modes:not([hidden])") !== null);
      await popup.page.click(`label:has(input[value=${mode}])`);
      // Chromium takes a moment to change its rules, and decides by the old ones until then.
      await until(
        async () => {
          const state = await popup.state();
          return state.mode === mode && state.problems.rules === "";
        },
        { what: `mode ${mode}` },
      );
      await popup.close();
      await browser.tab().open("about:blank");
      await world.demo.settled();
      await world.demo.reset();
    };

    /** @returns {Promise<string[]>} who got requests */
    const visitTwoPages = async () => {
      await visit(browser.tab(), `${world.demo.site}/doctor/camille-aubert?insurance=private`);
      await results();
      const board = await world.demo.settled();
      return board.recipients.filter(fromBrowser).map(({ key }) => key);
    };

    it("a site that nobody protects is left alone", async () => {
      const { recipients } = world.demo;
      const news = await startHost("news.localhost", (_, response) => {
        response.setHeader("Content-Type", "text/html");
        response.end(`<!doctype html><title>News</title>
          <script src="${recipients["analytics"]}/tag.js?id=news"></script>
          <img src="${recipients["photos"]}/clinic/image/upload/w_160,h_160,c_fill/30t1coj162ikym59xsjx.jpg">
          <iframe src="${recipients["widgets"]}/doctor/widget?doctor=camille-aubert"></iframe>`);
      });
      try {
        await world.demo.reset();
        await browser.tab().open(news.origin);
        const board = await world.demo.settled();
        const reached = board.recipients.filter(fromBrowser).map(({ key }) => key);
        assert.deepEqual(reached, ["photos", "analytics", "widgets"]);
        assert.ok(await browser.tab().evaluate(() => (document.images[0]?.naturalWidth ?? 0) > 1), "the photo is not shown");
      } finally {
        await browser.tab().open("about:blank");
        await news.close();
      }
    });

    it("watch stops nothing and says what it would have stopped", async () => {
      await choose("watch");
      assert.deepEqual(await visitTwoPages(), EVERYBODY);
      const popup = await openPopup(browser, browser.tab());
      await until(async () => (await popup.text()).includes("analytics.localhost"), { what: "the popup to name who would be stopped" });
      const { mode, record } = await popup.state();
      const text = await popup.text();
      await popup.close();
      assert.equal(mode, "watch");
      assert.ok(record && record.total.would > 0 && record.total.block === 0 && record.total.relay === 0, JSON.stringify(record));
      for (const host of ["metrics.booking.localhost", "stream.localhost", "ads.localhost", "errors.localhost", "photos.localhost"]) {
        assert.ok(text.includes(host), `the popup does not name ${host}:\n${text}`);
      }
    });

    it("off stops nothing and records nothing", async () => {
      await choose("off");
      assert.deepEqual(await visitTwoPages(), EVERYBODY);
      const popup = await openPopup(browser, browser.tab());
      const { mode, record } = await popup.state();
      await popup.close();
      assert.equal(mode, "off");
      assert.equal(record, null);
    });

    it("protect, chosen again, holds at once", async () => {
      await choose("protect");
      assert.deepEqual(await visitTwoPages(), []);
      assert.deepEqual(contacted(await world.demo.settled()), []);
    });
  });
}
