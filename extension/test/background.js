/** Asks the extension's background as its own pages do. */

/* global chrome */

/** @typedef {import("./drive/driver.js").Browser} Browser */
/** @typedef {import("../background/settings.js").Settings} Settings */

/**
 * @typedef {object} Background
 * @property {(message: object) => Promise<any>} ask rejects with what the background refused
 * @property {() => Promise<Settings>} settings
 * @property {() => Promise<void>} close
 */

/**
 * @param {Browser} browser
 * @returns {Promise<Background>}
 */
export async function openBackground(browser) {
  const page = await browser.extensionPage("ui/options.html");
  // A page that is hidden before it has begun may be left standing by a browser that has just started.
  await page.waitFor(() => document.querySelector("main:not([aria-busy])") !== null, { what: "the options" });
  await browser.tab().front();
  const ask = async (/** @type {object} */ message) => {
    const answer = await page.evaluate((asked) => chrome.runtime.sendMessage(asked), message);
    if (typeof answer?.error === "string") throw new Error(answer.error);
    return answer;
  };
  return { ask, settings: () => ask({ type: "settings" }), close: page.close };
}
