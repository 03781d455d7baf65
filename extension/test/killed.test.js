/**
 * The browser is killed while a new list is being put in force, at one moment
 * or another: when it comes back, what stops requests and the list that is
 * shown are of one release, and the new one comes all the same.
 */

/* global chrome */
import assert from "node:assert/strict";
import { appendFile } from "node:fs/promises";
import path from "node:path";
import { after, before, it } from "node:test";
import { sleep, until } from "./drive/driver.js";
import { ask, startHost } from "./drive/host.js";
import { installed, openPopup } from "./popup.js";
import { BROWSERS, createWorld } from "./world.js";

/** So long after the delta was asked for, in milliseconds. */
const MOMENTS = [0, 100, 300];

/** @type {import("./world.js").World} */
let world;
/** Answers everything, also under names that lists come to know. @type {import("./drive/host.js").Host} */
let novelty;
/** @type {import("./drive/host.js").Host} */
let mirror;
/** What the mirror does when it is asked for a delta. */
let onDelta = () => {};
/** Whether it says that there is nothing new. */
let isQuiet = false;
let published = 0;

before(async () => {
  world = await createWorld();
  mirror = await startHost("mirror.localhost", async (request, response) => {
    if (isQuiet) {
      response.writeHead(503).end();
      return;
    }
    const answer = await ask(world.demo.lists + request.url);
    const body = Buffer.from(await answer.arrayBuffer());
    response.writeHead(answer.status).end(body);
    if (request.url?.startsWith("/v1/delta/")) onDelta();
  });
  novelty = await startHost("novelty.localhost", (_, response) => response.end());
});
after(async () => {
  await world?.close();
  await mirror?.close();
  await novelty?.close();
});

for (const name of BROWSERS) {
  it(`${name} comes back with rules and list of one release`, async (t) => {
    const options = {
      extension: await world.extension(name, { lists: mirror.origin }),
      profile: path.join(world.dir, `profile-${name}`),
      permanent: true,
    };
    isQuiet = false;
    let browser = await world.launch(name, options);
    await installed(browser, (state) => state.list?.release?.index === published);
    // A profile is written to disk when its browser is closed, at the latest.
    await browser.close();
    for (const moment of MOMENTS) {
      await t.test(`${moment} ms into it`, async () => {
        const host = `${name}-${moment}.novelty.localhost`;
        browser = await world.launch(name, options);
        const killed = new Promise((resolve) => {
          onDelta = () => {
            onDelta = () => {};
            void sleep(moment).then(browser.kill).then(resolve);
          };
        });
        const lines = ["", "! reason: a test listens there", "! source: https://booking.localhost/", "! date: 2026-11-22", `||${host}^`, ""];
        await appendFile(path.join(world.sources, "telemetry.txt"), lines.join("\n"));
        await world.publish();
        published++;
        await killed;

        isQuiet = true;
        browser = await world.launch(name, options);
        await installed(browser, (state) => state.list?.release);
        const tab = browser.tab();
        await tab.open(world.demo.site);
        const popup = await openPopup(browser, tab);
        const index = (await popup.state()).list?.release?.index ?? -1;
        assert.ok(index === published || index === published - 1, `release ${index}`);
        const reaches = () =>
          tab.evaluate((url) => fetch(url, { mode: "no-cors" }).then(() => true, () => false), novelty.origin.replace("novelty.localhost", host));
        assert.equal(await reaches(), index < published, `with release ${index} of ${published}`);

        isQuiet = false;
        await until(
          async () => {
            await popup.page.evaluate(() => chrome.runtime.sendMessage({ type: "update" }));
            return (await popup.state()).list?.release?.index === published;
          },
          { every: 300, what: "the release that was cut off" },
        );
        assert.equal(await reaches(), false);
        t.diagnostic(`${moment} ms: release ${index} of ${published} was there`);
        await browser.close();
      });
    }
  });
}
