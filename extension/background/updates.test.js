/**
 * Updates, from the first wake to the list in force, with the WebAssembly that
 * the extension carries: in a browser that stops the background wherever it
 * likes, loses what it kept, has no room, or does not know what year it is.
 */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import test from "node:test";
import { Worker } from "node:worker_threads";
import { Log } from "../tools/log.js";
import { compiled, openDesk } from "../tools/modules.js";
import { bundleSHA256, list as readList } from "../tools/vectors.js";

/** @typedef {import("../tools/wake.js").Disk} Disk */
/** @typedef {import("../tools/wake.js").Life} Life */
/** @typedef {import("../tools/wake.js").Outcome} Outcome */
/** @typedef {{text: Uint8Array, bundle: Uint8Array}} List */

const TERMS = { maintainers: ["ada.example", "ben.example"], threshold: 2, witnesses: ["witness.example"] };
const YEARS = 5 * 365 * 24 * 60 * 60 * 1000;

/** @param {Uint8Array} data */
const sha256 = (data) => createHash("sha256").update(data).digest("hex");
/** @param {Uint8Array} data */
const digest = (data) => ({ size: data.length, sha256: sha256(data) });

const desk = await openDesk();
const packagedText = await readList();
/** @type {List} */
const packagedList = { text: packagedText, bundle: desk.compile(packagedText, await bundleSHA256()) };
const packaged = new Map([
  ["lists/list.bundle", packagedList.bundle],
  [
    "lists/about.json",
    Buffer.from(
      JSON.stringify({ list: digest(packagedList.text), bundle: digest(packagedList.bundle), ...desk.describe(packagedList.bundle) }),
    ),
  ],
]);

/**
 * @param {string} host
 * @returns {List} the packaged list with a host more
 */
function listWith(host) {
  const [head, hosts = "", tail] = Buffer.from(packagedText).toString().split(/(?<=\[hosts\]\n)(.*?)(?=\[rules\]\n)/s);
  const lines = [...hosts.trimEnd().split("\n"), host].sort();
  const text = Buffer.from(`${head}${lines.join("\n")}\n${tail}`);
  return { text, bundle: compiled(desk, text) };
}

const lists = ["zero.example", "one.example", "two.example"].map(listWith);
/** @param {number} index */
const at = (index) => /** @type {List} */ (lists[index]);

/** @returns {Disk} */
const empty = () => ({ local: {}, database: null, rules: [], alarms: {}, scripts: [] });

/**
 * @param {Partial<Life> & {disk: Disk, log: Log}} life
 * @returns {Promise<Outcome>}
 */
function live({ log, ...life }) {
  const settings = { listServer: "https://lists.example", trust: first(log), relays: [], pollSeconds: 3600 };
  const worker = new Worker(new URL("../tools/wake.js", import.meta.url), {
    workerData: { job: "poll", settings, packaged, server: log.objects, ...life },
  });
  return new Promise((resolve, reject) => {
    worker.once("message", (outcome) => {
      resolve(outcome);
      void worker.terminate();
    });
    worker.once("error", reject);
  });
}

/** The trust text that a log began with. @type {WeakMap<Log, string>} */
const begun = new WeakMap();
/** @param {Log} log */
const first = (log) => begun.get(log) ?? "";

/** @param {import("../tools/log.js").Terms} [terms] */
function newLog(terms = TERMS) {
  const log = new Log(terms);
  begun.set(log, log.trust);
  return log;
}

/** @param {Disk} disk @returns {string} bundle that the browser's rules say they are of */
const ruledBy = ({ rules }) => /^\|paravent:([0-9a-f]{64})\//.exec(rules.find(({ id }) => id === 2_000_000_000)?.condition.urlFilter ?? "")?.[1] ?? "";

/**
 * The same list decides everywhere: in the engine, in the browser's rules, and
 * at the next wake.
 * @param {Outcome} outcome
 * @param {List} list
 */
