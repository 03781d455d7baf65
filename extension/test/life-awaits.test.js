/**
 * The background is killed at the awaits of a wake, a decision, a photo and an
 * update: between telling the browser its rules and storing the list, and
 * everywhere else. In Chromium: Firefox's background, which holds requests, is
 * killed at random only.
 *
 *   EVERY=1 node --test test/life-awaits.test.js
 */

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, it } from "node:test";
import { addCheckpoints } from "../tools/checkpoints.js";
import { contacted } from "./drive/demo.js";
import { until, within } from "./drive/driver.js";
import { startHost } from "./drive/host.js";
import { createLife, createPatient } from "./life.js";

/** At one of so many awaits; and at all of those that store the release, once the browser has its rules. */
const EVERY = Number(process.env["EVERY"] || 40);
const STORING = /^store\.js:/;

/** @type {import("./life.js").Life} */
let life;
/** Whom the background asks at which checkpoint it ends, and tells which it passes. @type {import("./drive/host.js").Host} */
let control;
/** The checkpoint at which the next background ends. */
let deadAt = -1;
/** @type {Set<number>} */
const passed = new Set();

before(async () => {
  life = await createLife();
  control = await startHost("control.localhost", (request, response) => {
    const [, what, number] = (request.url ?? "").split("/");
    if (what === "passed") passed.add(Number(number));
    response.writeHead(200, { "Access-Control-Allow-Origin": "*", "Cache-Control": "no-store" }).end(String(deadAt));
  });
});
after(async () => {
  await life?.close();
  await control?.close();
});

/** @param {string} origin of the control */
const checkpoint = (origin) => `
const passed = new Set();
const deadAt = fetch("${origin}/armed").then((answer) => answer.json());
globalThis.__at = async (number) => {
  const end = await deadAt;
  if (passed.has(number)) return;
  passed.add(number);
  if (end < 0 || end === number) void fetch("${origin}/passed/" + number);
  if (end === number) await new Promise(() => {});
};
`;

it("chromium, killed at awaits", async (t) => {
  const folder = path.join(life.extensions.chromium, "background");
  const places = await addCheckpoints(folder);
  await writeFile(path.join(folder, "checkpoint.js"), checkpoint(control.origin));
  const main = path.join(folder, "main.js");
  await writeFile(main, `import "./checkpoint.js";\n${await readFile(main, "utf8")}`);
  deadAt = -1;
  const patient = await createPatient(life, "chromium");
  const tab = patient.browser().tab();

  /** A background that does all that it can, until it ends. @param {number} index of the release that is offered */
  const live = async (index) => {
    await patient.browser().killBackground();
    life.offer(index);
    await patient.poll();
    return tab.open(life.results).catch(() => {});
  };

  passed.clear();
  await live(1);
  await until(async () => (await patient.woken()) === 1, { what: "the release" });
  const all = [...passed];
  const chosen = all.filter((number, i) => i % EVERY === 0 || STORING.test(places[number] ?? ""));

  let index = 1;
  const missed = [];
  for (const number of chosen) {
    if (index === life.bundles.length - 1) {
      await patient.beginAgain();
      index = 0;
    }
    passed.clear();
    deadAt = number;
    const living = live(index + 1);
    const isDead = await until(() => passed.has(number), { timeout: 20_000 }).then(() => true, () => false);
    if (!isDead) missed.push(places[number]);
    await patient.browser().killBackground();
    deadAt = -1;
    await within(living);
    const before = index;
    index = await patient.woken().catch((error) => {
      throw new Error(`killed at ${places[number]}, with release ${before}: ${error.message}`, { cause: error });
    });
    assert.ok(index === before || index === before + 1, `killed at ${places[number]}: release ${before} became ${index}`);
  }
  assert.deepEqual(contacted(await life.world.demo.settled()), []);
  t.diagnostic(`killed at ${chosen.length - missed.length} of ${all.length} awaits; ${missed.length} were not passed again: ${missed.join(" ")}`);
  await patient.close();
});
