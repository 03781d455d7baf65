/**
 * A Worker for bucket.test.js: it runs the Go tests of the bucket, compiled to
 * tests.wasm, beside a real binding, and answers with what they print.
 */

import "./wasm_exec.js";
import tests from "./tests.wasm";

export default {
  /**
   * @param {Request} _
   * @param {object} env
   */
  async fetch(_, env) {
    let output = "";
    const decoder = new TextDecoder();
    const { fs } = /** @type {{fs: {writeSync(file: number, bytes: Uint8Array): number}}} */ (/** @type {unknown} */ (globalThis));
    fs.writeSync = (_, bytes) => {
      output += decoder.decode(bytes, { stream: true });
      return bytes.length;
    };
    let code = -1;
    const go = Object.assign(new Go(), {
      argv: ["worker.test", "-test.v"],
      exit: (/** @type {number} */ number) => (code = number),
    });
    const instance = await WebAssembly.instantiate(tests, { ...go.importObject, workers: { ready() {} } });
    Object.assign(globalThis, { context: { env, ctx: {}, binding: {} } });
    await go.run(instance);
    return new Response(output, { status: code === 0 ? 200 : 500 });
  },
};
