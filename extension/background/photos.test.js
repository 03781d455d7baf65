import assert from "node:assert/strict";
import { test } from "node:test";
import { bringTo } from "./photos.js";

/** One event of a port, as browsers have it. */
function event() {
  /** @type {Set<(...args: any[]) => void>} */
  const listeners = new Set();
  return {
    listeners,
    addListener: listeners.add.bind(listeners),
    removeListener: listeners.delete.bind(listeners),
    hasListener: listeners.has.bind(listeners),
  };
}

test("nothing is kept of a page's port once the page is gone", () => {
  const port = { onMessage: event(), onDisconnect: event(), postMessage: () => {} };
  bringTo(/** @type {any} */ (port), /** @type {any} */ ({ id: 1 }));
  assert.equal(port.onMessage.listeners.size, 1);
  for (const gone of [...port.onDisconnect.listeners]) gone(port);
  // Firefox keeps a port, and all that it knows of its page, for as long as somebody listens to it.
  assert.equal(port.onMessage.listeners.size + port.onDisconnect.listeners.size, 0);
});
