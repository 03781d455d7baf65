/**
 * A page that looks for the extension: in what it can read of its window and
 * its document, in what the browser tells it of its resources and its policy,
 * at the addresses of the extension's files, and by sending messages. What it
 * can see is said in content/photos.js; here it must see no more than that, and
 * above all no address that is this browser's alone.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { until } from "./drive/driver.js";
import { createHostile } from "./hostile.js";
import { readme, table } from "./hostile-rows.js";
import { installed } from "./popup.js";
import { BROWSERS } from "./world.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */
/** @typedef {import("./drive/driver.js").Tab} Tab */

/** @type {import("./hostile.js").Hostile} */
let hostile;
before(async () => {
  hostile = await createHostile();
});
after(() => hostile?.close());

/**
 * Runs in a page: everything that an extension could have left in its window:
 * names, natives and what they say of themselves, the document as it stands.
 * @returns {string[]}
 */
function traces() {
  const found = [document.documentElement.outerHTML.replaceAll(/localhost:\d+/g, ""), `sheets ${document.styleSheets.length} ${document.adoptedStyleSheets.length}`];
  const text = Function.prototype.toString;
  for (const name of Object.getOwnPropertyNames(window).sort()) {
    found.push(name);
    const value = Object.getOwnPropertyDescriptor(window, name)?.value;
    if (typeof value !== "function") continue;
    for (const [where, object] of /** @type {const} */ ([["", value], [".prototype", value.prototype ?? {}]])) {
      for (const [key, { value: own, get, set }] of Object.entries(Object.getOwnPropertyDescriptors(object))) {
        const parts = [own, get, set].filter((part) => typeof part === "function").map((part) => text.call(part));
        found.push(`${name}${where}.${key} ${parts.join()}`);
      }
    }
  }
  return found;
}

/**
 * The head of a page that writes down whatever its browser tells it.
 */
const WATCH = `<script>
  window.seen = [];
  const see = (what, ...more) => seen.push([what, ...more].map((part) => typeof part === "string" ? part : JSON.stringify(part)).join(" "));
  addEventListener("error", (event) => see("error", event.message ?? event.target?.src ?? "", event.filename ?? "", String(event.error?.stack)), true);
  addEventListener("unhandledrejection", (event) => see("rejection", String(event.reason?.stack)));
  document.addEventListener("securitypolicyviolation", (event) => see("violation", event.blockedURI, event.sourceFile, event.documentURI, event.sample));
  if (window.ReportingObserver) new ReportingObserver((all) => see("report", all), { buffered: true }).observe();
  for (const type of PerformanceObserver.supportedEntryTypes) {
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) see(type, entry, String(entry.url), String(entry.element?.currentSrc));
    }).observe({ type, buffered: true });
  }
  const noted = (kind) => class extends kind {
    static observedAttributes = ["src", "srcset", "title", "style", "href"];
    attributeChangedCallback(name, before, now) { see("attribute", name, String(now), new Error("here").stack); }
  };
  customElements.define("x-image", noted(HTMLImageElement), { extends: "img" });
  customElements.define("x-box", noted(HTMLElement));
  new MutationObserver((all) => {
    for (const { target, attributeName } of all) see("mutation", target.nodeName, String(attributeName), target.cloneNode().outerHTML ?? "", new Error("here").stack);
  }).observe(document, { subtree: true, childList: true, attributes: true });
</script>`;

/** Runs in a page: what it was told, and what its images and entries say now. */
function told() {
  const entries = performance.getEntries().map((entry) => JSON.stringify(entry));
  const images = Array.from(document.images, (image) => `${image.src} ${image.currentSrc} ${image.title} ${image.baseURI}`);
  return [.../** @type {any} */ (window).seen, ...entries, ...images, document.documentElement.outerHTML];
}

