/**
 * What an extension costs a page of a booking site that asks many third
 * parties: until it has loaded, and of the processors, all the browser's
 * processes together. The same page in turns in a browser without any
 * extension, in one with Paravent as it is packaged, and in one with each peer
 * that is at hand, on a fresh profile, as it comes from its makers.
 *
 * Half of the third parties are trackers that everybody lists, half are on no
 * list. All are answered here, by a proxy that is asked for every host, and
 * that counts who was asked at all.
 */

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { ROOT } from "../test/drive/demo.js";
import { sleep, until } from "../test/drive/driver.js";
import { listen } from "../test/drive/loopback.js";
import { installed } from "../test/popup.js";
import { BROWSERS, DRIVERS } from "../test/world.js";
import { quantile, turns } from "./measure.js";
import { cpuOf } from "./processes.js";

/** @typedef {import("../test/drive/driver.js").Browser} Browser */
/** @typedef {import("../test/world.js").Name} Name */

const SIZES = [20, 200, 1000];
const WARM = 2;
/** What a page's requests are written down with comes later than its load event, in milliseconds. */
const AFTERWARDS = 500;
/** A browser that has just started is ready when it uses less than this share of a processor for a while. */
const IDLE = 0.05;
const QUIET = 2000;

const SITE = "http://booking.test/oncologist/paris";
/** On the lists of all who are measured. */
const LISTED = [
  "cdn.taboola.com", "d.agkn.com", "x.bidswitch.net", "dsum.casalemedia.com", "static.criteo.net",
  "script.hotjar.com", "pixel.mathtag.com", "pixel.quantserve.com", "pixel.rubiconproject.com", "sb.scorecardresearch.com",
];
const UNLISTED = LISTED.map((_, i) => `part${i}.site-builder.example`);
/** What most third parties of a page are asked for. */
const KINDS = [
  (/** @type {string} */ url) => `<img src="${url}.png">`,
  (/** @type {string} */ url) => `<img src="${url}.gif">`,
  (/** @type {string} */ url) => `<script src="${url}.js" async></script>`,
  (/** @type {string} */ url) => `<script>fetch("${url}.json").catch(() => {})</script>`,
];
const PIXEL = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64");

/**
 * @typedef {object} Contender
 * @property {string} name
 * @property {string | null} extension its folder
 */

/**
 * @typedef {object} PageFigures
 * @property {string} browser
 * @property {string} name of the extension
 * @property {number} requests of the page to third parties
 * @property {number} load_ms from the navigation's start to the load event, the median
 * @property {number} load_ratio to no extension, the median of the rounds' own
 * @property {number} cpu_ms the median
 * @property {number} cpu_ratio
 * @property {number} listed of the trackers' requests that arrived, a page
 * @property {number} unlisted of the others
 */

/**
 * @param {string[]} peers folders of unpacked extensions, for one browser or another
 * @param {number} rounds
 * @returns {Promise<{figures: PageFigures[], without: string[]}>} without: which peers could not be loaded where, and why
 */
export async function measurePages(peers, rounds) {
  const web = await startWeb();
  /** @type {PageFigures[]} */
  const figures = [];
  /** @type {string[]} */
  const without = [];
  try {
    for (const browser of BROWSERS) {
      /** @type {Map<string, Browser>} */
      const browsers = new Map();
      try {
        for (const { name, extension } of await contenders(browser, peers, without)) {
          const started = await start(browser, extension, web.address).catch((error) => {
            if (!extension || !peers.includes(extension)) throw error;
            without.push(`${name} in ${browser}: ${error.message}`);
          });
          if (started) browsers.set(name, started);
        }
        for (const size of SIZES) {
          figures.push(...(await measureSize(browser, browsers, web, size, rounds)));
          console.log(`  ${browser}: pages of ${size} requests are measured`);
        }
      } finally {
        for (const started of browsers.values()) await started.kill();
      }
    }
  } finally {
    await web.close();
  }
  return { figures, without };
}

/**
 * @param {Name} browser
 * @param {string[]} peers
 * @param {string[]} without
 * @returns {Promise<Contender[]>}
 */
async function contenders(browser, peers, without) {
  /** @type {Contender[]} */
  const all = [{ name: "no extension", extension: null }, { name: "Paravent", extension: path.join(ROOT, "dist", browser) }];
  for (const extension of peers) {
    const { name, manifest } = await readExtension(extension);
    const why = unfit(browser, manifest);
    if (why) without.push(`${name} in ${browser}: ${why}`);
    else all.push({ name, extension });
  }
  return all;
}

/**
 * @param {string} folder
 * @returns {Promise<{name: string, manifest: any}>} with its version
 */
async function readExtension(folder) {
  const read = async (/** @type {string} */ file) => JSON.parse((await readFile(path.join(folder, file), "utf8")).replace(/^\uFEFF/, ""));
  const manifest = await read("manifest.json");
  const message = /^__MSG_(.*)__$/.exec(manifest.name)?.[1];
  const name = message ? (await read(`_locales/${manifest.default_locale}/messages.json`))[message].message : manifest.name;
  return { name: `${name} ${manifest.version}`, manifest };
}

/**
 * @param {Name} browser
 * @param {any} manifest
 * @returns {string} why it cannot be loaded, "" when it can
 */