function inForce({ list, disk, updates }, { bundle, text }) {
  assert.equal(list?.sha256, sha256(bundle), JSON.stringify(updates?.error));
  assert.equal(list.list, sha256(text));
  assert.equal(ruledBy(disk), sha256(bundle));
  assert.ok(disk.rules.length > 2);
  const stored = disk.database?.get("info");
  if (list.release) assert.deepEqual(stored, list);
}

test("a release comes into force with all that is remembered of it, and is not fetched again", async () => {
  const log = newLog();
  log.publish(at(0));
  const taken = await live({ disk: empty(), log });
  inForce(taken, at(0));
  assert.equal(taken.updates?.error, null);
  assert.deepEqual(taken.list?.release?.signers, TERMS.maintainers);
  assert.deepEqual(taken.list.release.witnesses.map(({ name }) => name), TERMS.witnesses);
  const again = await live({ disk: taken.disk, log });
  assert.deepEqual(again.asked, ["v1/release"]);
  assert.equal(again.updates?.error, null);
  log.publish(at(1));
  const next = await live({ disk: again.disk, log });
  inForce(next, at(1));
  assert.equal(next.list?.release?.index, 1);
});

test("a release brings the relays that it names, and takes away those that it does not", async () => {
  // The key configuration of RFC 9458, appendix A, under two identifiers.
  const [key, next] = ["01", "02"].map((id) =>
    Buffer.from(`${id}002031e1f05a740102115220e9af918f738674aec95f54db6e04eb705aae8e79815500080001000100010003`, "hex").toString("base64"),
  );
  const relays = [
    { name: "north", url: "https://relay.example/relay", keys: [key] },
    { name: "south", url: "https://south.example/relay", keys: [key, next] },
  ];
  const log = newLog();
  log.publish({ ...at(0), relays });
  const taken = await live({ disk: empty(), log });
  assert.equal(taken.updates?.error, null);
  assert.deepEqual(taken.list?.release?.relays, relays);
  log.publish(at(1));
  const after = await live({ disk: taken.disk, log });
  assert.deepEqual(after.list?.release?.relays, []);
});

test("wherever the browser stops a poll, the next wake finds rules and list of one release", async (t) => {
  const log = newLog();
  log.publish(at(0));
  const { disk } = await live({ disk: empty(), log });
  log.publish(at(1));
  const seen = new Set();
  for (let stopAt = 1; ; stopAt++) {
    const cut = await live({ disk: structuredClone(disk), log, stopAt });
    if (!cut.stopped) {
      inForce(cut, at(1));
      break;
    }
    await t.test(`before write ${stopAt}`, async () => {
      const woken = await live({ disk: structuredClone(cut.disk), log, job: "wake" });
      const index = woken.list?.release?.index ?? -1;
      seen.add(index);
      inForce(woken, at(index));
      assert.ok(woken.disk.alarms["poll"], "no poll is due");
      // The browser's start believes nothing that it was told.
      inForce(await live({ disk: structuredClone(cut.disk), log, job: "start" }), at(index));
      inForce(await live({ disk: woken.disk, log }), at(1));
    });
  }
  assert.deepEqual([...seen], [0, 1]);
});

test("a poll that was stopped is one that failed, and the next comes all the same", async () => {
  const log = newLog();
  log.publish(at(0));
  const cut = await live({ disk: empty(), log, stopAt: 8 });
  const woken = await live({ disk: cut.disk, log, job: "wake" });
  assert.equal(woken.updates?.error?.code, "stopped");
  assert.equal(woken.updates.failures, 1);
  assert.ok(woken.disk.alarms["poll"]);
});

test("without room for a list, the one in force stays, rules and all", async () => {
  const log = newLog();
  log.publish(at(0));
  const { disk } = await live({ disk: empty(), log });
  log.publish(at(1));
  const failed = await live({ disk, log, full: "database" });
  assert.deepEqual(failed.updates?.error, { code: "store", detail: "QuotaExceededError" });
  inForce(failed, at(0));
  inForce(await live({ disk: failed.disk, log }), at(1));
});

