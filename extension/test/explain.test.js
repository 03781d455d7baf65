/**
 * Photos that are left out say why: a title on what stands in for them, and the
 * popup on a click, where the page itself has no meaning for the click.
 */

/* global chrome */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { until } from "./drive/driver.js";
import { startHost } from "./drive/host.js";
import { startPhotoHost } from "./drive/photo-host.js";
import { installed, wantPhotos } from "./popup.js";
import { BROWSERS, createWorld } from "./world.js";

/** So many frames, each of a site of its own, that some get the extension's script after their photos. */
const FRAMES = 24;

const WHY = /^Paravent keeps this photo’s host from learning/;

/** @type {import("./world.js").World} */
let world;
/** @type {import("./drive/photo-host.js").PhotoHost} */
let host;
/** @type {import("./drive/host.js").Host} */
let site;
before(async () => {
  world = await createWorld();
  host = await startPhotoHost(0);
  const image = (/** @type {string} */ id, more = "") => `<img id="${id}" alt="Dr. Camille Aubert" src="${host.url(1)}" ${more}>`;
  const body = `<!doctype html><title>doctors</title><link rel="icon" href="data:,">
    ${image("bare")}
    ${image("titled", 'title="Her photo"')}
    <a href="#followed">${image("linked")}</a>
    <span role="button">${image("pressed")}</span>
    <div id="host"></div>
    <script>
      window.clicks = [];
      addEventListener("click", (event) => clicks.push(event.defaultPrevented));
      const inside = document.querySelector("#host").attachShadow({ mode: "closed" });
      inside.innerHTML = '<img alt="Dr. Camille Aubert" src="${host.url(2)}">';
      window.titleInside = () => inside.querySelector("img").title;
    </script>`;
  const frame = `<!doctype html>${image("bare")}
    <script>
      new MutationObserver(() => parent.postMessage(document.images[0].title, "*")).observe(document, { subtree: true, attributes: true });
    </script>`;
  const frames = `<!doctype html><title>doctors</title><link rel="icon" href="data:,">
    <script>
      window.titles = [];
      addEventListener("message", ({ data }) => titles.push(data));
      for (let i = 0; i < ${FRAMES}; i++) document.write(\`<iframe src="http://frame\${i}.localhost:\${location.port}/frame"></iframe>\`);
    </script>`;
  site = await startHost("booking.localhost", ({ url }, response) => {
    response.setHeader("Content-Type", "text/html").end(url === "/frame" ? frame : url === "/frames" ? frames : body);
  });
});
after(async () => {
  await site?.close();
  await host?.close();
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

    it("what stands in for a photo has a title, unless the page gave it one", async () => {
      const tab = browser.tab();
      await tab.open(`${world.demo.site}/oncologist/paris`);
      const titles = () => tab.evaluate(() => Array.from(document.querySelectorAll(".who img"), (image) => image.getAttribute("title") ?? ""));
      // Those further down the page have not been asked for yet.
      await until(async () => (await titles()).filter((title) => WHY.test(title)).length > 1, { what: "titles on the demo's results" });
      assert.equal(await tab.evaluate(() => document.querySelectorAll(".brand img[title]").length), 0);
      await tab.open(`${site.origin}/oncologist/paris`);
      await tab.waitFor(() => document.querySelector("#linked[title]") && /** @type {any} */ (window).titleInside());
      const [bare = "", titled, linked = ""] = await tab.evaluate(() => ["bare", "titled", "linked"].map((id) => document.getElementById(id)?.title));
      assert.match(bare, WHY);
      assert.equal(titled, "Her photo");
      assert.match(linked, WHY);
    });

    it("also in frames of other sites, however late the script comes into them", async () => {
      const tab = browser.tab();
      await tab.open(`${site.origin}/frames`);
      const titles = () => tab.evaluate(() => /** @type {string[]} */ (/** @type {any} */ (window).titles));
      await until(async () => (await titles()).length === FRAMES, { what: "a title in each frame" }).catch(async (error) => {
        throw new Error(`${error.message}, not in ${(await titles()).length}`);
      });
      for (const title of await titles()) assert.match(title, WHY);
    });

    it("a click on it explains, where it has no other meaning", async () => {
      const tab = browser.tab();
      await tab.open(`${site.origin}/oncologist/paris`);
      await tab.waitFor(() => document.querySelector("#bare[title]") && document.querySelector("#linked[title]") && document.querySelector("#pressed[title]"));
      // What a content script tells the background, the extension's other pages hear too.
      await browser.extension(() => {
        /** @type {string[]} */
        const heard = (/** @type {any} */ (globalThis).heard = []);
        chrome.runtime.onMessage.addListener(({ type }) => void heard.push(type));
      });
      const asked = () => browser.extension(() => /** @type {any} */ (globalThis).heard.filter((/** @type {string} */ type) => type === "explain").length);
      await tab.front();
      await tab.evaluate(() => document.getElementById("bare")?.click());
      await tab.click("#linked");
      assert.equal(await tab.evaluate(() => location.hash), "#followed");
      await tab.click("#pressed");
      await tab.click("#bare");
      // It is told in order: had one of the others asked, it would be here as well.
      await until(asked, { what: "the click to ask" });
      assert.equal(await asked(), 1);
      assert.deepEqual(await tab.evaluate(() => /** @type {any} */ (window).clicks), [false, false, false, false]);
      await until(
        () => browser.extension(async () => (await chrome.runtime.getContexts({ contextTypes: [chrome.runtime.ContextType.POPUP] })).length === 1),
        { what: "the popup" },
      );
    });

    it("the title is gone when the photo itself has come", async () => {
      const tab = browser.tab();
      await wantPhotos(browser, `${site.origin}/oncologist/paris`);
      // The images that still stand in for photos get another try when the page asks again.
      await tab.evaluate((url) => Object.assign(document.getElementById("bare") ?? {}, { src: url }), host.url(3));
      await tab.waitFor(() => {
        const image = /** @type {HTMLImageElement} */ (document.getElementById("bare"));
        return image.naturalWidth > 128 && !image.hasAttribute("title");
      }, { what: "the photo without the title" });
      await tab.open(`${site.origin}/oncologist/paris`);
      await tab.waitFor(() => Array.from(document.images).every((image) => image.naturalWidth > 128), { what: "all photos" });
      assert.deepEqual(await tab.evaluate(() => Array.from(document.querySelectorAll("[title]"), ({ id }) => id)), ["titled"]);
    });
  });
}
