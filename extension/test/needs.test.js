/**
 * What the booking site needs from third parties is in its file, entry by
 * entry, and nothing of it is superfluous: without any one of them the site
 * would be broken.
 */

import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, it } from "node:test";
import { buildList, run } from "./drive/demo.js";
import { walk } from "./walk.js";
import { installed } from "./popup.js";
import { BROWSERS, createWorld } from "./world.js";

/** @typedef {{rule: string, for: string}} Need */

/** @type {import("./world.js").World} */
let world;
/** @type {{needs: Need[]}} */
let site;
/** What the site's own third parties received from a patient without Paravent, as lines for `paravent check`. */
let requests = "";

before(async () => {
  world = await createWorld();
  site = JSON.parse(await readFile(siteFile(), "utf8"));
  const browser = await world.launch("chromium");
  const { booked } = await walk(browser.tab(), world.demo.site);
  assert.ok(booked);
  const { needs } = await world.demo.settled();
  await browser.close();
  const page = `${world.demo.site}/book/camille-aubert?insurance=private`;
  const asked = needs
    .flatMap((party) => party.requests)
    .map(({ url, type }) => `${JSON.stringify({ url, page, type })}\n`)
    .join("");
  // In a room the same parties have other names.
  requests = asked + asked.replaceAll(/\.localhost:\d+/g, ".test");
});
after(() => world.close());

const siteFile = () => path.join(world.sources, "sites", "demo.json");

/**
 * Builds the list with some of the site's needs only, and checks the requests.
 *
 * @param {Need[]} needs
 * @returns {Promise<string[]>} the hosts whose requests are not let through
 */
async function stoppedWith(needs) {
  // What the site expects of its needs would fail the list's own check.
  await writeFile(siteFile(), JSON.stringify({ ...site, needs, requests: [] }));
  await buildList(world.list, [world.sources]);
  const output = await run("paravent", ["check", "-bundle", path.join(world.list, "list.bundle")], { input: requests });
  const decisions = output.trim().split("\n").map((line) => JSON.parse(line));
  const asked = requests.trim().split("\n").map((line) => JSON.parse(line));
  assert.equal(decisions.length, asked.length);
  const stopped = asked.filter((_, i) => decisions[i].action !== "allow");
  return [...new Set(stopped.map(({ url }) => new URL(url).hostname))];
}

it("with all of its needs, nothing that the site needs is stopped", async () => {
  assert.ok(site.needs.length >= 5);
  assert.deepEqual(await stoppedWith(site.needs), []);
});

it("without any one of its needs, something that the site needs is stopped", async () => {
  for (const need of site.needs) {
    const rest = site.needs.filter((other) => other !== need);
    const host = /^\|\|([^/^]+)/.exec(need.rule)?.[1] ?? "";
    assert.deepEqual(await stoppedWith(rest), [host], `without ${need.rule} (${need.for})`);
  }
});

for (const name of BROWSERS) {
  it(`without its needs, the site is broken for a patient in ${name}`, async () => {
    await stoppedWith([]);
    // No release must bring the needs back.
    const browser = await world.launch(name, {
      extension: await world.extension(name, { lists: "http://nobody.localhost:9" }),
    });
    await installed(browser);
    const { needs, booked } = await walk(browser.tab(), world.demo.site, { patience: 3000 });
    assert.deepEqual(needs, { consent: false, captcha: false, video: false, pay: false, map: false });
    assert.equal(booked, false);
    await browser.close();
  });
}
