/** The pure parts of the report: what became of requests, who stands behind them, filters, time, decoding. */

import assert from "node:assert/strict";
import test from "node:test";
import { gzipSync } from "node:zlib";
import "../tools/language.js";
import { FATES, fateOf, fatesOf, groupsOf, rowsOf, toldOf, visitOf } from "./report-data.js";
import { bodyOf, cut, parametersOf, shortened } from "./report-decode.js";
import { EVERYTHING, narrowed, sorted, valuesOf } from "./report-filter.js";
import { headWords, verdictOf } from "./report-head.js";
import { columnsOf, scaleOf } from "./report-scale.js";

/** @typedef {import("./report-data.js").Entry} Entry */

const KNOWN = [
  { name: "Watcher", country: "US", purposes: ["analytics"] },
  { name: "Photos", country: "FR" },
];
const FOUND = { what: "address", place: "url", encoding: "percent", field: "dl", text: "https://booking.example/a" };

/** @param {Partial<Entry>} more @returns {Entry} */
const entry = (more) => ({
  page: 0,
  at: 0,
  url: "https://collect.watcher.example/e",
  host: "collect.watcher.example",
  type: "ping",
  method: "GET",
  recipient: "Watcher",
  party: "third",
  action: "block",
  outcome: "would",
  reason: "listed",
  rule: "||watcher.example^",
  learnt: [],
  ...more,
});

test("what became of a request", () => {
  const fates = /** @type {const} */ (["missed", "would", "block", "relay", "allow"]).map((outcome) => fateOf({ outcome }));
  assert.deepEqual(fates, FATES);
});

test("recipients: who should get nothing first, trackers under the site's name among them, not the site", () => {
  const rows = rowsOf(
    [
      entry({ type: "main_frame", url: "https://booking.example/", recipient: "Booking", party: "first", outcome: "allow", action: "allow" }),
      entry({ recipient: "Booking", party: "first", outcome: "allow", action: "allow" }),
      entry({ recipient: "Own tracker", party: "first", outcome: "block", host: "m.booking.example" }),
      entry({ outcome: "block", learnt: [FOUND], type: "script" }),
      entry({ outcome: "block", learnt: [FOUND] }),
      entry({ outcome: "allow", action: "allow", reason: "needed", host: "captcha.watcher.example" }),
      entry({ recipient: "Photos", outcome: "relay", action: "relay", reason: "photo", url: "https://p.example/1" }),
      entry({ recipient: "Photos", outcome: "relay", action: "relay", reason: "photo", url: "https://p.example/1" }),
      entry({ recipient: "Needed", outcome: "allow", action: "allow" }),
    ],
    KNOWN,
  );
  const groups = groupsOf(rows, KNOWN);
  assert.deepEqual(groups.map(({ name }) => name), ["Watcher", "Photos", "Own tracker", "Needed"]);
  const [watcher, photos] = groups;
  assert.ok(photos && watcher);
  assert.equal(photos.photos, 1);
  assert.equal(toldOf(watcher), 2);
  assert.deepEqual(watcher.learnt, [{ ...FOUND, requests: 2 }]);
  assert.deepEqual([watcher.country, watcher.purposes, watcher.scripts], ["US", ["analytics"], 1]);
  assert.deepEqual(fatesOf(watcher), [{ fate: "stopped", count: 2 }, { fate: "passed", count: 1 }]);
  assert.equal(rows[3]?.country, "US");
});

test("the head says nobody was kept out, all were, or who was told all the same", () => {
  const groups = (/** @type {Partial<Entry>[]} */ ...all) => groupsOf(rowsOf(all.map(entry), KNOWN), KNOWN);
  const stopped = { outcome: /** @type {const} */ ("block"), learnt: [FOUND] };
  const passed = { recipient: "Needed", outcome: /** @type {const} */ ("allow") };
  const key = (/** @type {Partial<Entry>[]} */ all, mode = "protect") => verdictOf(groups(...all), mode).key;
  assert.equal(key([passed]), "Nobody");
  assert.equal(key([stopped, passed]), "Stopped");
  assert.equal(key([stopped, { ...stopped, outcome: "missed" }]), "Left", "one that left is told of first");
  assert.equal(key([{ outcome: "would" }], "watch"), "Watch");
  assert.equal(key([{ outcome: "would" }], ""), "File");
  const visit = { domain: "booking.example", mode: "protect", started: 1, pages: [], dropped: 0, carriers: [] };
  const words = (/** @type {Partial<Entry>[]} */ ...all) => headWords({ visit, groups: groups(...all), name: "" });
  assert.match(words(stopped, passed)[1] ?? "", /^1 other was let through; .* nothing of the pages/);
  assert.match(words(stopped, { ...passed, learnt: [FOUND] })[1] ?? "", /1 was sent something of the pages/);
  assert.match(words(stopped)[1] ?? "", /^No other/);
});

test("a file's visit can be saved as one", () => {
  const header = { domain: "booking.example", mode: "watch", started: 1, pages: [], dropped: 0, carriers: [] };
  const { requests, domain } = visitOf({ visit: header, entries: [entry({ learnt: [FOUND] }), entry({ outcome: "allow" })] });
  assert.equal(domain, "booking.example");
  assert.deepEqual(requests.map(({ outcome, told }) => [outcome, told.length]), [["would", 1], ["allow", 0]]);
});

