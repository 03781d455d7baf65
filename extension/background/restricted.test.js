import assert from "node:assert/strict";
import test from "node:test";
import { isRestricted } from "./restricted.js";

test("pages where no extension may work are known", () => {
  for (const [url, firefox, chromium] of /** @type {[string, boolean, boolean][]} */ ([
    ["https://addons.mozilla.org/fr/firefox/", true, false],
    ["https://chromewebstore.google.com/detail/x", false, true],
    ["https://chrome.google.com/webstore/category", false, true],
    ["https://chrome.google.com/other", false, false],
    ["https://addons.mozilla.org.example/", false, false],
    ["https://booking.example/?from=https://addons.mozilla.org/", false, false],
    ["", false, false],
    ["no address", false, false],
  ])) {
    assert.equal(isRestricted(url, true), firefox, url);
    assert.equal(isRestricted(url, false), chromium, url);
  }
});
