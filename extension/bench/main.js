/**
 * Paravent's engine beside uBlock Origin's, Ghostery's and AdGuard's: same
 * list, same requests, same process, in turns.
 *
 *   node --expose-gc bench/main.js [--corpus FILE] [--list FILE] [--json FILE] [--parts NAME,…]
 *                                  [--peers FOLDER,…] [--rounds N]
 *
 * --corpus  recorded requests, {"url","page","type"} a line; else they are made
 *           of the list
 * --list    adblock network filters; else those of the built list
 * --json    where the figures go as JSON
 * --parts   which of node, native, loading, chromium, wake, scale, photos, popup, pages; else all
 * --peers   unpacked extensions that pages are loaded with as well
 * --rounds  of pages; else 30
 *
 * Files whose names end in .gz are unpacked.
 */

import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { startModule } from "../tools/modules.js";
import { measureInChromium } from "./chromium.js";
import { filtersOf, readCorpus, readText, requestsOf } from "./corpus.js";
import { compare } from "./differences.js";
import { contenders } from "./engines.js";
import { measure, quantile, speed, turns } from "./measure.js";
import { measureNative, unlikeNative } from "./native.js";
import { measurePages } from "./pages.js";
import { measurePhotos } from "./photos.js";
import { measurePopup } from "./popup.js";
import { printDifferences, printLoading, printNative, printPages, printPhotos, printPopup, printScale, printTimes, printWake } from "./print.js";
import { measureScale } from "./scale.js";
import { publicSuffixes } from "../tools/suffixes.js";
import { measureWake } from "./wake.js";

/** @typedef {import("./engines.js").Name} Name */

const PARAVENT = fileURLToPath(new URL("../../dist/bin/paravent", import.meta.url));
const BUILT = fileURLToPath(new URL("../../dist/lists/list.txt", import.meta.url));

const IN_NODE = { warm: 4, rounds: 15, clocked: 3, every: 1, repeats: 1 };
const IN_CHROMIUM = { warm: 4, rounds: 15, clocked: 1, every: 20, repeats: 128 };
const LOADINGS = 5;

const { values } = parseArgs({
  options: {
    corpus: { type: "string" },
    list: { type: "string" },
    json: { type: "string" },
    parts: { type: "string", default: "node,native,loading,chromium,wake,scale,photos,popup,pages" },
    peers: { type: "string", default: "" },
    rounds: { type: "string", default: "30" },
  },
});
const parts = values.parts.split(",");
const scratch = await mkdtemp(path.join(tmpdir(), "paravent-bench-"));
try {
  await bench();
} finally {
  await rm(scratch, { recursive: true });
}

