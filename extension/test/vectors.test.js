/**
 * The shared vectors in real browsers: a page really makes each request, and it
 * is seen at the other side whether it arrived. In Firefox the engine decides;
 * in Chromium it is the browser's own rules that let through or stop.
 */

/* global chrome */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { covering, hostOf, registrable } from "../background/domains.js";
import { vectors } from "../tools/vectors.js";
import { PATIENCE, sleep, until } from "./drive/driver.js";
import { createWired } from "./wired.js";

/** @typedef {import("../tools/vectors.js").Vector} Vector */
/** @typedef {import("./drive/driver.js").Browser} Browser */
/** @typedef {import("./drive/driver.js").Tab} Tab */

/** Firefox sends the ping of a link only to those who ask it to. */
const PREFS = { "browser.send_pings": true };

/** What a page need not be told of: it sends and forgets. */
const FORGOTTEN = ["ping", "beacon", "csp_report"];
/** How long what is forgotten is waited for where it must not arrive, in milliseconds. */
const FORGETS = 600;

/** @type {import("./wired.js").Wired} */
let wired;
before(async () => {
  wired = await createWired();
});
after(() => wired?.close());

const cases = await vectors();
const hosts = new Set(cases.map(({ url }) => hostOf(url)));
const made = cases.filter(({ browsers }) => browsers === undefined);

it("of every case that no page makes it is said why", () => {
  for (const { file, name, browsers } of cases) {
    assert.notEqual(browsers, "", `${file}: ${name}`);
  }
});

for (const name of /** @type {const} */ (["chromium", "firefox"])) {
  describe(name, () => {
    /** @type {Browser} */
    let browser;
    /** A page of the extension, from which modes are chosen. @type {Tab} */
    let popup;
    /** By which the extension knows the tab. */
    let tabId = -1;
    /** Modes that were chosen. @type {Map<string, string>} */
    const chosen = new Map();

    before(async () => {
      browser = await wired.launch(name, PREFS);
      popup = await browser.extensionPage("ui/popup.html");
      await browser.tab().front();
      await browser.tab().open("https://www.booking.example/");
      tabId = await browser.tabId(browser.tab());
    });
    after(() => browser?.close());

    /** @param {Vector} vector */
    const choose = async ({ page, mode }) => {
      const host = hostOf(page);
      const site = covering(host, wired.domains) || registrable(host);
      if ((chosen.get(site) ?? (wired.domains.has(site) ? "protect" : "off")) === mode) return;
      const answer = await popup.evaluate((message) => chrome.runtime.sendMessage(message), { type: "mode", site, mode });
      assert.deepEqual(answer, {}, `${site} to mode ${mode}`);
      chosen.set(site, mode);
    };

    /**
     * Opens the page, lets it make the request, and waits for it.
     * @param {Vector} vector
     * @param {boolean} expected whether it is to arrive, which says how long to wait
     * @returns {Promise<string[]>} what arrived but the page itself
     */
    const ask = async ({ page, type, url, method, body, reason, dnr }, expected) => {
      const { wire } = wired;
      wire.headers = type === "csp_report" ? { "Content-Security-Policy": `img-src data:; report-uri ${url}` } : {};
      const tab = browser.tab();
      await tab.open(page);
      if (name === "chromium" && reason === "leak" && !dnr && !expected) await isGuarded(page);
      wire.arrived.length = 0;
      await tab.evaluate(make, type, url, method.toUpperCase(), typeof body === "string" ? body : [...body]);
      const end = Date.now() + (expected ? PATIENCE : FORGOTTEN.includes(type) ? FORGETS : 0);
      // What the browser asks for itself goes to hosts that no case names.
      const arrived = () => wire.arrived.filter(({ url: what }) => hosts.has(hostOf(what)));
      while (arrived().length === 0 && Date.now() < end) await sleep(10);
      return arrived().map(({ method: how, url: what }) => `${how} ${what}`);
    };

    /**
     * Waits until Chromium knows the page's address: this page has not come from far.
     * @param {string} page
     */
    const isGuarded = async (page) => {
      const spelled = encodeURIComponent(new URL(page).pathname);
      await until(
        async () => {
          const rules = await popup.evaluate(() => chrome.declarativeNetRequest.getSessionRules());
          return rules.some(({ condition }) => condition.urlFilter === spelled);
        },
        { what: `a rule for ${spelled}` },
      );
    };

    /** The hosts, with or without a path, that Chromium has been told to stop, on some site, until it is closed. */
    const stopped = () =>
      popup.evaluate(async () => {
        const rules = await chrome.declarativeNetRequest.getSessionRules();
        return JSON.stringify(rules.filter(({ condition }) => condition.requestDomains));
      });

    /**
     * What the popup has to say about it.
     * @param {Vector} vector
     * @param {string} action what became of it
     */
    const isTold = async ({ url, would, reason, mode }, action) => {
      // Who is not asked has nothing to tell: a rule of the browser's own that
      // stops more than the engine would, or a mode in which nobody looks.
      if ((would === "allow" && action !== "allow") || mode === "off") return;
      /** @returns {Promise<import("../background/record.js").HostRecord | undefined>} */
      const told = async () => {
        const { record } = await popup.evaluate((message) => chrome.runtime.sendMessage(message), { type: "state", tabId });
        return record.hosts[hostOf(new URL(url).href)];
      };
      if (would === "allow") {
        const { block = 0, relay = 0, would: wouldBe = 0, missed = 0 } = (await told()) ?? {};
        assert.deepEqual({ block, relay, wouldBe, missed }, { block: 0, relay: 0, wouldBe: 0, missed: 0 });
        return;
      }
      const { block, relay, would: passed, missed, reason: why } = await until(told, { what: "it to be told" });
      const outcome = mode === "watch" ? "would" : action === "allow" ? "missed" : action;
      assert.deepEqual({ block, relay, would: passed, missed, reason: why }, { block: 0, relay: 0, would: 0, missed: 0, [outcome]: 1, reason });
    };

    for (const vector of made) {
      const { dnr } = vector;
      const action = name === "chromium" && dnr ? dnr.action : vector.action;
      const label = action === vector.action ? action : `${action} instead of ${vector.action}: ${dnr?.why}`;
      it(`${vector.file}: ${vector.name}: ${label}`, async () => {
        await choose(vector);
        const asked = `${vector.method.toUpperCase()} ${sent(vector.url)}`;
        const isStoppedNext = name === "chromium" && vector.reason === "leak" && action === "allow" && vector.mode !== "watch";
        const before = isStoppedNext && (await stopped());
        const arrived = await ask(vector, action === "allow");
        if (action === "allow") assert.ok(arrived.includes(asked), `${asked} did not arrive, but ${arrived}`);
        else assert.deepEqual(arrived, []);
        await isTold(vector, action);
        if (isStoppedNext) {
          await until(async () => (await stopped()) !== before, { what: "its like to be stopped" });
          assert.deepEqual(await ask(vector, false), [], "its like arrived");
        }
      });
    }
  });
}

