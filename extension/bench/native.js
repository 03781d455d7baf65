/** Native Go: how long its decisions take, and whether WebAssembly answers alike. */

import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * @typedef {object} Measured by `go test -bench`, an operation a request
 * @property {number} ns
 * @property {number} bytes
 * @property {number} allocations
 * @property {number} stopped
 */

/**
 * Paravent and urlfilter, AdGuard's engine in Go.
 * @param {{corpus: string, list: string, bundle: string}} files
 * @returns {Record<string, Measured>}
 */
export function measureNative({ corpus, list, bundle }) {
  const output = execFileSync("go", ["test", "-run", "^$", "-bench", "Requests", "-benchmem", "./wasm/match"], {
    cwd: ROOT,
    encoding: "utf8",
    env: { ...process.env, PARAVENT_CORPUS: corpus, PARAVENT_LIST: list, PARAVENT_BUNDLE: bundle },
  });
  return Object.fromEntries([...output.matchAll(/^BenchmarkRequests\/(\w+)\S*\s+\d+\s+(.*)$/gm)].map(([, name, figures]) => {
    /** @type {(unit: string) => number} */
    const figure = (unit) => Number(new RegExp(`([\\d.]+) ${unit}`).exec(figures)?.[1]);
    return [name, { ns: figure("ns/op"), bytes: figure("B/op"), allocations: figure("allocs/op"), stopped: figure("stopped") }];
  }));
}

/**
 * @param {string} bundle
 * @param {import("./requests.js").Request[]} requests
 * @returns {number} how many answers of `paravent check` are others in WebAssembly, leaks looked for
 */
export function unlikeNative(bundle, requests) {
  const input = requests.map((request) => `${JSON.stringify({ ...request, leaks: true })}\n`).join("");
  /** @type {(file: string, args: string[]) => string[]} */
  const answers = (file, args) => execFileSync(file, args, { input, maxBuffer: 1 << 30, encoding: "utf8" }).split("\n");
  const native = answers(`${ROOT}dist/bin/paravent`, ["check", "-bundle", bundle]);
  const ours = answers(process.execPath, [`${ROOT}extension/tools/check.js`, "--bundle", bundle]);
  return ours.filter((line, i) => line !== native[i]).length;
}
