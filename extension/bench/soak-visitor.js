/**
 * A patient of a soak, in one browser: opens a tab, searches, looks at the
 * photos, opens a doctor's page, closes the tab, and now and then changes the
 * site's mode. Notes how long things take and what the extension holds.
 */

/* global chrome */
import { sleep, until } from "../test/drive/driver.js";
import { openBackground } from "../test/background.js";
import { installed, wantPhotos } from "../test/popup.js";
import { quantile } from "./measure.js";
import { residentOf } from "./processes.js";

/** A patient looks at a page for a moment, in milliseconds. */
const PACE_MS = 2000;
/** What is held is looked at so often. */
const LOOK_MS = 5000;
/** What a page did is written down within this time. */
const WRITTEN_MS = 500;
/** A photo that has not come by then is lost. */
const PATIENCE = 60_000;
/** What is looked at for the first time is looked at again after so long, until all photos are there. */
const FIRST_MS = 10_000;
/** Requests of a kind, one after the other. */
const ASKED = 9;
/** Of so many visits, one is in another mode. */
const MODES_EVERY = 6;
const OTHER_MODES = ["strict", "watch", "off"];
/** On a page of results. */
const DOCTORS = 8;

const SITE = "booking.localhost";
const SPECIALTIES = ["oncologist", "rheumatologist", "psychiatrist", "gynaecologist", "dermatologist"];
const CITIES = ["paris", "lyon", "strasbourg", "marseille", "lille", "bordeaux"];
/** What carries the page's address to a stranger. */
const FORMS = ["u", "dl"];

/** @typedef {import("../test/drive/driver.js").Tab} Tab */

/** @param {number} i of a visit: every specialty comes with every city */
const pathOf = (i) => `/${SPECIALTIES[i % SPECIALTIES.length]}/${CITIES[i % CITIES.length]}`;

export class Visitor {
  #browser;
  #demo;
  #stranger;
  #background;
  #looked = 0;
  /** @type {(import("../test/drive/driver.js").Memory & {at: number, session: number, resident: number})[]} */
  memory = [];
  /** Milliseconds. @type {{at: number, decision: number, answer: number, photos: number}[]} */
  times = [];
  count = { visits: 0, shown: 0, lost: 0, listed: 0, leaks: 0, leaked: 0, forms: FORMS.length };
  /** Where photos were lost, and what the extension says of it. @type {string[]} */
  losses = [];
  /** Why visits broke off. @type {string[]} */
  broken = [];

  /**
   * @param {import("../test/drive/driver.js").Browser} browser
   * @param {import("../test/drive/demo.js").Demo} demo
   * @param {import("../test/drive/host.js").Host} stranger
   * @param {import("../test/background.js").Background} background
   */
  constructor(browser, demo, stranger, background) {
    this.#browser = browser;
    this.#demo = demo;
    this.#stranger = stranger;
    this.#background = background;
    this.name = browser.name;
  }

  /**
   * @param {import("../test/drive/driver.js").Browser} browser
   * @param {import("../test/drive/demo.js").Demo} demo
   * @param {import("../test/drive/host.js").Host} stranger
   */
  static async come(browser, demo, stranger) {
    await installed(browser);
    await wantPhotos(browser, `${demo.site}/oncologist/paris`);
    // A server that looks for races draws a portrait so slowly that the gateway
    // may give up. What it has drawn, it keeps.
    for (let i = 0; i < SPECIALTIES.length * CITIES.length; i++) {
      const address = `${demo.site}${pathOf(i)}`;
      const areThere = async () => {
        await browser.tab().open(address);
        return (await browser.tab().evaluate(photosOf, DOCTORS, FIRST_MS)).lost === 0;
      };
      await until(areThere, { timeout: 4 * PATIENCE, what: `all photos of ${address}` });
    }
    await browser.tab().open("about:blank");
    return new Visitor(browser, demo, stranger, await openBackground(browser));
  }

