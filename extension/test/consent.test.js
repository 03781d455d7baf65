/**
 * Firefox's own question about what an extension may pass on, really asked and
 * really answered: nobody but Firefox can say yes to it.
 */

/* global chrome */
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { sleep, until } from "./drive/driver.js";
import { startHost } from "./drive/host.js";
import { startPhotoHost, width } from "./drive/photo-host.js";
import { startTap } from "./drive/tap.js";
import { installed, openPopup } from "./popup.js";
import { createWorld } from "./world.js";

/** @type {import("./world.js").World} */
let world;
/** @type {import("./drive/photo-host.js").PhotoHost} */
let host;
/** @type {import("./drive/host.js").Host} */
let site;
/** @type {import("./drive/tap.js").Tap} */
let toRelay;
before(async () => {
  world = await createWorld();
  host = await startPhotoHost(0);
  const photos = [1, 2, 3].map((i) => `<img alt="Dr. Camille Aubert" src="${host.url(i)}">`).join("");
  const body = `<!doctype html><title>doctors</title><link rel="icon" href="data:,">${photos}`;
  site = await startHost("booking.localhost", (_, response) => response.setHeader("Content-Type", "text/html").end(body));
  toRelay = await startTap(world.relay.url);
});
after(async () => {
  await toRelay?.close();
  await site?.close();
  await host?.close();
  await world?.close();
});

it("Firefox asks the patient itself, and nothing goes to the relay unless the answer is yes", async () => {
  const relay = { ...world.relay, url: `http://relay.localhost:${toRelay.port}/relay` };
  const browser = await world.launch("firefox", {
    extension: await world.extension("firefox", { relays: [relay] }),
    // It asks, and believes a click at once.
    prefs: { "extensions.webextOptionalPermissionPrompts": true, "security.notification_enable_delay": 0 },
  });
  await installed(browser);
  const tab = browser.tab();
  const widths = () => tab.evaluate(() => Array.from(document.images, (image) => (/^(blob|data):/.test(image.src) ? image.naturalWidth : 0)).join());
  /** @param {string} wanted */
  const shown = async (wanted) => {
    await tab.open(`${site.origin}/oncologist/paris`);
    await until(async () => (await widths()) === wanted, { what: `images so wide: ${wanted}` });
  };
  /** @param {boolean} yes */
  const answer = async (yes) => {
    const popup = await openPopup(browser, tab);
    await popup.page.waitFor(() => document.querySelector("#photos-yes:not([hidden])"));
    await popup.page.click("#photos-yes");
    const words = await browser.answerPrompt?.(yes);
    await until(async () => (await popup.state()).photos.consent === (yes ? "granted" : "refused"), { what: "the answer" });
    await popup.close();
    return words ?? "";
  };
  await shown("128,128,128");
  assert.match(await answer(false), /browsing activity/i);
  await shown("128,128,128");
  await sleep(500); // nothing is on its way
  assert.equal(toRelay.connections(), 0);
  await answer(true);
  await shown([1, 2, 3].map(width).join());
  assert.equal(host.strangers(), 0);
  // Taken back in the browser's own settings.
  const before = toRelay.sent().length;
  await browser.extension(() => chrome.permissions.remove(/** @type {any} */ ({ data_collection: ["browsingActivity", "websiteContent"] })));
  await tab.open("about:blank");
  await shown("128,128,128");
  assert.equal(toRelay.sent().length, before);
  await browser.kill();
});
