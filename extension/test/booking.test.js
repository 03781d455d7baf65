/**
 * A patient books on a site that leaks. Without Paravent everybody learns of
 * it, which shows that these tests would notice; with it nobody does, and the
 * patient has photos, map, payment and the appointment all the same.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { contacted } from "./drive/demo.js";
import { until } from "./drive/driver.js";
import { ask } from "./drive/host.js";
import { installed, openPopup, wantPhotos } from "./popup.js";
import { broken } from "./promises.js";
import { visit, walk } from "./walk.js";
import { BROWSERS, createWorld } from "./world.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */
/** @typedef {import("./walk.js").Photo} Photo */

const VARIANTS = /** @type {const} */ ({
  "": "on the site as it is",
  "/strict": "under default-src 'self'; img-src 'self' and the photo hosts",
  "/offline": "with the site's own service worker re-fetching everything",
});
const BASES = /** @type {(keyof typeof VARIANTS)[]} */ (Object.keys(VARIANTS));

/** @type {import("./world.js").World} */
let world;
before(async () => {
  world = await createWorld({ whole: true });
});
after(() => world.close());

it("the results show photos in every way that pages do", async () => {
  const page = await (await ask(`${world.demo.site}/oncologist/paris`)).text();
  for (const way of ['src="', 'srcset="', "<picture>", 'sizes="', 'loading="lazy"', "data-late="]) {
    assert.ok(page.includes(way), `no photo comes by ${way}`);
  }
});

for (const name of BROWSERS) {
  describe(name, () => {
    /** How the photos look, by variant. @type {Map<string, Photo[]>} */
    const looks = new Map();

    /**
     * @param {Browser} browser
     * @param {keyof typeof VARIANTS} base
     */
    const walkAndAsk = async (browser, base) => {
      await world.demo.reset();
      const walked = await walk(browser.tab(), world.demo.site, { base, expected: looks.get(base) });
      await browser.tab().open("about:blank"); // what a page sends when it is left counts too
      return { walked, board: await world.demo.settled() };
    };

    describe("without Paravent", () => {
      /** @type {Browser} */
      let browser;
      before(async () => {
        browser = await world.launch(name);
      });
      after(() => browser.close());

      for (const base of BASES) {
        it(`every recipient learns of a patient ${VARIANTS[base]}`, async () => {
          const { walked, board } = await walkAndAsk(browser, base);
          assert.deepEqual(broken({ protected: false, base, walked, board }), []);
          looks.set(base, walked.photos);
        });
      }
    });

    describe("with Paravent", () => {
      /** @type {Browser} */
      let browser;
      before(async () => {
        browser = await world.launch(name, { extension: await world.extension(name) });
        await installed(browser);
        await wantPhotos(browser, `${world.demo.site}/oncologist/paris`);
      });
      after(() => browser.close());

      for (const base of BASES) {
        it(`nobody learns of a patient ${VARIANTS[base]}`, async () => {
          assert.ok(looks.get(base), "it is not known how the photos look without Paravent");
          const { walked, board } = await walkAndAsk(browser, base);
          assert.deepEqual(broken({ protected: true, base, walked, board }), []);
          for (const { key, requests } of board.recipients) {
            for (const { headers } of requests) {
              assert.equal(headers["cookie"] ?? headers["referer"] ?? "", "", `the gateway told ${key} of the patient`);
            }
          }
        });
      }

      it("the popup says whom it stopped and how many photos came the private way", async () => {
        const tab = browser.tab();
        // Photos still on their way when the patient goes on belong to the page before.
        await tab.open(`${world.demo.site}/oncologist/paris`);
        await visit(tab, `${world.demo.site}/oncologist/paris?insurance=private`);
        const popup = await openPopup(browser, tab);
        try {
          await until(async () => (await popup.text()).includes("analytics.localhost"), { what: "the popup to name who was stopped" });
          const text = await popup.text();
          for (const host of ["metrics.booking.localhost", "stream.localhost", "ads.localhost", "errors.localhost", "widgets.localhost"]) {
            assert.ok(text.includes(host), `the popup does not name ${host}:\n${text}`);
          }
          const state = await popup.state();
          assert.equal(state.mode, "protect");
          assert.ok(state.record && state.record.photos.shown > 0, "no photo came the private way");
          assert.ok(state.record.photos.shown <= 8, `${state.record.photos.shown} photos of eight doctors`);
          assert.match(text, new RegExp(`\\b${state.record.photos.shown}\\b`));
        } finally {
          await popup.close();
        }
        assert.deepEqual(contacted(await world.demo.settled()), []);
      });
    });
  });
}