test("filters and order", () => {
  const rows = rowsOf(
    [
      entry({ at: 5, recipient: "B", page: 1 }),
      entry({ at: 7, recipient: "A", learnt: [FOUND], url: "https://X.example/Path?q=Paris" }),
      entry({ at: 6, recipient: "A", outcome: "allow", type: "image" }),
    ],
    [],
  );
  const ids = (/** @type {Partial<import("./report-filter.js").Filter>} */ change) => narrowed(rows, { ...EVERYTHING, ...change }).map(({ id }) => id);
  assert.deepEqual(ids({}), [0, 1, 2]);
  assert.deepEqual(ids({ recipient: "A" }), [1, 2]);
  assert.deepEqual(ids({ fate: "passed" }), [2]);
  assert.deepEqual(ids({ page: 1 }), [0]);
  assert.deepEqual(ids({ type: "image" }), [2]);
  assert.deepEqual(ids({ told: true }), [1]);
  assert.deepEqual(ids({ words: " paris x.EXAMPLE " }), [1]);
  assert.deepEqual(ids({ words: "<img" }), []);
  const order = (/** @type {import("./report-filter.js").Column} */ column, descending = false) =>
    sorted(rows, column, descending, (name, row) => String(row[name])).map(({ id }) => id);
  assert.deepEqual(order("at"), [0, 2, 1]);
  assert.deepEqual(order("at", true), [1, 2, 0]);
  assert.deepEqual(order("recipient"), [1, 2, 0]);
  assert.deepEqual(order("learnt", true), [1, 0, 2]);
  assert.deepEqual(valuesOf(rows, "recipient"), ["A", "B"]);
});

test("a long silence takes no more room than it must, and every page some", () => {
  const { at, silences } = scaleOf([0, 100, 200, 3_600_000, 3_600_100], [0, 3_600_000]);
  assert.ok(at(200) > 0.05 && at(3_600_000) < 0.95, `${at(200)} ${at(3_600_000)}`);
  assert.deepEqual(silences.map(({ ms }) => ms), [3_599_800]);
  const places = [0, 100, 200, 3_600_000, 3_600_100].map(at);
  assert.deepEqual(places, places.toSorted((a, b) => a - b));
  assert.ok((places.at(-1) ?? 2) <= 1);
  const starts = Array.from({ length: 30 }, (_, i) => i);
  const busy = scaleOf([0, 50_000], starts);
  for (const start of starts.slice(1)) assert.ok(busy.at(start) - busy.at(start - 1) > 0.01);
});

test("times of nothing, of one moment and of garbage", () => {
  assert.equal(scaleOf([], []).at(0), 0);
  assert.equal(scaleOf([5, 5], [5]).at(5), 0);
  assert.deepEqual([...columnsOf([0, 0.5, 1, 1], 10)], [[0, 1], [5, 1], [9, 2]]);
});

test("addresses are cut, never inside a character", () => {
  assert.equal(cut("abc", 3), "abc");
  assert.equal(cut("ab😀", 3), "ab…");
  assert.equal(shortened("https://a.example/", 100), "https://a.example/");
  assert.equal(shortened("https://a.example/\u202egnp\u0000", 100), "https://a.example/\uFFFDgnp\uFFFD");
  const long = shortened(`https://a.example/${"😀".repeat(500)}end`, 100);
  assert.ok(long.length <= 100 && long.endsWith("end") && long.startsWith("https://a.example/"), long);
  assert.doesNotThrow(() => encodeURIComponent(long));
});

test("parameters, decoded and bounded", () => {
  assert.deepEqual(parametersOf("https://a.example/?dl=https%3A%2F%2Fb.example%2F&x"), [{ name: "dl", value: "https://b.example/" }, { name: "x", value: "" }]);
  assert.deepEqual(parametersOf("no address"), []);
  assert.equal(parametersOf(`https://a.example/?${"a=1&".repeat(1000)}`).length, 60);
});

test("bodies: JSON laid out, gzip unpacked, what is no text not shown, a bomb not inflated", async () => {
  const base64 = (/** @type {Uint8Array | string} */ data) => Buffer.from(data).toString("base64");
  assert.equal((await bodyOf(base64('{"a":[1]}'))).text, '{\n  "a": [\n    1\n  ]\n}');
  assert.equal((await bodyOf(base64("a=1&b=é"))).text, "a=1&b=é");
  assert.equal((await bodyOf(base64('{"\u202Egnp.exe":1}'))).text, '{\n  "\uFFFDgnp.exe": 1\n}');
  assert.equal((await bodyOf(base64(gzipSync("motive=breast-lump")))).text, "motive=breast-lump");
  assert.equal((await bodyOf(base64(gzipSync(Buffer.alloc(50_000_000, 97))))).text.length, 4001);
  assert.deepEqual(await bodyOf(base64(Uint8Array.of(0, 1, 2, 255, 254))), { text: "", bytes: 5 });
  assert.equal((await bodyOf(base64(Uint8Array.of(0x1f, 0x8b, 1)))).text, "");
});