/**
 * An address as it comes out of a browser.
 * @param {string} url
 */
function sent(url) {
  const { protocol, host, pathname, search, href } = new URL(url);
  const query = search || (href.replace(/#.*/s, "").endsWith("?") ? "?" : "");
  return `${protocol}//${host}${pathname}${query}`;
}

/**
 * Makes a request as pages do. Runs in the page; settles when the page knows
 * what became of it.
 *
 * @param {string} type as webRequest names it
 * @param {string} url
 * @param {string} method
 * @param {string | number[]} content text or bytes
 */
async function make(type, url, method, content) {
  const body = content.length === 0 ? undefined : typeof content === "string" ? content : new Uint8Array(content);
  /** @param {string} tag @param {Record<string, string>} attributes @param {string} [done] another event */
  const element = (tag, attributes, done = "load") =>
    new Promise((resolve) => {
      const made = Object.assign(document.createElement(tag), attributes);
      for (const event of [done, "error"]) made.addEventListener(event, () => resolve(undefined));
      document.body.append(made);
    });
  const known = {
    script: () => element("script", { src: url }),
    image: () => element("img", { src: url }),
    imageset: () => element("img", { srcset: `${url} 1x` }),
    stylesheet: () => element("link", { rel: "stylesheet", href: url }),
    font: () => new FontFace("a font", `url(${JSON.stringify(url)})`).load(),
    object: () => element("object", { data: url, type: "image/svg+xml" }),
    media: () => element("audio", { src: url }, "loadeddata"),
    sub_frame: () => element("iframe", { src: url }),
    xmlhttprequest: () => fetch(url, { method, body, mode: /^(GET|HEAD|POST)$/.test(method) ? "no-cors" : "cors" }),
    ping: async () => {
      const link = Object.assign(document.createElement("a"), { href: "#here", ping: url });
      document.body.append(link);
      link.click();
    },
    beacon: async () => navigator.sendBeacon(url, body),
    websocket: () =>
      new Promise((resolve) => {
        const socket = new WebSocket(url);
        socket.onopen = socket.onerror = resolve;
      }),
    csp_report: () => element("img", { src: "https://forbidden.example/x" }),
  }[type];
  if (!known) throw new Error(`a page makes no request of type ${type}`);
  const late = new Promise((resolve) => setTimeout(resolve, 4000));
  await Promise.race([known().catch(() => {}), late]);
}