/** Runs in a page: asks for an address in every way that says where the answer came from. */
async function whence(/** @type {string} */ url) {
  const asked = await Promise.all([
    ...[{}, { mode: "no-cors" }, { cache: "no-store" }, { redirect: "manual" }].map((how) =>
      fetch(url, /** @type {RequestInit} */ (how)).then(
        (answer) => `fetch ${answer.url} ${answer.type}`,
        (error) => `fetch ${error.stack}`,
      ),
    ),
    new Promise((done) => {
      const request = new XMLHttpRequest();
      request.onloadend = () => done(`xhr ${request.responseURL} ${request.getAllResponseHeaders()}`);
      request.open("GET", url);
      request.send();
    }),
    new Promise((done) => {
      const source = new EventSource(url);
      source.onerror = () => {
        source.close();
        done(`source ${source.url}`);
      };
    }),
  ]);
  return asked;
}

/** A worker of the page's own that stands between it and the network. */
const BETWEEN = `
  const told = [];
  addEventListener("install", () => skipWaiting());
  addEventListener("activate", (event) => event.waitUntil(clients.claim()));
  addEventListener("fetch", (event) => {
    if (!event.request.url.includes("/clinic/")) return;
    event.respondWith(fetch(event.request).then(
      (answer) => (told.push("worker " + answer.url), answer),
      (error) => { told.push("worker " + error.stack); throw error; },
    ));
  });
  addEventListener("message", ({ source }) => source.postMessage(told));
`;

it("the README's table is made of the rows that are shown here", async () => {
  assert.equal((await readme()).table, table());
});

