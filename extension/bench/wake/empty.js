/** The first call of a Go program that does nothing. */

import { onWake } from "./worker.js";

onWake(async () => {
  const response = await fetch(chrome.runtime.getURL("wasm/empty.wasm"));
  const go = new Go();
  const { instance } = await WebAssembly.instantiate(await response.arrayBuffer(), go.importObject);
  void go.run(instance);
  return /** @type {any} */ (instance.exports).answer();
});
