// What the Worker is made of besides entry.js: built, copied or written by
// whoever deploys it, and laid beside it in dist/worker.

declare module "*/wasm_exec.js";

declare module "*.wasm" {
  const module: WebAssembly.Module;
  export default module;
}

declare module "*.txt" {
  const text: string;
  export default text;
}
