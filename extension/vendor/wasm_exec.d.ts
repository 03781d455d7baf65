// wasm_exec.js is Go's own loader, copied from the Go release that built the
// modules; this says what of it is used.
export {};

declare global {
  class Go {
    importObject: WebAssembly.Imports;
    /** Starts main; settles when the program ends, which for our modules is a failure. */
    run(instance: WebAssembly.Instance): Promise<void>;
  }
}
