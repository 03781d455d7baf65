/**
 * The extension's popup, as a page of its own: what it shows and what it knows.
 */

/* global chrome */
import { until } from "./drive/driver.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */
/** @typedef {import("./drive/driver.js").Tab} Tab */
/** @typedef {import("../background/tab-state.js").TabState} TabState */

/**
 * @typedef {object} Popup
 * @property {Tab} page
 * @property {() => Promise<TabState>} state what the background tells it
 * @property {() => Promise<void>} unfold opens all that is folded
 * @property {() => Promise<string>} text what a person reads there who has unfolded it all
 * @property {() => Promise<void>} close brings the tab that it is about to the front again
 */

/**
 * Opens the popup that belongs to a tab.
 *
 * @param {Browser} browser
 * @param {Tab} tab
 * @returns {Promise<Popup>}
 */
export async function openPopup(browser, tab) {
  const id = await browser.tabId(tab);
  const popup = popupOn(await browser.extensionPage(`ui/popup.html?tab=${id}`), id);
  return {
    ...popup,
    close: async () => {
      await popup.close();
      await tab.front();
    },
  };
}

/**
 * @param {Tab} page
 * @param {number} id of the tab that the popup is about
 * @returns {Popup}
 */
function popupOn(page, id) {
  return {
    page,
    state: () =>
      page.evaluate(async (tabId) => {
        const state = await chrome.runtime.sendMessage({ type: "state", tabId });
        if (!state || state.error) throw new Error(`the background answers ${JSON.stringify(state)}`);
        return state;
      }, id),
    unfold: () => page.evaluate(unfold),
    text: async () => {
      await page.evaluate(unfold);
      return page.evaluate(() => document.body.innerText);
    },
    close: page.close,
  };
}

/** Opens what is folded, and what was folded in it. Runs in the page. */
async function unfold() {
  /** @returns {HTMLDetailsElement | null} */
  const folded = () => document.querySelector("details:not([open])");
  for (let one = folded(); one; one = folded()) {
    const opened = new Promise((done) => one?.addEventListener("toggle", done, { once: true }));
    one.open = true;
    await opened;
  }
}

/**
 * The patient wants photos: says so in the popup of a page that has some.
 *
 * @param {Browser} browser
 * @param {string} address of the page
 */
export async function wantPhotos(browser, address) {
  const tab = browser.tab();
  await tab.front();
  await tab.open(address);
  const popup = await openPopup(browser, tab);
  await popup.page.waitFor(() => document.querySelector("#photos:not([hidden]) #photos-yes:not([hidden])"), { what: "the question about photos" });
  await popup.page.click("#photos-yes");
  await until(async () => (await popup.state()).photos.consent === "granted", { what: "the answer about photos" });
  await popup.close();
}

/**
 * Waits until a fresh install has its list in force and, in Chromium, its rules
 * written: a patient does not book in the second in which the extension is
 * installed.
 *
 * @param {Browser} browser
 * @param {(state: TabState) => unknown} [also] a further condition
 */
export async function installed(browser, also = () => true) {
  const page = await browser.extensionPage("ui/popup.html");
  const popup = popupOn(page, await page.evaluate(async () => (await chrome.tabs.getCurrent())?.id ?? -1));
  try {
    await until(
      async () => {
        const state = await popup.state();
        return state.list && state.problems.rules === "" && also(state);
      },
      { timeout: 60_000, every: 100, what: "the extension to be ready" },
    ).catch(async (error) => {
      const state = await popup.state().catch((why) => String(why));
      throw new Error(`${error.message}; it says ${JSON.stringify(state)}`);
    });
  } finally {
    await popup.close();
  }
}