async function bench() {
  const list = values.list ? await readText(values.list) : filtersOf(await readText(BUILT));
  const corpus = path.join(scratch, "requests.jsonl");
  await writeFile(corpus, values.corpus ? await readText(values.corpus) : requestsOf(list).map((request) => JSON.stringify(request)).join("\n"));
  const { lines, requests } = await readCorpus(corpus);
  const suffixes = publicSuffixes();
  const surroundings = { suffixes, module: () => startModule("engine") };

  /** @type {Map<Name, Uint8Array>} */
  const serialized = new Map();
  for (const [name, contender] of entries()) {
    await contender.prepare?.(surroundings);
    const bytes = name === "paravent" ? await compile(list, "list") : ((await contender.serialize?.(list)) ?? Buffer.from(list));
    serialized.set(name, bytes);
    await writeFile(path.join(scratch, name), bytes);
  }

  /** @type {Record<string, any>} */
  const report = { requests: requests.length, engines: Object.fromEntries(entries().map(([name]) => [name, {}])) };

  if (parts.includes("node")) {
    /** @type {Record<string, import("./engines.js").Decider>} */
    const deciders = {};
    for (const [name, contender] of entries()) {
      deciders[name] = await contender.load(/** @type {Uint8Array} */ (serialized.get(name)), surroundings);
    }
    const { all, tuning, report: reported, missed, extra } = compare(deciders.paravent, deciders["ubo-core"], lines, requests);
    Object.assign(report, { reference_blocks: all.reference_blocks, found: all, found_tuning: tuning, found_report: reported, missed, extra });
    const figures = withSpeed(measure(deciders, requests, IN_NODE, globalThis.gc));
    for (const [name] of entries()) Object.assign(report.engines[name], figures[name]);
    printTimes(`Node ${process.version}, ${requests.length} requests`, report.engines);
    printDifferences(report);
  }
  if (parts.includes("native")) {
    const files = { corpus, list: path.join(scratch, "tsurlfilter"), bundle: path.join(scratch, "paravent") };
    report.native = measureNative(files);
    report.unlike_native = unlikeNative(files.bundle, requests);
    printNative(report);
  }
  if (parts.includes("loading")) {
    const loadings = measureLoading(corpus);
    for (const [name] of entries()) {
      Object.assign(report.engines[name], loadings[name], { bytes: serialized.get(name)?.length, form: contenders[name].form });
    }
    printLoading(report.engines);
  }
  if (parts.includes("chromium")) {
    report.chromium = await measureInChromium(serialized, requests, suffixes, IN_CHROMIUM);
    report.chromium.engines = withSpeed(report.chromium.engines);
    printTimes(`${report.chromium.version}, the same requests`, report.chromium.engines);
  }
  if (parts.includes("wake")) printWake((report.wake = await measureWake()));
  if (parts.includes("scale")) printScale((report.scale = await measureScale(list, requests, compile)));
  if (parts.includes("photos")) printPhotos((report.photos = await measurePhotos()));
  if (parts.includes("popup")) printPopup((report.popup = await measurePopup()));
  if (parts.includes("pages")) {
    const peers = values.peers.split(",").filter((folder) => folder !== "");
    printPages((report.pages = await measurePages(peers, Number(values.rounds))));
  }

  if (values.json) await writeFile(values.json, `${JSON.stringify(report, null, 1)}\n`);
}

/** @returns {[Name, import("./engines.js").Contender][]} */
function entries() {
  return /** @type {any} */ (Object.entries(contenders));
}

/**
 * @param {Record<string, import("./measure.js").Figures>} figures
 * @returns {Record<string, import("./measure.js").Figures & {speed: number}>} speed: how many times as long ubo-core takes
 */
function withSpeed(figures) {
  return Object.fromEntries(Object.entries(figures).map(([name, own]) => [name, { ...own, speed: speed(figures["ubo-core"], own) }]));
}

/**
 * @param {string} list
 * @param {string} name of its folder
 * @returns {Promise<Uint8Array>} Paravent's bundle
 */
async function compile(list, name) {
  const file = path.join(scratch, `${name}.txt`);
  const folder = path.join(scratch, name);
  await writeFile(file, list);
  execFileSync(PARAVENT, ["list", "import", "-format", "easylist", "-o", folder, file], { stdio: ["ignore", "ignore", "inherit"] });
  return readFile(path.join(folder, "list.bundle"));
}

/**
 * @param {string} corpus
 * @returns {Record<Name, {start_ms: number, load_ms: number, memory_bytes: number}>} medians
 */
function measureLoading(corpus) {
  const names = entries().map(([name]) => name);
  /** @type {Record<string, any[]>} */
  const runs = Object.fromEntries(names.map((name) => [name, []]));
  const script = fileURLToPath(new URL("loading.js", import.meta.url));
  for (let round = 0; round < LOADINGS; round++) {
    for (const name of turns(names, round)) {
      const output = execFileSync(process.execPath, ["--expose-gc", script, name, path.join(scratch, name), corpus], { encoding: "utf8" });
      runs[name].push(JSON.parse(output));
    }
  }
  /** @type {(name: string, key: string) => number} */
  const median = (name, key) => quantile(runs[name].map((run) => run[key]).sort((a, b) => a - b), 0.5);
  return /** @type {any} */ (Object.fromEntries(names.map((name) => [name, {
    start_ms: median(name, "start_ms"),
    load_ms: median(name, "load_ms"),
    memory_bytes: median(name, "memory_bytes"),
  }])));
}
