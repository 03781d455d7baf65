/** The same measuring in headless Chromium, on a page served on loopback. */

import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { launch } from "../test/drive/chromium.js";
import { listen } from "../test/drive/loopback.js";

/** @typedef {import("./measure.js").Plan} Plan */

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PACKAGED = fileURLToPath(new URL("../../dist/chromium/", import.meta.url));

/** What the peers are called where they are imported, and here. */
const PEERS = {
  "ubo-core": "@gorhill/ubo-core",
  ghostery: "@ghostery/adblocker",
  tsurlfilter: "@adguard/tsurlfilter",
};

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

/**
 * What ubo-core takes from Node. All that it does here is to turn names of the
 * suffix list into ASCII.
 * @type {import("esbuild").Plugin}
 */
const fromNode = {
  name: "from node",
  setup(builder) {
    builder.onResolve({ filter: /^(fs|module|path|url|util)$/ }, ({ path }) => ({ path, namespace: "node" }));
    builder.onLoad({ filter: /./, namespace: "node" }, () => ({
      contents: `
        export const { TextDecoder, TextEncoder } = globalThis;
        export const domainToASCII = (name) => new URL("http://" + name.replace("*.", "")).hostname.replace(/^/, name.startsWith("*.") ? "*." : "");
        export const fileURLToPath = String, dirname = String, resolve = String, readFileSync = String, createRequire = String;`,
    }));
  },
};

/**
 * A package as one file.
 * @param {string} name
 * @returns {Promise<Uint8Array>}
 */
async function pack(name) {
  const { outputFiles } = await build({
    stdin: { contents: `export * from ${JSON.stringify(name)};`, resolveDir: HERE },
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "esnext",
    logLevel: "error",
    plugins: [fromNode],
  });
  return outputFiles[0].contents;
}

/**
 * @param {Map<string, Uint8Array | string>} files by their address's path; what is not there is read from the packaged extension or from here
 * @returns {Promise<{origin: string, close: () => Promise<void>}>}
 */
async function serve(files) {
  const server = createServer(async ({ url = "/" }, response) => {
    try {
      const body = files.get(url) ?? (await readFile(url.startsWith("/bench/") ? path.join(HERE, path.basename(url)) : path.join(PACKAGED, url)));
      response.writeHead(200, {
        "content-type": TYPES[/** @type {keyof typeof TYPES} */ (path.extname(url) || ".html")] ?? "application/octet-stream",
        // An isolated page has a clock of 5 µs, another one of 100 µs.
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-embedder-policy": "require-corp",
      });
      response.end(body);
    } catch (error) {
      response.writeHead(404).end(String(error));
    }
  });
  const { port, close } = await listen(server);
  return { origin: `http://127.0.0.1:${port}`, close };
}

/**
 * @param {Map<string, Uint8Array>} serialized the engines, and what they load
 * @param {import("./requests.js").Request[]} requests
 * @param {string} suffixes the public suffix list
 * @param {Plan} plan
 */
export async function measureInChromium(serialized, requests, suffixes, plan) {
  const imports = Object.fromEntries(Object.entries(PEERS).map(([name, bare]) => [bare, `/peers/${name}.js`]));
  /** @type {Map<string, Uint8Array | string>} */
  const files = new Map([
    // The extension's modules would take Chromium's own chrome object for the extension API.
    ["/", `<!doctype html><meta charset="utf-8"><link rel="icon" href="data:,"><title>bench</title>
      <script>delete globalThis.chrome</script>
      <script type="importmap">${JSON.stringify({ imports })}</script>
      <script src="/vendor/wasm_exec.js"></script>`],
    ["/data/requests.json", JSON.stringify(requests)],
    ["/data/suffixes", suffixes],
  ]);
  for (const [name, bytes] of serialized) files.set(`/data/${name}`, bytes);
  await Promise.all(Object.entries(PEERS).map(async ([name, bare]) => files.set(`/peers/${name}.js`, await pack(bare))));
  const server = await serve(files);
  const browser = await launch({ url: `${server.origin}/`, args: ["--js-flags=--expose-gc"] });
  try {
    const tab = browser.tab();
    await tab.open(`${server.origin}/`);
    // The page says when it is done: a single call would outlast the driver's patience.
    await tab.evaluate((names, plan) => {
      const page = "/bench/page.js";
      /** @type {any} */ (globalThis).done = import(page)
        .then(({ run }) => run(names, plan))
        .then((figures) => ({ figures }), (error) => ({ error: String(error.stack ?? error) }))
        .then((outcome) => Object.assign(globalThis, { outcome }));
    }, [...serialized.keys()], plan);
    await tab.waitFor(() => "outcome" in globalThis, { timeout: 900_000, what: "the page's figures" });
    const { figures, error } = await tab.evaluate(() => /** @type {any} */ (globalThis).outcome);
    if (error) throw new Error(`in Chromium: ${error}`);
    return { version: browser.version, engines: /** @type {Awaited<ReturnType<typeof import("./page.js").run>>} */ (figures) };
  } finally {
    await browser.close();
    await server.close();
  }
}
