/**
 * A new list reaches running browsers and holds without a restart; one that is
 * not what the maintainers signed does not, the last good one stays in force,
 * and the popup says why.
 */

import assert from "node:assert/strict";
import { appendFile } from "node:fs/promises";
import path from "node:path";
import { after, before, it } from "node:test";
import { until } from "./drive/driver.js";
import { ask, startHost } from "./drive/host.js";
import { installed, openPopup } from "./popup.js";
import { visit } from "./walk.js";
import { BROWSERS, createWorld } from "./world.js";

/** @typedef {import("./popup.js").Popup} Popup */
/** @typedef {import("./drive/driver.js").Tab} Tab */
/** @typedef {{name: string, tab: Tab, popup: Popup}} Patient */

/** What stands between the browsers and the list server, and what it does to its answers. */
const FAULTS = /** @type {const} */ (["unreachable", "flipped byte", "truncated", "wrong signature", "older release"]);
/** @typedef {typeof FAULTS[number]} Fault */

/** @type {import("./world.js").World} */
let world;
/** @type {import("./drive/host.js").Host} */
let mirror;
/** A host that answers everything, and that lists come to know one name after the other. @type {import("./drive/host.js").Host} */
let novelty;
/** @type {Fault | null} */
let fault = null;
/** @type {Buffer<ArrayBuffer> | null} */
let firstNote = null;
/** @type {Patient[]} */
const patients = [];

before(async () => {
  world = await createWorld();
  mirror = await startHost("mirror.localhost", async (request, response) => {
    if (fault === "unreachable") {
      request.socket.destroy();
      return;
    }
    const { "if-none-match": known } = request.headers;
    const answer = await ask(world.demo.lists + request.url, known && fault === null ? { headers: { "If-None-Match": known } } : {});
    let body = Buffer.from(await answer.arrayBuffer());
    if (/^\/v1\/(blob|delta)\//.test(request.url ?? "")) {
      if (fault === "flipped byte") body[body.length >> 1] = (body[body.length >> 1] ?? 0) ^ 1;
      if (fault === "truncated") body = body.subarray(0, body.length >> 1);
    } else if (request.url === "/v1/release" && answer.status === 200) {
      firstNote ??= body;
      if (fault === "wrong signature") body = forged(body);
      if (fault === "older release") body = firstNote;
    }
    response.writeHead(answer.status, { "Content-Type": answer.headers.get("Content-Type") ?? "" });
    response.end(body);
  });
  novelty = await startHost("novelty.localhost", (_, response) => response.end());
  for (const name of BROWSERS) {
    const extension = await world.extension(name, { lists: mirror.origin });
    const browser = await world.launch(name, { extension });
    await installed(browser, (state) => state.list?.release?.index === 0);
    const tab = browser.tab();
    await visit(tab, `${world.demo.site}/oncologist/paris`);
    patients.push({ name, tab, popup: await openPopup(browser, tab) });
  }
});
after(async () => {
  await world.close();
  await mirror?.close();
  await novelty?.close();
});

/**
 * Another signature under the same note: one bit of its last byte differs.
 *
 * @param {Buffer} note
 * @returns {Buffer<ArrayBuffer>}
 */
function forged(note) {
  const lines = note.toString().trimEnd().split("\n");
  const [dash, name, signature = ""] = lines[lines.length - 1]?.split(" ") ?? [];
  const bytes = Buffer.from(signature, "base64");
  bytes[bytes.length - 1] = (bytes[bytes.length - 1] ?? 0) ^ 1;
  lines[lines.length - 1] = `${dash} ${name} ${bytes.toString("base64")}`;
  return Buffer.from(`${lines.join("\n")}\n`);
}

/**
 * Adds a rule to the sources, builds and publishes.
 *
 * @param {string} host
 */
async function publishRule(host) {
  const lines = ["", "! reason: a test listens there", "! source: https://booking.localhost/", "! date: 2026-11-22", `||${host}^`, ""];
  await appendFile(path.join(world.sources, "telemetry.txt"), lines.join("\n"));
  await world.publish();
}

/**
 * Whether a request of the booking site's page, which was opened before, gets
 * through to a host.
 *
 * @param {Patient} patient
 * @param {string} host
 * @returns {Promise<boolean>}
 */
async function reaches({ name, tab }, host) {
  const place = `/?${name}-${Math.random()}`;
  const address = novelty.origin.replace("novelty.localhost", host) + place;
  const loaded = await tab.evaluate(
    (url) => fetch(url, { mode: "no-cors" }).then(() => true, () => false),
    address,
  );
  const arrived = novelty.asked.includes(`GET ${place}`);
  assert.equal(loaded, arrived, `${name} says ${loaded}, ${host} says ${arrived}`);
  return arrived;
}

/** @param {(patient: Patient) => Promise<void>} check */
const everyone = (check) => Promise.all(patients.map(check));

/**
 * @param {Patient} patient
 * @param {number} index of the release
 */
const inForce = ({ name, popup }, index) =>
  until(async () => (await popup.state()).list?.release?.index === index, { what: `release ${index} in ${name}` });

it("a rule added to the list blocks in running browsers after their next poll", async () => {
  await everyone(async (patient) => assert.ok(await reaches(patient, "novelty.localhost"), patient.name));
  await publishRule("novelty.localhost");
  await everyone(async (patient) => {
    await inForce(patient, 1);
    assert.equal(await reaches(patient, "novelty.localhost"), false, patient.name);
  });
});

for (const [i, kind] of FAULTS.entries()) {
  it(`${kind}: the last good list stays in force, and the popup says why`, async () => {
    const host = `novelty-${i}.localhost`;
    fault = kind;
    await publishRule(host);
    await everyone(async (patient) => {
      const { name, popup } = patient;
      const { code, detail } = await until(async () => (await popup.state()).updates.error, { what: `${name} to refuse` });
      await popup.page.waitFor((words) => document.body.innerText.includes(words), { args: [detail], what: `${name}'s popup to say "${detail}" (${code})` });
      assert.equal((await popup.state()).list?.release?.index, i + 1, name);
      assert.ok(await reaches(patient, host), `${name} uses what it should have refused`);
      assert.equal(await reaches(patient, "novelty.localhost"), false, `${name} forgot its list`);
    });
    fault = null;
    await everyone(async (patient) => {
      await inForce(patient, i + 2);
      assert.equal((await patient.popup.state()).updates.error, null);
      assert.equal(await reaches(patient, host), false, patient.name);
    });
  });
}