  /** @param {() => boolean} goesOn */
  async stay(goesOn) {
    for (let i = 0; goesOn(); i++) {
      const next = Date.now() + PACE_MS;
      try {
        await this.#visit(i);
        this.count.visits++;
        if (Date.now() - this.#looked > LOOK_MS) await this.#look();
      } catch (error) {
        this.broken.push(`visit ${i}: ${error instanceof Error ? error.message : error}`);
        // At once: a run that is ended early has said what went wrong in it.
        console.log(`${this.name}, ${new Date().toISOString()}: ${this.broken.at(-1)}`);
        // The page that asks the background may have gone down with it.
        this.#background = await openBackground(this.#browser).catch(() => this.#background);
      }
      await sleep(Math.max(0, next - Date.now()));
    }
  }

  /** @param {number} i */
  async #visit(i) {
    const other = i % MODES_EVERY === MODES_EVERY - 1 ? OTHER_MODES[Math.floor(i / MODES_EVERY) % OTHER_MODES.length] : "";
    if (other) await this.#background.ask({ type: "mode", site: SITE, mode: other });
    const address = `${this.#demo.site}${pathOf(i)}?visit=${i}`;
    const tab = await this.#browser.newTab();
    try {
      const begun = Date.now();
      await tab.open(address);
      if (other) return;
      const { shown, lost } = await named("photos", tab.evaluate(photosOf, DOCTORS, PATIENCE));
      const photos = Date.now() - begun;
      this.count.shown += shown;
      this.count.lost += lost;
      if (lost) {
        const state = await this.#background.ask({ type: "state", tabId: await this.#browser.tabId(tab) });
        this.losses.push(`${lost} of ${address}, of which the extension says ${JSON.stringify(state.record?.photos)}`);
      }
      const { decision, passed } = await named("listed requests", tab.evaluate(listedAsked, `${this.#demo.recipients["ads"]}/tr?id=${this.name}${i}`, ASKED));
      this.count.listed += passed;
      await named("a leak", this.#leak(tab, i));
      const asked = performance.now();
      await named("the background's answer", this.#background.ask({ type: "visits" }));
      this.times.push({ at: Date.now(), decision: quantile(decision.sort((a, b) => a - b), 0.5), answer: performance.now() - asked, photos });
      await tab.click(".results a[href*='/doctor/']");
      await tab.waitFor(() => document.documentElement.dataset["page"] === "doctor", { what: "a doctor's page" });
    } finally {
      await tab.close();
      if (other) await this.#background.ask({ type: "mode", site: SITE, mode: "protect" });
    }
  }

  /**
   * @param {Tab} tab
   * @param {number} i
   */
  async #leak(tab, i) {
    const mark = `${this.name}-${i}`;
    const before = this.#stranger.asked.length;
    await tab.evaluate(
      (url) => fetch(`${url}${encodeURIComponent(location.href)}`, { mode: "no-cors" }).then(() => {}, () => {}),
      `${this.#stranger.origin}/${mark}?${FORMS[i % FORMS.length]}=`,
    );
    this.count.leaks++;
    this.count.leaked += this.#stranger.asked.slice(before).filter((asked) => asked.includes(`/${mark}?`)).length;
  }

  async #look() {
    await sleep(WRITTEN_MS);
    const memory = await named("the background's memory", this.#browser.backgroundMemory());
    const session = await named("storage.session", this.#browser.extension(() => chrome.storage.session.getBytesInUse(null)));
    this.#looked = Date.now();
    if (memory) this.memory.push({ ...memory, at: Date.now(), session, resident: residentOf(this.#browser.pid) });
  }
}

/**
 * @template T
 * @param {string} what an error is about
 * @param {Promise<T>} job
 * @returns {Promise<T>}
 */
async function named(what, job) {
  try {
    return await job;
  } catch (error) {
    throw new Error(`${what}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

/**
 * Scrolls until all photos are there. Runs in the page.
 * @param {number} count
 * @param {number} patience
 */
async function photosOf(count, patience) {
  const isShown = (/** @type {HTMLImageElement} */ image) =>
    // What stands in for a photo is 128 pixels wide.
    image.complete && image.naturalWidth > 1 && image.naturalWidth !== 128 && /^(blob|data):/.test(image.currentSrc);
  for (const end = performance.now() + patience; ; await new Promise((done) => setTimeout(done, 20))) {
    const images = /** @type {HTMLImageElement[]} */ ([...document.querySelectorAll("img[data-photo]")]);
    const missing = images.find((image) => !isShown(image));
    const shown = images.filter(isShown).length;
    if (shown === count || performance.now() > end) return { shown, lost: count - shown };
    missing?.scrollIntoView({ block: "center", behavior: "instant" });
  }
}

/**
 * Asks a listed host. Runs in the page.
 * @param {string} url
 * @param {number} count
 */
async function listedAsked(url, count) {
  const decision = [];
  let passed = 0;
  for (let i = 0; i < count; i++) {
    const begun = performance.now();
    passed += await fetch(`${url}&n=${i}`, { mode: "no-cors" }).then(() => 1, () => 0);
    decision.push(performance.now() - begun);
  }
  return { decision, passed };
}