function unfit(browser, { manifest_version: version, background = {}, browser_specific_settings: settings }) {
  if (browser === "chromium" && version < 3) return `is of Manifest V${version}, which this browser no longer loads`;
  if (browser === "chromium" && !background.service_worker) return "has no service worker, so it is made for another browser";
  if (browser === "firefox" && !settings?.gecko?.id) return "has no id for this browser, so it is made for another one";
  return "";
}

/**
 * @param {Name} name
 * @param {string | null} extension
 * @param {string} proxy
 * @returns {Promise<Browser>} once it has done what it does when it starts
 */
async function start(name, extension, proxy) {
  // The page is asked for as its address says, and not over TLS first.
  const browser = await DRIVERS[name].launch({ extension, proxy, prefs: { "dom.security.https_first": false } });
  try {
    if (extension?.startsWith(ROOT)) await installed(browser);
    let before = cpuOf(browser.pid);
    await until(
      async () => {
        const used = -before + (before = cpuOf(browser.pid));
        return used < IDLE * QUIET;
      },
      { timeout: 120_000, every: QUIET, what: "the browser to have started" },
    );
    return browser;
  } catch (error) {
    await browser.kill();
    throw error;
  }
}

/**
 * @param {Name} browser
 * @param {Map<string, Browser>} browsers by their extension's name
 * @param {Web} web
 * @param {number} size
 * @param {number} rounds
 * @returns {Promise<PageFigures[]>}
 */
async function measureSize(browser, browsers, web, size, rounds) {
  /** @typedef {{load: number, cpu: number, listed: number, unlisted: number}} Load */
  /** @type {Record<string, Load>[]} */
  const all = [];
  for (let round = 0; round < WARM + rounds; round++) {
    /** @type {Record<string, Load>} */
    const loads = {};
    for (const [name, one] of turns([...browsers], round)) {
      web.turnPage(size);
      await one.tab().front();
      const before = cpuOf(one.pid);
      await one.tab().open(SITE);
      await sleep(AFTERWARDS);
      const cpu = cpuOf(one.pid) - before;
      const load = await one.tab().evaluate(() => /** @type {PerformanceNavigationTiming} */ (performance.getEntriesByType("navigation")[0]).loadEventStart);
      loads[name] = { load, cpu, ...web.arrived };
    }
    if (round >= WARM) all.push(loads);
  }
  const median = (/** @type {(loads: Record<string, Load>) => number} */ of) => quantile(all.map(of).sort((a, b) => a - b), 0.5);
  return [...browsers.keys()].map((name) => ({
    browser,
    name,
    requests: size,
    load_ms: median((loads) => loads[name].load),
    load_ratio: median((loads) => loads[name].load / loads["no extension"].load),
    cpu_ms: median((loads) => loads[name].cpu),
    cpu_ratio: median((loads) => loads[name].cpu / loads["no extension"].cpu),
    listed: median((loads) => loads[name].listed),
    unlisted: median((loads) => loads[name].unlisted),
  }));
}

/**
 * Everybody on the web, behind one proxy.
 * @typedef {object} Web
 * @property {string} address of the proxy
 * @property {(size: number) => void} turnPage the site's page is another one from now on
 * @property {{listed: number, unlisted: number}} arrived of the page's third parties, so far
 * @property {() => Promise<void>} close
 */

/** @returns {Promise<Web>} */
async function startWeb() {
  let page = "";
  let turn = 0;
  const arrived = { listed: 0, unlisted: 0 };
  const server = createServer(({ url = "" }, answer) => {
    const asked = URL.canParse(url) ? new URL(url) : null;
    // Nothing is kept: every page is as new as the first.
    answer.setHeader("Cache-Control", "no-store");
    if (asked?.href === SITE) {
      answer.setHeader("Content-Type", "text/html").end(page);
      return;
    }
    if (!asked?.pathname.startsWith(`/${turn}/`)) {
      answer.writeHead(404).end();
      return;
    }
    arrived[asked.hostname.endsWith(".example") ? "unlisted" : "listed"]++;
    answer.setHeader("Access-Control-Allow-Origin", "*");
    if (url.endsWith(".js")) answer.setHeader("Content-Type", "text/javascript").end("1;");
    else if (url.endsWith(".json")) answer.setHeader("Content-Type", "application/json").end("{}");
    else answer.setHeader("Content-Type", "image/gif").end(PIXEL);
  });
  server.on("connect", (_, socket) => socket.end("HTTP/1.1 502 Bad Gateway\r\n\r\n"));
  const { port, close } = await listen(server);
  return {
    address: `127.0.0.1:${port}`,
    arrived,
    turnPage: (size) => {
      turn++;
      Object.assign(arrived, { listed: 0, unlisted: 0 });
      const asked = Array.from({ length: size }, (_, i) => {
        const hosts = i % 2 ? LISTED : UNLISTED;
        const pair = i >> 1;
        return KINDS[pair % KINDS.length](`http://${hosts[pair % hosts.length]}/${turn}/${i}`);
      });
      page = `<!doctype html><title>Oncologists in Paris</title><link rel="icon" href="data:,">${asked.join("\n")}`;
    },
    close,
  };
}
