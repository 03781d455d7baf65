/**
 * Asks how it stands with the popup's tab, while all else is still on its way:
 * no module, since those wait for each other. popup.js takes the answer.
 */

{
  /** The tab that the address names; none: the one below the popup. */
  const named = new URLSearchParams(location.search).get("tab");
  const { browser = chrome } = /** @type {any} */ (globalThis);
  const tabId = named === null ? null : Number(named);
  const asked = browser.runtime.sendMessage({ type: "state", tabId });
  // Whoever waits for it hears of a failure.
  asked.catch(() => {});
  Object.assign(document, { tabId, asked });
}
