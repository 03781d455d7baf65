/**
 * Pages that a browser keeps from every extension, whatever access it has: its
 * maker's shop for extensions, and what belongs to that. Nothing can be stopped
 * there, and nothing seen.
 */

import { isFirefox } from "./api.js";

/** Firefox: its preference extensions.webextensions.restrictedDomains. Hosts, exactly. */
const FIREFOX = [
  "accounts-static.cdn.mozilla.net", "accounts.firefox.com", "addons.cdn.mozilla.net", "addons.mozilla.org",
  "api.accounts.firefox.com", "content.cdn.mozilla.net", "discovery.addons.mozilla.org", "oauth.accounts.firefox.com",
  "profile.accounts.firefox.com", "support.mozilla.org", "sync.services.mozilla.com",
];

/** Chromium and what is made of it: the beginnings of addresses. */
const CHROMIUM = ["https://chromewebstore.google.com/", "https://chrome.google.com/webstore", "https://microsoftedge.microsoft.com/addons"];

/**
 * @param {string} url of a page
 * @param {boolean} [firefox] whether this is Firefox
 * @returns {boolean}
 */
export function isRestricted(url, firefox = isFirefox) {
  if (!firefox) return CHROMIUM.some((start) => url.startsWith(start));
  return URL.canParse(url) && FIREFOX.includes(new URL(url).hostname);
}
