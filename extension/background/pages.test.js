import assert from "node:assert/strict";
import { test } from "node:test";

/** @returns {{addListener: (listener: (...args: any[]) => void) => void, tell: (...args: any[]) => void}} an event of the browser's */
function event() {
  /** @type {((...args: any[]) => void)[]} */
  const listeners = [];
  return { addListener: (listener) => void listeners.push(listener), tell: (...args) => listeners.forEach((listener) => listener(...args)) };
}

const chrome = {
  runtime: { getURL: () => "chrome-extension://own/" },
  webRequest: { onResponseStarted: event() },
  webNavigation: { onCommitted: event(), onHistoryStateUpdated: event() },
  tabs: { onRemoved: event() },
};
Object.assign(globalThis, { chrome });
const { followPages, openPages } = await import("./pages.js");

test("what is told late of a tab that was closed begins nothing in it", () => {
  /** @type {string[]} */
  const heard = [];
  followPages(
    (tabId, url) => heard.push(`${tabId} begins ${url}`),
    (tabId, url) => heard.push(`${tabId} moves to ${url}`),
    (tabId) => heard.push(`${tabId} ends`),
  );
  const { webRequest, webNavigation, tabs } = chrome;
  const url = "https://booking.example/paris";
  webRequest.onResponseStarted.tell({ tabId: 1, url, statusCode: 200 });
  tabs.onRemoved.tell(1);
  webNavigation.onCommitted.tell({ tabId: 1, frameId: 0, url });
  webNavigation.onHistoryStateUpdated.tell({ tabId: 1, frameId: 0, url });
  webRequest.onResponseStarted.tell({ tabId: 1, url, statusCode: 200 });
  webNavigation.onCommitted.tell({ tabId: 2, frameId: 0, url });
  assert.deepEqual(heard, [`1 begins ${url}`, "1 ends", `2 begins ${url}`]);
  assert.deepEqual(openPages(), [{ tabId: 2, url }]);
});