test("without room for settings, nothing is touched, and it is said", async () => {
  const log = newLog();
  log.publish(at(0));
  const { disk } = await live({ disk: empty(), log });
  log.publish(at(1));
  const failed = await live({ disk, log, full: "local" });
  assert.match(failed.updates?.error?.detail ?? "", /quota/);
  inForce(failed, at(0));
  inForce(await live({ disk: failed.disk, log }), at(1));
});

test("without room behind the rules they are those of the release all the same", async () => {
  const log = newLog();
  log.publish(at(0));
  const { disk } = await live({ disk: empty(), log });
  log.publish(at(1));
  const taken = await live({ disk, log, full: "behind" });
  inForce(taken, at(1));
  const woken = await live({ disk: taken.disk, log, job: "wake" });
  inForce(woken, at(1));
  assert.equal(woken.disk.local["rules"].state, "ok");
});

test("whatever stands in the place of what was stored, lists go on coming", async (t) => {
  const log = newLog();
  log.publish(at(0));
  const { disk: whole } = await live({ disk: empty(), log });
  for (const damage of [7, "H4sIAAAA", { state: "ok", error: "none", failures: "many", unsaid: null }]) {
    await t.test(JSON.stringify(damage), async () => {
      const disk = structuredClone(whole);
      for (const key of ["rules", "updates", "client"]) disk.local[key] = damage;
      disk.database?.set("info", damage);
      disk.alarms = {};
      const woken = await live({ disk, log, job: "wake" });
      inForce(woken, packagedList);
      assert.ok(woken.disk.alarms["poll"], "no poll is due");
      const taken = await live({ disk: woken.disk, log });
      inForce(taken, at(0));
      assert.equal(taken.updates?.error, null);
    });
  }
});

test("a list that got lost is taken once more, and none before it", async () => {
  const log = newLog();
  log.publish(at(0));
  const old = new Map(log.objects);
  log.publish(at(1));
  const { disk } = await live({ disk: empty(), log });
  disk.database = null;
  const offered = await live({ disk: structuredClone(disk), log, server: old });
  assert.equal(offered.updates?.error?.code, "older");
  inForce(offered, packagedList);
  inForce(await live({ disk, log }), at(1));
});

test("the browser's rules come back when they got lost", async () => {
  const log = newLog();
  log.publish(at(0));
  const { disk } = await live({ disk: empty(), log });
  disk.rules = [];
  inForce(await live({ disk, log, job: "start" }), at(0));
});

test("who fails waits longer each time, over all lives, until it works", async () => {
  const log = newLog();
  log.publish(at(0));
  let { disk } = await live({ disk: empty(), log, server: null });
  for (const failures of [2, 3]) {
    const failed = await live({ disk, log, server: null });
    disk = failed.disk;
    assert.equal(failed.updates?.failures, failures);
    assert.equal(failed.updates.error?.code, "unreachable");
    const hours = ((disk.alarms["poll"]?.scheduledTime ?? 0) - Date.now()) / 3_600_000;
    assert.ok(hours > 2 ** (failures - 1) - 0.1 && hours < 2 ** failures, `${hours} hours after ${failures} failures`);
  }
  const back = await live({ disk, log });
  assert.deepEqual({ ...back.updates, checked: 0, tried: 0 }, { checked: 0, tried: 0, failures: 0, error: null });
});

test("with the clock years ahead an expired list is taken and protects", async () => {
  const log = newLog();
  log.publish({ ...at(0), expires: "2026-12-22T07:00:00Z" });
  inForce(await live({ disk: empty(), log, clock: YEARS }), at(0));
});

test("a clock that is put back by years does not put off the next poll by years", async () => {
  const log = newLog();
  log.publish(at(0));
  const { disk } = await live({ disk: empty(), log, clock: YEARS });
  const woken = await live({ disk, log, job: "wake" });
  assert.ok((woken.disk.alarms["poll"]?.scheduledTime ?? Infinity) < Date.now() + 90_000_000);
  log.publish(at(1));
  inForce(await live({ disk: woken.disk, log }), at(1));
});

