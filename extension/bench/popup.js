/**
 * How long the popup takes on a page that has asked for thousands of things:
 * the browser's own popup, and the same page in a tab, from the call that opens
 * it until it says how the site is protected. In turns with a page of the same
 * extension that has one short sentence: that much is the browser's part.
 */

/* global chrome */
import { mkdir, realpath, writeFile } from "node:fs/promises";
import path from "node:path";
import { extensionId } from "../test/drive/chromium.js";
import { sleep, until } from "../test/drive/driver.js";
import { startHost } from "../test/drive/host.js";
import { installed, openPopup } from "../test/popup.js";
import { BROWSERS, createWorld } from "../test/world.js";
import { quantile, turns } from "./measure.js";

const REQUESTS = 5000;
const WARM = 3;
const ROUNDS = 15;
/** A popup that was closed is still going for a while, in milliseconds. */
const GOING = 400;

/**
 * @typedef {object} PopupFigures medians, in milliseconds
 * @property {string} browser
 * @property {"popup" | "tab"} where
 * @property {number} shown_ms from the call until the popup says how it stands
 * @property {number} empty_ms the same for a page with one sentence
 * @property {number} ratio the median of the rounds' own
 */

/** What lies beside the packaged pages. */
const PAGES = {
  "empty.html": '<!doctype html><html lang="en"><meta charset="utf-8"><title>empty</title><main aria-busy="true"></main><script src="empty.js"></script>',
  "empty.js": 'const main = document.querySelector("main"); main.textContent = "Protected"; main.removeAttribute("aria-busy");',
  "watch.html": '<!doctype html><title>watch</title><script src="watch.js"></script>',
  // Timers of a page in the background are slow; those of a worker are not.
  "watch.js": 'self.clock = new Worker("clock.js");',
  "clock.js": "setInterval(() => postMessage(null), 4);",
};

/** @returns {Promise<PopupFigures[]>} */
export async function measurePopup() {
  const world = await createWorld();
  const { analytics, ads, errors } = world.demo.recipients;
  const page = busyPage([analytics, ads, errors]);
  const site = await startHost("booking.localhost", (request, response) => {
    response.setHeader("Content-Type", "text/html").end(request.url === "/oncologist/paris" ? page : "");
  });
  try {
    /** @type {PopupFigures[]} */
    const figures = [];
    for (const name of BROWSERS) {
      const extension = await world.extension(name);
      for (const [file, text] of Object.entries(PAGES)) await writeFile(path.join(extension, "ui", file), text);
      const profile = path.join(world.dir, `profile-${name}`);
      if (name === "chromium") await pin(profile, await extensionId(await realpath(extension)));
      const browser = await world.launch(name, { extension, profile });
      await installed(browser);
      const tab = browser.tab();
      await tab.front();
      await tab.open(`${site.origin}/oncologist/paris`);
      const id = await browser.tabId(tab);
      const popup = await openPopup(browser, tab);
      const isRecorded = async () => {
        const total = (await popup.state()).record?.total;
        return total && total.block + total.allow >= REQUESTS;
      };
      await until(isRecorded, { timeout: 240_000, what: `${REQUESTS} requests` });
      await popup.close();
      const watch = await browser.extensionPage("ui/watch.html");
      for (const where of /** @type {const} */ (["popup", "tab"])) {
        const pages = { shown: where === "tab" ? `ui/popup.html?tab=${id}` : "ui/popup.html", empty: "ui/empty.html" };
        /** @type {{shown: number, empty: number}[]} */
        const rounds = [];
        for (let round = 0; round < WARM + ROUNDS; round++) {
          const times = { shown: 0, empty: 0 };
          for (const which of /** @type {(keyof typeof pages)[]} */ (turns(["shown", "empty"], round))) {
            times[which] = await watch.evaluate(timed, where, pages[which], id);
            await sleep(GOING);
          }
          if (round >= WARM) rounds.push(times);
        }
        const median = (/** @type {(times: typeof rounds[0]) => number} */ of) => quantile(rounds.map(of).sort((a, b) => a - b), 0.5);
        figures.push({
          browser: name,
          where,
          shown_ms: median(({ shown }) => shown),
          empty_ms: median(({ empty }) => empty),
          ratio: median(({ shown, empty }) => shown / empty),
        });
      }
      await browser.kill();
    }
    return figures;
  } finally {
    await site.close();
    await world.close();
  }
}

/**
 * Puts the extension's button into Chromium's toolbar, as users do: from the
 * menu it would first move there, for a quarter of a second.
 * @param {string} profile
 * @param {string} id
 */
async function pin(profile, id) {
  await mkdir(path.join(profile, "Default"), { recursive: true });
  await writeFile(path.join(profile, "Default", "Preferences"), JSON.stringify({ extensions: { pinned_extensions: [id] } }));
}

/**
 * A page that asks listed recipients, and others beside them, for thousands of things.
 * @param {string[]} listed origins
 */
function busyPage(listed) {
  return `<!doctype html><title>busy</title><link rel="icon" href="data:,"><script type="module">
    const listed = ${JSON.stringify(listed)};
    for (let i = 0; i < ${REQUESTS}; ) {
      const asked = [];
      for (let end = i + 100; i < end; i++) {
        const host = i % 5 > 0 ? listed[i % 3] : "http://other" + i % 40 + ".localhost:" + location.port;
        asked.push(fetch(host + "/e?n=" + i + (i % 5 > 0 ? "&page=" + encodeURIComponent(location.href) : ""), { mode: "no-cors" }));
      }
      await Promise.allSettled(asked);
    }
  </script>`;
}

/**
 * Opens a page of the extension, and closes it. Runs in watch.html.
 * @param {"popup" | "tab"} where
 * @param {string} page
 * @param {number} front tab that it is opened before
 * @returns {Promise<number>} milliseconds until it has something to say
 */
async function timed(where, page, front) {
  const { clock } = /** @type {any} */ (globalThis);
  /**
   * @template T
   * @param {() => T} check
   * @returns {Promise<NonNullable<T>>} what it finds, once it finds something
   */
  const found = (check) =>
    new Promise((done) => {
      clock.onmessage = () => {
        const got = check();
        if (!got) return;
        clock.onmessage = null;
        done(got);
      };
    });
  const url = chrome.runtime.getURL(page);
  const view = () => chrome.extension.getViews({ type: where }).find(({ location }) => location.href === url);
  await chrome.tabs.update(front, { active: true });
  if (where === "popup") await chrome.action.setPopup({ popup: url });
  const start = performance.now();
  /** @type {Promise<unknown>} */
  const opening = where === "popup" ? chrome.action.openPopup() : chrome.tabs.create({ url });
  // It settles when all has come, or fails before.
  const failing = opening.then(() => new Promise(() => {}));
  const main = await Promise.race([found(() => view()?.document.querySelector("main")), failing]);
  if (main.hasAttribute("aria-busy")) await new Promise((done) => new MutationObserver(done).observe(main, { attributeFilter: ["aria-busy"] }));
  const time = performance.now() - start;
  view()?.close();
  await found(() => !view());
  return time;
}
