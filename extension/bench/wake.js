/**
 * From waking to the first decision in Chromium's service worker: the packaged
 * engine beside a Go program that does nothing, each in an extension of its own
 * whose worker is stopped before every turn.
 */

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cp, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";
import { program } from "../test/drive/driver.js";
import { quantile, turns } from "./measure.js";

const HERE = fileURLToPath(new URL("wake/", import.meta.url));
const PACKAGED = fileURLToPath(new URL("../../dist/chromium/", import.meta.url));
const TURNS = 40;
const WARM = 3;

const EMPTY = `package main

func main() { select {} }

//go:wasmexport answer
func answer() int32 { return 42 }
`;

/**
 * @typedef {object} Waking medians over many wakings, in milliseconds
 * @property {number} wake_ms from the message that wakes the worker to its answer
 * @property {number} work_ms of these, from the worker's getting the message on
 */

/** @typedef {{wake: number, ms: number, born: number}} Run born: when the worker began */

/** @returns {Promise<{paravent: Waking, empty: Waking, ratio: number, work_ratio: number}>} the ratios are the medians of the turns' ratios */
export async function measureWake() {
  const scratch = await realpath(await mkdtemp(path.join(tmpdir(), "paravent-wake-")));
  try {
    const folders = { paravent: path.join(scratch, "paravent"), empty: path.join(scratch, "empty") };
    await makeExtension(folders.paravent, "paravent", ["background", "vendor", "wasm", "lists"]);
    await makeExtension(folders.empty, "empty", ["vendor"]);
    const source = path.join(scratch, "empty.go");
    await writeFile(source, EMPTY);
    execFileSync("go", ["build", "-trimpath", "-ldflags=-s -w", "-o", path.join(folders.empty, "wasm", "empty.wasm"), source], {
      env: { ...process.env, GOOS: "js", GOARCH: "wasm" },
    });
    const browser = await puppeteer.launch({
      executablePath: program("CHROMIUM", "chromium"),
      pipe: true,
      args: [
        "--no-sandbox", // root in a container has no user namespaces
        "--disable-dev-shm-usage",
      ],
      enableExtensions: Object.values(folders),
      // A worker with a debugger attached is another worker.
      targetFilter: (target) => target.type() !== "service_worker",
    });
    try {
      /** @type {Record<string, import("puppeteer-core").Page>} */
      const pages = {};
      for (const [name, folder] of Object.entries(folders)) {
        pages[name] = await browser.newPage();
        await pages[name].goto(`chrome-extension://${idOf(folder)}/page.html`);
      }
      /** @type {Record<string, Run[]>} */
      const seen = { paravent: [], empty: [] };
      for (let turn = 0; turn < WARM + TURNS; turn++) {
        for (const name of turns(Object.keys(folders), turn)) {
          const debug = await pages[name].createCDPSession();
          await debug.send("ServiceWorker.enable");
          await debug.send("ServiceWorker.stopAllWorkers");
          await debug.detach();
          const waking = await pages[name].evaluate(async () => {
            const start = performance.now();
            const { what, ms, born } = await chrome.runtime.sendMessage("wake");
            return { what, ms, born, wake: performance.now() - start };
          });
          if (seen[name].at(-1)?.born === waking.born) throw new Error(`${name} was awake`);
          if (waking.what !== { paravent: "listed", empty: 42 }[name]) throw new Error(`${name} woke up and said ${waking.what}`);
          if (turn >= WARM) seen[name].push(waking);
        }
      }
      return summary(seen.paravent, seen.empty);
    } finally {
      await browser.close();
    }
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/**
 * @param {string} folder
 * @param {string} subject
 * @param {string[]} parts of the packaged extension
 */
async function makeExtension(folder, subject, parts) {
  for (const part of parts) await cp(path.join(PACKAGED, part), path.join(folder, part), { recursive: true });
  await cp(HERE, path.join(folder, "bench", "wake"), { recursive: true });
  await writeFile(path.join(folder, "page.html"), "<!doctype html><title>wake</title>");
  await writeFile(path.join(folder, "manifest.json"), JSON.stringify({
    manifest_version: 3,
    name: subject,
    version: "1",
    background: { service_worker: `bench/wake/${subject}.js`, type: "module" },
    permissions: ["storage", "publicSuffix"],
    content_security_policy: { extension_pages: "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'" },
  }));
}

/**
 * The number that Chromium gives an unpacked extension.
 * @param {string} folder
 */
function idOf(folder) {
  const hex = createHash("sha256").update(folder).digest("hex").slice(0, 32);
  return [...hex].map((digit) => String.fromCharCode(97 + parseInt(digit, 16))).join("");
}

/**
 * @param {Run[]} paravent
 * @param {Run[]} empty
 */
function summary(paravent, empty) {
  /** @type {(values: number[]) => number} */
  const median = (values) => quantile(values.sort((a, b) => a - b), 0.5);
  /** @type {(runs: Run[]) => Waking} */
  const waking = (runs) => ({ wake_ms: median(runs.map(({ wake }) => wake)), work_ms: median(runs.map(({ ms }) => ms)) });
  return {
    paravent: waking(paravent),
    empty: waking(empty),
    ratio: median(paravent.map(({ wake }, turn) => wake / empty[turn].wake)),
    work_ratio: median(paravent.map(({ ms }, turn) => ms / empty[turn].ms)),
  };
}