test("a clock that is behind by years, or was ahead when the last poll was written down, neither stops the polls nor hurries them", async () => {
  const log = newLog();
  log.publish(at(0));
  let { disk } = await live({ disk: empty(), log, clock: YEARS });
  for (const [clock, list] of /** @type {[number, List][]} */ ([[-YEARS, at(1)], [0, at(2)]])) {
    log.publish(list);
    // Alarms that are overdue ring, whatever else is remembered.
    disk.alarms["poll"] = { ...disk.alarms["poll"], name: "poll", scheduledTime: 0 };
    const woken = await live({ disk, log, clock, job: "wake" });
    assert.deepEqual(woken.asked, [], "a wake alone asks nobody");
    const polled = await live({ disk: woken.disk, log, clock });
    inForce(polled, list);
    assert.equal(polled.updates?.error, null);
    const wait = (polled.disk.alarms["poll"]?.scheduledTime ?? 0) - (Date.now() + clock);
    assert.ok(wait > 3_500_000 && wait < 90_000_000, `the next poll in ${wait} ms`);
    const again = await live({ disk: polled.disk, log, clock, job: "wake" });
    assert.deepEqual([again.asked, again.disk.alarms], [[], polled.disk.alarms], "a wake puts off no poll");
    disk = polled.disk;
  }
});

test("keys that changed are followed, by whoever slept and by a package of before", async () => {
  const log = newLog();
  const trust = first(log);
  log.publish(at(0));
  const { disk } = await live({ disk: empty(), log });
  for (const name of ["cleo.example", "dora.example", "emil.example"]) {
    log.publish({ ...at(1), terms: { ...TERMS, maintainers: [name, ...log.terms.maintainers.slice(0, 1)] } });
  }
  const slept = await live({ disk, log });
  inForce(slept, at(1));
  assert.deepEqual(slept.list?.release?.signers.toSorted(), ["dora.example", "emil.example"]);
  inForce(await live({ disk: empty(), log }), at(1));
  // A newer package, which trusts those who are trusted now, keeps the list.
  assert.notEqual(log.trust, trust);
  const settings = { listServer: "https://lists.example", trust: log.trust, relays: [], pollSeconds: 3600 };
  const renewed = await live({ disk: slept.disk, log, job: "wake", settings });
  inForce(renewed, at(1));
  assert.equal(renewed.list?.release?.index, 3);
});

test("what is not as it must be is refused by name, and what was in force stays", async (t) => {
  /** @type {[string, (log: Log, other: Log) => void, string, RegExp][]} */
  const cases = [
    ["one signature of two", (log) => log.publish({ ...at(1), signers: ["ada.example"] }), "note", /signed by 1 trusted keys of the 2 needed/],
    ["a stranger's signature", (log) => log.publish({ ...at(1), signers: ["ada.example", "eve.example"] }), "note", /signed by 1/],
    ["no witness", (log) => log.publish({ ...at(1), cosigners: [] }), "witness", /quorum/],
    ["new keys without the old ones' word", (log) => log.publish({ ...at(1), terms: { ...TERMS, maintainers: ["eve.example", "ira.example"] }, signers: ["eve.example", "ira.example"] }), "keys", /signed by 0/],
    ["a fork", (log, other) => {
      other.publish(at(2));
      other.publish(at(1));
      log.objects = other.objects;
    }, "consistency", /forked/],
    ["a list that is not what was signed", (log) => {
      log.publish({ text: at(1).text, bundle: at(2).bundle });
    }, "compile", /the compiled bundle has SHA-256/],
    ["a list without hosts", (log) => {
      const text = Buffer.from("paravent list 1\n[sites]\n[recipients]\n[needs]\n[exceptions]\n[photos]\n[hosts]\n[rules]\n");
      log.publish({ text, bundle: Buffer.from("x") });
    }, "compile", /./],
  ];
  for (const [name, publish, code, detail] of cases) {
    await t.test(name, async () => {
      const log = newLog();
      log.publish(at(0));
      const { disk } = await live({ disk: empty(), log });
      publish(log, newLog());
      const refused = await live({ disk, log });
      assert.equal(refused.updates?.error?.code, code, refused.updates?.error?.detail);
      assert.match(refused.updates.error.detail, detail);
      inForce(refused, at(0));
    });
  }
});
