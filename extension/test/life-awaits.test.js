/**
 * The background is killed at the awaits of a wake, a decision, a photo and an
 * update: between telling the browser its rules and storing the list, and
 * everywhere else. Firefox does not end a background that requests wait for, so
 * there it is the whole browser that is killed where a page is open, and the
 * background alone where an update is all that goes on. Either passes some 80
 * awaits; without EVERY, some ten of them are tried.
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
import { BROWSERS } from "./world.js";

/** At one of so many awaits; a scene says how many when this does not. */
const EVERY = Number(process.env["EVERY"]);
/** And at all of those of an update that store the release, once the browser has its rules. */
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

/**
 * Something that a background lives through.
 * @typedef {object} Scene
 * @property {string} what
 * @property {number} every it ends at one of so many awaits
 * @property {RegExp} [also] and at all these
 * @property {(index: number) => Promise<unknown>} live begins it, for a background that sleeps;
 *   index of the release that is offered
 * @property {() => Promise<void>} end ends it, wherever it is
 */

/** @param {import("./life.js").Patient} patient @returns {Scene[]} */
function scenesOf(patient) {
  const tab = () => patient.browser().tab();
  const page = () => tab().open(life.results).catch(() => {});
  const update = (/** @type {number} */ index) => {
    life.offer(index);
    return patient.poll();
  };
  const kill = () => patient.browser().killBackground();
  if (patient.browser().name === "chromium") {
    return [{ what: "an update and a page", every: 40, also: STORING, live: (index) => update(index).then(page), end: kill }];
  }
  return [
    { what: "an update", every: 40, also: STORING, live: update, end: () => kill().then(page) },
    { what: "a page", every: 10, live: page, end: patient.crash },
  ];
}

for (const name of BROWSERS) {
  it(`${name}, killed at awaits`, async (t) => {
    const folder = path.join(life.extensions[name], "background");
    const places = await addCheckpoints(folder);
    await writeFile(path.join(folder, "checkpoint.js"), checkpoint(control.origin));
    const main = path.join(folder, "main.js");
    await writeFile(main, `import "./checkpoint.js";\n${await readFile(main, "utf8")}`);
    deadAt = -1;
    const patient = await createPatient(life, name);
    let index = 0;

    /** A background sleeps that has everything before it. */
    const prepare = async () => {
      if (index === life.bundles.length - 1) {
        await patient.beginAgain();
        index = 0;
      }
      // Photos come from far away, as the first time.
      await patient.ask({ type: "forget" });
      await patient.browser().tab().open("about:blank");
      await patient.browser().killBackground();
      passed.clear();
    };

    for (const scene of scenesOf(patient)) {
      await prepare();
      await scene.live(index + 1);
      let count = -1;
      await until(() => count === (count = passed.size), { every: 1000, what: `${scene.what} to come to an end` });
      const all = [...passed].toSorted((a, b) => a - b);
      await scene.end();
      index = await patient.woken();

      const every = EVERY || scene.every;
      const chosen = all.filter((number, i) => i % every === 0 || scene.also?.test(places[number] ?? ""));
      const missed = [];
      for (const number of chosen) {
        await prepare();
        deadAt = number;
        const living = scene.live(index + 1);
        const isDead = await until(() => passed.has(number), { timeout: 20_000 }).then(() => true, () => false);
        if (!isDead) missed.push(places[number]);
        deadAt = -1;
        await scene.end();
        await within(living);
        const before = index;
        index = await patient.woken().catch((error) => {
          throw new Error(`killed at ${places[number]}, with release ${before}: ${error.message}`, { cause: error });
        });
        assert.ok(index === before || index === before + 1, `killed at ${places[number]}: release ${before} became ${index}`);
      }
      t.diagnostic(`${scene.what}: killed at ${chosen.length - missed.length} of ${all.length} awaits; ${missed.length} were not passed again: ${missed.join(" ")}`);
    }
    assert.deepEqual(contacted(await life.world.demo.settled()), []);
    await patient.close();
  });
}
