/**
 * A third party learns a page's origin at most, whatever the page asks for.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { until } from "./drive/driver.js";
import { createWired } from "./wired.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */

/** By itself Firefox cuts what leaves a site: what is tested would not be seen. */
const PREFS = { "network.http.referer.disallowCrossSiteRelaxingDefault": false };

const SITE = "https://www.booking.example";
const PAGE = `${SITE}/oncologist/paris?insurance=private`;

/** Ways in which a page can ask for the whole address to be sent. */
const WAYS = {
  "a header": { headers: { "Referrer-Policy": "unsafe-url" }, body: "" },
  "another header": { headers: { "Referrer-Policy": "no-referrer, no-referrer-when-downgrade" }, body: "" },
  "a meta element": { headers: {}, body: '<meta name="referrer" content="unsafe-url">' },
  "every element's attribute": { headers: {}, body: "" },
};

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
      browser = await wired.launch(name, PREFS);
    });
    after(() => browser?.close());

    /**
     * What was sent as Referer by a page that asks for things in many ways.
     * @param {string} page
     * @param {keyof typeof WAYS} way
     * @param {string[]} hosts
     */
    const sent = async (page, way, hosts) => {
      const { wire } = wired;
      wire.headers = WAYS[way].headers;
      wire.body = WAYS[way].body;
      const tab = browser.tab();
      await tab.open(page);
      wire.arrived.length = 0;
      await tab.evaluate(askInManyWays, hosts, way === "every element's attribute");
      /** @param {string} host */
      const from = (host) => wire.arrived.filter(({ url }) => new URL(url).hostname === host);
      await until(() => hosts.every((host) => from(host).length >= 6), { what: "all requests to arrive" });
      return Object.fromEntries(hosts.map((host) => [host, from(host).map(({ headers }) => headers.referer ?? "")]));
    };

    for (const way of /** @type {(keyof typeof WAYS)[]} */ (Object.keys(WAYS))) {
      it(`asked for by ${way}, the address stays at home`, async () => {
        const { "fine.example": third, "cdn.booking.example": own } = await sent(PAGE, way, ["fine.example", "cdn.booking.example"]);
        assert.deepEqual(third?.filter((referer) => referer !== "" && referer !== `${SITE}/`), []);
        if (way !== "a header" && way !== "another header") {
          assert.ok(own?.every((referer) => referer === PAGE), `the site's own hosts were told ${own}`);
        }
      });
    }

    it("who needs to know the site is told its origin", async () => {
      const { "fine.example": third } = await sent(PAGE, "a meta element", ["fine.example"]);
      assert.deepEqual(new Set(third), new Set([`${SITE}/`]));
    });

    it("a page that sends no Referer sends none", async () => {
      const { wire } = wired;
      wire.headers = { "Referrer-Policy": "no-referrer" };
      wire.body = "";
      await browser.tab().open("https://www.booking.test/oncologist/paris");
      wire.arrived.length = 0;
      await browser.tab().evaluate(askInManyWays, ["fine.example"], false);
      await until(() => wire.arrived.length >= 6, { what: "all requests to arrive" });
      assert.deepEqual(new Set(wire.arrived.map(({ headers }) => headers.referer)), new Set([undefined]));
    });

    it("a frame of a third party reads the origin at most", async () => {
      const { wire } = wired;
      wire.headers = { "Referrer-Policy": "unsafe-url" };
      wire.body = "<script>addEventListener('message', ({ data }) => (document.title = data)); parent !== self && parent.postMessage(document.referrer, '*')</script>";
      const tab = browser.tab();
      await tab.open(PAGE);
      await tab.evaluate(() => {
        document.body.append(Object.assign(document.createElement("iframe"), { src: "https://fine.example/frame" }));
      });
      await tab.waitFor(() => document.title !== "a page", { what: "the frame to tell" });
      assert.equal(await tab.evaluate(() => document.title), `${SITE}/`);
    });

    it("other sites are left alone", async () => {
      const page = "https://www.news.example/oncologist/paris";
      const { "fine.example": third } = await sent(page, "a meta element", ["fine.example"]);
      assert.ok(third?.every((referer) => referer === page), `fine.example was told ${third}`);
    });
  });
}

/**
 * Runs in the page.
 * @param {string[]} hosts
 * @param {boolean} attributes
 */
async function askInManyWays(hosts, attributes) {
  const policy = attributes ? { referrerPolicy: "unsafe-url" } : {};
  for (const host of hosts) {
    const place = (/** @type {string} */ what) => `https://${host}/${what}?${Math.random()}`;
    for (const [tag, properties] of /** @type {[string, Record<string, string>][]} */ ([
      ["script", { src: place("script") }],
      ["img", { src: place("image") }],
      ["link", { rel: "stylesheet", href: place("style") }],
      ["iframe", { src: place("frame") }],
    ])) {
      const element = Object.assign(document.createElement(tag), policy, properties);
      document.body.append(element);
      // In turn, so that what the first one shows holds for the others.
      await new Promise((done) => (element.onload = element.onerror = done));
    }
    const options = /** @type {RequestInit} */ ({ mode: "no-cors", ...policy });
    await fetch(place("fetch"), options).catch(() => {});
    await fetch(place("post"), { ...options, method: "POST", body: "x" }).catch(() => {});
  }
}
