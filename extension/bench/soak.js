/**
 * Synthetic browsing for a long time: patients in both browsers search, look at
 * photos by relay, change modes and close tabs, while lists are published, and
 * every server, built with the race detector, answers them and others.
 *
 *   PARAVENT_SERVER=FILE node bench/soak.js [--minutes N] [--json FILE]
 *
 * What is held once garbage is collected, and how long things take, is compared
 * between the first and the last third of the time after warming up. Prints a
 * table, and ends with 1 when a line of it does not hold.
 */

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { startServer } from "../test/drive/demo.js";
import { sleep } from "../test/drive/driver.js";
import { startHost } from "../test/drive/host.js";
import { BROWSERS, createWorld } from "../test/world.js";
import { table } from "./print.js";
import { compared, counted } from "./soak-lines.js";
import { Servers } from "./soak-servers.js";
import { Visitor } from "./soak-visitor.js";

/** @typedef {import("./soak-lines.js").Line} Line */

/** A list is published so often, and readers look for one so often. */
const PUBLISH_MS = 120_000;
const POLL_SECONDS = 30;
/** This share of the time warms up: caches fill, and engines compile what is hot. */
const WARM = 0.25;

/** Memory is flat when it has not grown by more. */
const FLAT = 1.05;
/** Other programs slow a machine down, too. */
const SLOWER = 2;
/** Connections come and go between two looks. */
const BUSIER = 1.25;

const { values } = parseArgs({ options: { minutes: { type: "string", default: "20" }, json: { type: "string" } } });
const duration = Number(values.minutes) * 60_000;
if (!(duration >= 60_000)) throw new Error("--minutes is a number, 1 or more");

const dir = await mkdtemp(path.join(tmpdir(), "paravent-soak-"));
// Servers read these when they start.
Object.assign(process.env, { PARAVENT_PULSES: dir, GORACE: `log_path=${path.join(dir, "race")}` });
let lines;
try {
  lines = await soak();
} finally {
  await rm(dir, { recursive: true });
}
console.log(`\nAfter ${values.minutes} minutes: medians of the first and the last third; of times, and of what a background holds after a collection of garbage, lower quartiles`);
table([
  ["", "first", "last", "times", "at most", ""],
  ...lines.map(({ what, first, last, value, most, holds }) => [what, first, last, value, most, holds ? "holds" : "DOES NOT HOLD"]),
]);
process.exit(lines.every(({ holds }) => holds) ? 0 : 1);

/** @returns {Promise<Line[]>} */
async function soak() {
  const world = await createWorld();
  const reader = await startServer("serve", ["-store", world.store, "-listen", "127.0.0.1:0"]);
  // Nobody knows this one, so only what it is told stops a request.
  const stranger = await startHost("stranger.localhost", (_, response) => response.end());
  try {
    const servers = new Servers(dir, world, reader.address.lists);
    const lists = { chromium: world.demo.lists, firefox: Object.assign(new URL(reader.address.lists), { hostname: "lists.localhost" }).origin };
    /** @type {Visitor[]} */
    const visitors = [];
    for (const name of BROWSERS) {
      const extension = await world.extension(name, { lists: lists[name], pollSeconds: POLL_SECONDS });
      await noteMemories(extension);
      visitors.push(await Visitor.come(await world.launch(name, { extension }), world.demo, stranger));
      console.log(`${name} is there`);
    }
    const begun = Date.now();
    const goesOn = () => Date.now() < begun + duration;
    await Promise.all([
      ...visitors.map((visitor) => visitor.stay(goesOn)),
      servers.ask(goesOn),
      servers.look(goesOn),
      publish(world, goesOn),
      progress(visitors, begun, goesOn),
    ]);
    if (values.json) {
      const samples = Object.fromEntries(servers.names().map((name) => [name, servers.samples(name)]));
      for (const { name, memory, times } of visitors) Object.assign(samples, { [name]: { memory, times } });
      await writeFile(values.json, `${JSON.stringify(samples)}\n`);
    }
    const span = { from: begun + WARM * duration, to: begun + duration };
    return [
      ...visitors.flatMap((visitor) => visitorLines(visitor, span)),
      ...servers.names().flatMap((name) => [
        compared(`${name}: heap, MB`, servers.samples(name), ({ heap }) => heap / 1e6, { ...span, most: FLAT, least: 0.5 }),
        compared(`${name}: goroutines`, servers.samples(name), ({ goroutines }) => goroutines, { ...span, most: BUSIER, least: 10 }),
        compared(`${name}: open files`, servers.samples(name), ({ files }) => files, { ...span, most: BUSIER, least: 10 }),
      ]),
      counted("servers: answers to others", servers.answers),
      counted("servers: other answers than expected", servers.wrong.length, 0, servers.wrong),
      counted("servers: reports of races", await servers.races(), 0),
    ];
  } finally {
    await reader.close();
    await stranger.close();
    await world.close();
  }
}