for (const name of BROWSERS) {
  describe(name, () => {
    /** @type {Browser} */
    let browser;
    /** @type {string} */
    let extension;
    /** What is this extension's, or this installation's, alone. @type {RegExp} */
    let own;
    before(async () => {
      extension = await hostile.world.extension(name);
      browser = await hostile.world.launch(name, { extension });
      await installed(browser);
      own = new RegExp(`-extension:|${new URL(browser.origin).hostname}`);
    });
    after(() => browser?.close());

    /** @param {string[]} all */
    const ours = (all) => all.filter((text) => own.test(text));

    it("a page finds the window and the document as they are without any extension", async () => {
      const bare = await hostile.world.launch(name);
      const { site, stranger, frame } = hostile;
      const body = "<p>nothing here</p>";
      const framed = `<iframe src="${frame.page(`${body}<script>addEventListener("message", ({ source }) => source.postMessage((${traces})(), "*"))</script>`)}"></iframe>`;
      const inFrame = () =>
        new Promise((done) => {
          addEventListener("message", ({ data }) => done(data));
          frames[0]?.postMessage("?", "*");
        });
      try {
        for (const [address, look] of /** @type {[string, () => Promise<string[]> | string[]][]} */ ([
          [stranger.page(body), traces],
          [site.page(body), traces],
          [site.page(framed), inFrame],
        ])) {
          await browser.tab().open(address);
          await bare.tab().open(address);
          const [seen, without] = [await browser.tab().evaluate(look), await bare.tab().evaluate(look)];
          assert.ok(without.length > 5000, `${without.length} traces`);
          assert.deepEqual(seen, without, address);
        }
        // The test itself would see one native that is not.
        await browser.tab().open(stranger.page(body));
        await browser.tab().evaluate(() => {
          Element.prototype.append = () => {};
        });
        await bare.tab().open(stranger.page(body));
        assert.notDeepEqual(await browser.tab().evaluate(traces), await bare.tab().evaluate(traces));
      } finally {
        await bare.close();
      }
    });

    it("nothing that a page is told of its photos names an address of the extension", async () => {
      const { site, photos, frame } = hostile;
      const from = new URL(photos.url(0)).origin;
      const body = `<img is="x-image" id="first" elementtiming="first" src="${photos.url(1)}">
        <img is="x-image" elementtiming="second" alt="Dr. Ada Byron" src="${photos.url(2)}">
        <picture><source srcset="${photos.url(3)}"><img is="x-image" src="${photos.url(4)}"></picture>
        <svg><image href="${photos.url(5)}"/></svg><video poster="${photos.url(6)}"></video>
        <x-box style="display:block;width:200px;height:99px;background-image:url('${photos.url(7)}')"></x-box>
        <img name="querySelectorAll"><img name="baseURI"><img name="addEventListener">`;
      const scripts = "script-src 'unsafe-inline'; style-src 'unsafe-inline'; report-uri /reports";
      site.sent.length = 0;
      const all = [];
      for (const [what, policy] of Object.entries({
        "no policy": "",
        "photos alone": `default-src 'none'; img-src ${from}; ${scripts}`,
        "no photos": `default-src 'none'; ${scripts}`,
        "a report of all": "default-src 'none'; report-uri /reports",
      })) {
        const header = what === "a report of all" ? "Content-Security-Policy-Report-Only" : "Content-Security-Policy";
        const tab = browser.tab();
        await tab.open(site.page(WATCH + body, policy ? { [header]: policy } : {}));
        await tab.waitFor(() => document.querySelector("#first[title]"), { what: `${what}: the first photo to be stood in for` });
        const seen = await tab.evaluate(told);
        assert.ok(seen.length > 20, `${what}: ${seen.length} told`);
        assert.deepEqual(ours(seen), [], what);
        all.push(...seen);
      }
      const framing = site.page(`<iframe src="${frame.page(`${WATCH}${body}<script>addEventListener("message", ({ source }) => source.postMessage((${told})(), "*"))</script>`)}"></iframe>`);
      await browser.tab().open(framing);
      const inFrame = () =>
        new Promise((done) => {
          addEventListener("message", ({ data }) => done(data), { once: true });
          frames[0]?.postMessage("?", "*");
        });
      const seen = /** @type {string[]} */ (
        await until(async () => {
          const now = /** @type {string[]} */ (await browser.tab().evaluate(inFrame));
          return now.some((line) => line.startsWith("mutation IMG title")) && now;
        }, { what: "the frame's first photo" })
      );
      assert.deepEqual(ours([...seen, ...site.sent]), []);
      // The policies were in force, and an address of ours would have been seen.
      assert.ok(site.sent.some((report) => report.includes(from)), "nothing was reported");
      await browser.tab().evaluate((address) => {
        const image = new Image();
        image.src = address;
        document.body.append(image);
      }, `${browser.origin}/content/placeholder.png`);
      await browser.tab().evaluate(() => void Object.assign(window, { seen: [] }));
      assert.notDeepEqual(ours(await browser.tab().evaluate(told)), []);
    });

    it("nor does the answer to a photo that a page's script or its worker fetches", async () => {
      const { site, photos } = hostile;
      site.put("/oncologist/worker.js", { body: BETWEEN, type: "text/javascript" });
      const tab = browser.tab();
      await tab.open(site.page(""));
      photos.clear();
      const said = await tab.evaluate(whence, photos.url(20));
      assert.equal(said.length, 6);
      assert.deepEqual(ours(said), []);
      const between = await tab.evaluate(async (...urls) => {
        await navigator.serviceWorker.register("/oncologist/worker.js");
        if (!navigator.serviceWorker.controller) await new Promise((done) => navigator.serviceWorker.addEventListener("controllerchange", done));
        await fetch(urls[0]).catch(() => {});
        for (const [i, src] of urls.entries()) {
          const image = Object.assign(new Image(), { crossOrigin: i > 0 ? "anonymous" : null, src });
          await new Promise((done) => (image.onload = image.onerror = done));
        }
        /** @type {Promise<string[]>} */
        const answer = new Promise((done) => (navigator.serviceWorker.onmessage = ({ data }) => done(data)));
        navigator.serviceWorker.controller?.postMessage("?");
        return answer;
      }, photos.url(21), photos.url(22));
      // Firefox answers before the worker is asked.
      assert.equal(between.length > 0, name === "chromium");
      assert.deepEqual(ours(between), []);
      assert.equal(photos.strangers(), 0);
      await tab.evaluate(async () => (await navigator.serviceWorker.getRegistration())?.unregister());
    });
  });
}
