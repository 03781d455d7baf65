/** The first call of a Go program that does nothing. */

import { onWake } from "./worker.js";

onWake(async () => {
  const go = new Go();
  const { instance } = await WebAssembly.instantiateStreaming(fetch(chrome.runtime.getURL("wasm/empty.wasm")), go.importObject);
  void go.run(instance);
  return /** @type {any} */ (instance.exports).answer();
});
