/**
 * A new list reaches running browsers and holds without a restart; one that is
 * not what the maintainers signed does not, the last good one stays in force,
 * and the popup says why.
 */

/* global chrome */
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

/**
 * What stands between the browsers and the list server, what it makes of an
 * answer, and by which words people are told.
 *
 * @typedef {object} Fault
 * @property {import("../background/release.js").Code} code
 * @property {RegExp} path of what is spoilt
 * @property {(body: Buffer<ArrayBuffer>) => Buffer<ArrayBuffer> | null} spoil null: the connection breaks
 */

/** @param {Buffer<ArrayBuffer>} body @param {number} at */
function flip(body, at) {
  body[at] = (body[at] ?? 0) ^ 1;
  return body;
}

/** Takes a line out, or puts another in its place. @param {Buffer} body @param {RegExp} line @param {string} [other] */
const replace = (body, line, other = "") => Buffer.from(body.toString().replace(line, other));

const RELEASE = /^\/v1\/release$/;
const LIST = /^\/v1\/(blob|delta)\//;

/** @type {Record<string, Fault>} */
const FAULTS = {
  "no server": { code: "unreachable", path: /./, spoil: () => null },
  "a page instead": { code: "proof", path: RELEASE, spoil: () => Buffer.from("<!doctype html>\n") },
  "a flipped bit in the note": { code: "note", path: RELEASE, spoil: (body) => flip(body, body.indexOf("wait ") + 5) },
  "a wrong signature": { code: "note", path: RELEASE, spoil: (body) => flip(body, body.indexOf("— demo.bob ") + 40) },
  "one signature of two": { code: "note", path: RELEASE, spoil: (body) => replace(body, /— demo.bob .*\n/) },
  "a flipped bit in the proof": { code: "proof", path: RELEASE, spoil: (body) => flip(body, body.indexOf("demo.lists\n") + 30) },
  "no log's signature": { code: "proof", path: RELEASE, spoil: (body) => replace(body, /— demo.lists .*\n/) },
  "no witness": { code: "witness", path: RELEASE, spoil: (body) => replace(body, /— demo.witness .*\n/) },
  "half an answer": { code: "proof", path: RELEASE, spoil: (body) => body.subarray(0, body.length >> 1) },
  "an older release": { code: "older", path: RELEASE, spoil: () => first },
  "a flipped bit in the list": { code: "hash", path: LIST, spoil: (body) => flip(body, body.length >> 1) },
  "half a list": { code: "size", path: LIST, spoil: (body) => body.subarray(0, body.length >> 1) },
  "no list": { code: "unreachable", path: LIST, spoil: () => null },
};

/** @type {import("./world.js").World} */
let world;
/** @type {import("./drive/host.js").Host} */
let mirror;
/** A host that answers everything, and that lists come to know one name after the other. @type {import("./drive/host.js").Host} */
let novelty;
/** @type {Omit<Fault, "code"> | null} */
let fault = null;
/** The answer with the first release. */
let first = Buffer.alloc(0);
/** @type {Patient[]} */
const patients = [];

before(async () => {
  world = await createWorld();
  mirror = await startHost("mirror.localhost", async (request, response) => {
    const path = request.url ?? "";
    const { "if-none-match": known } = request.headers;
    const answer = await ask(world.demo.lists + path, known && fault === null ? { headers: { "If-None-Match": known } } : {});
    /** @type {Buffer<ArrayBuffer> | null} */
    let body = Buffer.from(await answer.arrayBuffer());
    if (first.length === 0 && RELEASE.test(path)) first = Buffer.from(body);
    if (fault?.path.test(path)) body = fault.spoil(body);
    if (body === null) {
      request.socket.destroy();
      return;
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

/**
 * Asks for an update, as the popup's button does, until it went as expected.
 *
 * @param {Patient} patient
 * @param {string | undefined} code of the error
 */
const update = ({ name, popup }, code) =>
  until(
    async () => {
      /** @type {import("../background/updates.js").UpdateState} */
      const { error } = await popup.page.evaluate(() => chrome.runtime.sendMessage({ type: "update" }));
      if (error?.code !== code) throw new Error(JSON.stringify(error));
      return { detail: error?.detail ?? "" };
    },
    { every: 300, what: `${name} to say ${code}` },
  );

for (const [kind, { code, ...what }] of Object.entries(FAULTS)) {
  it(`${kind}: the last good list stays in force, and the popup says why`, async () => {
    if (fault === null) {
      fault = what;
      await publishRule("hidden.localhost");
    }
    fault = what;
    await everyone(async (patient) => {
      const { name, popup } = patient;
      const { detail } = await update(patient, code);
      await popup.page.waitFor((words) => document.body.innerText.includes(words), { args: [detail], what: `${name}'s popup to say "${detail}"` });
      assert.equal((await popup.state()).list?.release?.index, 1, name);
      assert.ok(await reaches(patient, "hidden.localhost"), `${name} uses what it should have refused`);
      assert.equal(await reaches(patient, "novelty.localhost"), false, `${name} forgot its list`);
    });
  });
}

it("with nothing in between, the release that was kept away comes at last", async () => {
  fault = null;
  await everyone(async (patient) => {
    await update(patient, undefined);
    await inForce(patient, 2);
    assert.equal(await reaches(patient, "hidden.localhost"), false, patient.name);
  });
});

it("a delta that is not what it should be only costs the whole list", async () => {
  fault = { path: /^\/v1\/delta\//, spoil: (body) => flip(body, body.length >> 1) };
  mirror.asked.length = 0;
  await publishRule("further.localhost");
  await everyone(async (patient) => {
    await inForce(patient, 3);
    assert.equal(await reaches(patient, "further.localhost"), false, patient.name);
  });
  for (const what of ["delta", "blob"]) {
    assert.equal(mirror.asked.filter((asked) => asked.includes(`/v1/${what}/`)).length, patients.length, what);
  }
});
