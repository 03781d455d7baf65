import assert from "node:assert/strict";
import { test } from "node:test";

/** @type {((tabId: number) => void)[]} */
const closing = [];
const event = { addListener: () => {} };
Object.assign(globalThis, {
  chrome: {
    runtime: { getURL: () => "chrome-extension://own/" },
    webRequest: { onResponseStarted: event },
    webNavigation: { onCommitted: event, onHistoryStateUpdated: event },
    tabs: { onRemoved: { addListener: closing.push.bind(closing) }, get: async () => ({ incognito: true }) },
  },
});
const { followPages } = await import("./pages.js");
const { isPrivate } = await import("./private-tabs.js");

test("a tab that is closed is none that the browser is told anything of, also while that is asked", async () => {
  followPages(() => {}, () => {}, () => {});
  const close = (/** @type {number} */ tabId) => closing.forEach((told) => told(tabId));
  assert.equal(await isPrivate(1), true);
  close(1);
  await assert.rejects(isPrivate(1), /tab 1 is closed/);
  const asked = isPrivate(2);
  close(2);
  await assert.rejects(asked, /tab 2 is closed/);
});
