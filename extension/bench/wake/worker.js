/** A background that does one thing when it is woken, for wake.js to time. */

import "../../vendor/wasm_exec.js";

/** @param {() => Promise<unknown>} first what it does */
export function onWake(first) {
  chrome.runtime.onMessage.addListener((_message, _sender, answer) => {
    const start = performance.now();
    void first().then((what) => answer({ what, ms: performance.now() - start, born: performance.timeOrigin }));
    return true;
  });
}