/**
 * Has an extension note its WebAssembly's memories, as Chromium's driver wants it.
 * @param {string} extension folder
 */
async function noteMemories(extension) {
  const file = path.join(extension, "background", "wasm.js");
  const text = await readFile(file, "utf8");
  const noting = text.replace(/^ *const memory = .*instance\.exports\.mem.*$/m, "$&\n    (globalThis.memories ??= []).push(new WeakRef(memory));");
  if (noting === text) throw new Error(`${file}: no line takes the memory of an instance any more`);
  await writeFile(file, noting);
}

/**
 * @param {Visitor} visitor
 * @param {{from: number, to: number}} span
 * @returns {Line[]}
 */
function visitorLines({ name, memory, times, count, losses, broken }, span) {
  return [
    // A job under way at the moment of a look adds to what is held, and takes
    // nothing away: what is never freed lifts the lower quartile just the same.
    compared(`${name}: the background's JavaScript, MB`, memory, ({ heap }) => heap / 1e6, { ...span, share: 0.25, most: FLAT }),
    compared(`${name}: its WebAssembly, MB`, memory, ({ wasm }) => wasm / 1e6, { ...span, share: 0.25, most: FLAT }),
    compared(`${name}: storage.session, KB`, memory, ({ session }) => session / 1e3, { ...span, most: FLAT, least: 1 }),
    compared(`${name}: all the browser's processes, MB`, memory, ({ resident }) => resident / 1e6, span),
    compared(`${name}: a stopped request, ms`, times, ({ decision }) => decision, { ...span, share: 0.25, most: SLOWER }),
    compared(`${name}: the background's answer, ms`, times, ({ answer }) => answer, { ...span, share: 0.25, most: SLOWER }),
    compared(`${name}: a page with all photos, ms`, times, ({ photos }) => photos, { ...span, share: 0.25, most: SLOWER }),
    counted(`${name}: visits`, count.visits),
    counted(`${name}: photos shown`, count.shown),
    counted(`${name}: photos lost`, count.lost, 0, losses),
    counted(`${name}: listed requests that arrived`, count.listed, 0),
    // Chromium's rules know a leak once it was seen, and the first one leaves.
    counted(`${name}: leaks that arrived, of ${count.leaks}`, count.leaked, name === "firefox" ? 0 : count.forms),
    counted(`${name}: starts of the background`, new Set(memory.map(({ born }) => born)).size),
    counted(`${name}: visits that broke`, broken.length, 0, broken),
  ];
}

/**
 * Publishes lists with a rule more, and without it, in turns.
 * @param {import("../test/world.js").World} world
 * @param {() => boolean} goesOn
 */
async function publish({ sources, publish }, goesOn) {
  const file = path.join(sources, "telemetry.txt");
  const without = await readFile(file, "utf8");
  const rule = ["", "! reason: listens now and then", "! source: https://booking.localhost/", "! date: 2026-11-22", "||now-and-then.localhost^", ""].join("\n");
  for (let turn = 1; goesOn(); turn++) {
    const next = Date.now() + Math.min(PUBLISH_MS, duration / 4);
    while (goesOn() && Date.now() < next) await sleep(1000);
    if (!goesOn()) return;
    await writeFile(file, turn % 2 ? without + rule : without);
    await publish();
  }
}

/**
 * @param {Visitor[]} visitors
 * @param {number} begun
 * @param {() => boolean} goesOn
 */
async function progress(visitors, begun, goesOn) {
  while (goesOn()) {
    await sleep(Math.min(60_000, duration / 4));
    const said = visitors.map(({ name, count, broken }) => `${name} ${count.visits} visits, ${count.shown} photos, ${count.lost} lost, ${broken.length} broken`);
    console.log(`${((Date.now() - begun) / 60_000).toFixed(1)} min: ${said.join("; ")}`);
  }
}
