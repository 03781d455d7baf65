/**
 * Every way out of a page, tried by a hostile site in real browsers, first
 * without Paravent: what has not arrived then could not be stopped. What
 * arrived is asked from those who received it.
 */

import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { assemble, buildList } from "./drive/demo.js";
import { sleep, until } from "./drive/driver.js";
import { installed } from "./popup.js";
import { WAYS } from "./ways-out.js";
import { startTown } from "./ways-out-town.js";
import { BROWSERS, DRIVERS } from "./world.js";

/** @typedef {import("./ways-out.js").Way} Way */
/** @typedef {import("./world.js").Name} Name */

/** What came of a way: what its recipient got, and whether it was open to the host that the site needs. @typedef {{got: string[], reached: boolean, needed: boolean}} Found */

/** Nothing has arrived anywhere for so long, in milliseconds: a page has done what it will. */
const QUIET = 700;
/** So long is waited for what does not come. */
const LONGEST = 20_000;
/** What is done when the page is left, or later. */
const LATER = ["leave", "back", "reports"];

/** @type {import("./ways-out-town.js").Town} */
let town;
let dir = "";
before(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "paravent-ways-"));
  town = await startTown(WAYS);
  const source = "https://booking.example.org/";
  const date = "2026-11-22";
  await mkdir(path.join(dir, "sources", "sites"), { recursive: true });
  await writeFile(path.join(dir, "sources", "telemetry.txt"), `! reason: takes all it can get\n! source: ${source}\n! date: ${date}\n||example.net^\n`);
  const needs = [{ rule: "||example.com^", for: "assets", source, date }];
  const site = { name: "hostile", domains: ["booking.example.org"], source, date, needs, requests: [] };
  await writeFile(path.join(dir, "sources", "sites", "hostile.json"), JSON.stringify(site));
  await buildList(path.join(dir, "list"), [path.join(dir, "sources")]);
});
after(async () => {
  await town?.close();
  await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

/** @param {Name} name @param {string | null} extension */
async function launch(name, extension) {
  if (name === "firefox") {
    return DRIVERS.firefox.launch({
      extension,
      anyCertificate: true,
      prefs: {
        "network.proxy.type": 0,
        "network.trr.mode": 3,
        "network.trr.uri": town.resolver,
        "network.trr.allow-rfc1918": true,
        "network.trr.confirmationNS": "skip",
        "network.trr.wait-for-portal": false,
        "media.peerconnection.ice.loopback": true,
      },
    });
  }
  const profile = await mkdtemp(path.join(dir, "profile-"));
  await mkdir(profile, { recursive: true });
  await writeFile(path.join(profile, "Local State"), JSON.stringify({ dns_over_https: { mode: "secure", templates: `${town.resolver}{?dns}` } }));
  return DRIVERS.chromium.launch({
    extension,
    profile,
    anyCertificate: true,
    args: [
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.example.*, EXCLUDE 127.0.0.1",
      "--allow-loopback-in-peer-connection",
      `--ignore-certificate-errors-spki-list=${town.key}`, // else no report is sent
      "--short-reporting-delay",
    ],
  });
}

const quiet = async () => {
  for (let before = town.traffic(), since = Date.now(); Date.now() - since < QUIET; await sleep(50)) {
    if (town.traffic() !== before) since = Date.now();
    before = town.traffic();
  }
};

/** @param {Way} way @returns {Found} */
function found(way) {
  const { got } = town.host(way, way.to ?? "listed");
  const reached = way.tells ? got.some((what) => what.includes("oncologist")) : got.length > 0;
  return { got: [...new Set(got)], reached, needed: !way.single && town.host(way, "needed").got.length > 0 };
}

/**
 * Visits every page.
 * @param {import("./world.js").Browser} browser
 * @param {(way: Way) => boolean} isThrough whether what is to arrive of a way has
 * @returns {Promise<Map<Way, Found>>}
 */
async function visit(browser, isThrough) {
  town.reset();
  const tab = browser.tab();
  for (const group of new Set(WAYS.map((way) => way.in))) {
    const here = WAYS.filter((way) => way.in === group);
    const through = () => until(() => here.every(isThrough), { timeout: LONGEST, what: group }).catch(() => {});
    await tab.open(town.page(group));
    // A page may leave meanwhile: this is one of the ways.
    await tab.evaluate(() => /** @type {any} */ (globalThis).goOut()).catch(() => {});
    if (!LATER.includes(group)) await through();
    await quiet();
    await tab.open(town.elsewhere);
    if (group === "back") await tab.evaluate(() => void setTimeout(() => history.back(), 0));
    if (LATER.includes(group)) await through();
    await quiet();
  }
  return new Map(WAYS.map((way) => [way, found(way)]));
}

for (const name of BROWSERS) {
  describe(name, () => {
    /** @type {Map<Way, Found>} */
    let without;
    /** @type {Map<Way, Found>} */
    let protectedBy;

    before(async () => {
      const plain = await launch(name, null);
      without = await visit(plain, (way) => found(way).reached || Boolean(way[name]?.absent)).finally(plain.close);
      const extension = await assemble({ browser: name, out: path.join(dir, name), list: path.join(dir, "list"), servers: null });
      const browser = await launch(name, extension);
      protectedBy = await installed(browser)
        .then(() => visit(browser, (way) => (way[name]?.limit ? found(way).reached : found(way).needed || !without.get(way)?.needed)))
        .finally(browser.close);
    });

    for (const way of WAYS) {
      const { absent, limit } = way[name] ?? {};
      it(`${way.name}: ${absent ? "is not there" : limit ? "is open, as it is said" : "is stopped"}`, () => {
        const [control, now] = [without.get(way), protectedBy.get(way)];
        if (!control || !now) throw new Error("it was not tried");
        if (absent) {
          assert.ok(!control.reached && !now.reached, `it is there now, say what comes of it: ${control.got}; ${now.got}`);
          return;
        }
        assert.ok(control.reached, `it does not get out without Paravent either: say why it is absent; ${control.got}`);
        if (limit) {
          assert.ok(now.reached, "it is closed now: the limit is gone");
          return;
        }
        if (control.needed) assert.ok(now.needed, "what the site needs is let through");
        assert.ok(!now.reached, `got out: ${now.got.join(", ")}`);
      });
    }
  });
}
