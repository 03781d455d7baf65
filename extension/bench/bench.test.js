import assert from "node:assert/strict";
import { test } from "node:test";
import { filtersOf, requestsOf } from "./corpus.js";
import { compare } from "./differences.js";
import { contenders } from "./engines.js";
import { measure, quantile, turns } from "./measure.js";
import { marked } from "./requests.js";
import { multiplied } from "./scale.js";
import { compared, counted } from "./soak-lines.js";
import { publicSuffixes } from "../tools/suffixes.js";

const page = "https://www.booking.co.uk/oncologist";

/** @type {(stops: (url: string) => boolean) => import("./engines.js").Decider} */
const stub = (stops) => ({ stops, why: (url) => (stops(url) ? "a rule" : "") });

test("the suffix list has common, private, wild and excepted suffixes", () => {
  const rules = publicSuffixes().split("\n");
  for (const rule of ["com", "co.uk", "github.io", "*.ck", "!www.ck"]) assert.ok(rules.includes(rule), rule);
});

test("every peer tells third parties by the suffix list, and names the rule", async () => {
  const list = "||ads.booking.co.uk^$third-party\n||tracker.example^$image\n@@||tracker.example/needed/\n";
  for (const [name, contender] of Object.entries(contenders)) {
    if (name === "paravent") continue; // loads what another program compiles
    /** @type {import("./engines.js").Surroundings} */
    const surroundings = { suffixes: publicSuffixes(), module: () => Promise.reject(new Error("not asked for")) };
    await contender.prepare?.(surroundings);
    const engine = await contender.load((await contender.serialize?.(list)) ?? Buffer.from(list), surroundings);
    assert.equal(engine.stops("https://ads.booking.co.uk/a.js", page, "script"), false, name);
    assert.equal(engine.stops("https://ads.booking.co.uk/a.js", "https://other.co.uk/", "script"), true, name);
    assert.equal(engine.stops("https://a.tracker.example/a.gif", page, "image"), true, name);
    assert.equal(engine.stops("https://a.tracker.example/a.js", page, "script"), false, name);
    assert.equal(engine.stops("https://a.tracker.example/needed/a.gif", page, "image"), false, name);
    assert.match(engine.why("https://a.tracker.example/a.gif", page, "image"), /tracker\.example\^\$image/, name);
    assert.equal(engine.why("https://fine.example/", page, "image"), "", name);
  }
});

test("a difference names its line and both rules, and counts for its half", () => {
  const requests = ["https://both.example/", "https://missed.example/", "https://extra.example/"].map((url) => ({ url, page, type: "image" }));
  const paravent = stub((url) => /both|extra/.test(url));
  const reference = stub((url) => /both|missed/.test(url));
  const { all, tuning, report, missed, extra } = compare(paravent, reference, requests.map((r) => JSON.stringify(r)), requests);
  assert.deepEqual(all, { requests: 3, reference_blocks: 2, found: 1, share: 0.5, extra: 1 });
  assert.equal(tuning.requests + report.requests, 3);
  assert.deepEqual(missed.map(({ line, reference, paravent }) => [line, reference, paravent]), [[2, "a rule", ""]]);
  assert.deepEqual(extra.map(({ line, reference, paravent }) => [line, reference, paravent]), [[3, "", "a rule"]]);
});

test("no two requests that are measured are alike", () => {
  const requests = [{ url: "https://a.example/", page, type: "image" }, { url: "https://a.example/?x=1", page, type: "image" }];
  const asked = [...marked(requests, "0"), ...marked(requests, "1")];
  assert.equal(asked[0].url, "https://a.example/?pv=0.0");
  assert.equal(asked[1].url, "https://a.example/?x=1&pv=0.1");
  assert.equal(new Set(asked.flatMap(({ url, page }) => [url, page])).size, 8);
});

test("measuring gives every engine every request in every round", () => {
  let asked = 0;
  const engine = stub(() => ++asked > 0);
  const requests = Array.from({ length: 10 }, (_, i) => ({ url: `https://a.example/${i}`, page, type: "image" }));
  const { engine: figures } = measure({ engine }, requests, { warm: 1, rounds: 3, clocked: 2, every: 2, repeats: 4 });
  assert.equal(asked, 4 * 10 + 2 * 5 * 4);
  assert.equal(figures.rounds.length, 3);
  assert.equal(figures.stopped, 10);
  assert.ok(figures.p50_ns <= figures.p90_ns && figures.p90_ns <= figures.p99_ns);
});

test("turns and quantiles", () => {
  assert.deepEqual([0, 1, 2, 3].map((round) => turns(["a", "b", "c"], round).join("")), ["abc", "bca", "cab", "abc"]);
  assert.equal(quantile([1, 2, 3, 4], 0.5), 3);
  assert.equal(quantile([1], 0.99), 1);
});

test("copies of rules keep their shape, and the same seed gives the same ones", () => {
  const rules = ["||tracker.example^$script,domain=booking.example", "/pixel.gif?", "@@||allowed.example/path/", "/banner\\d+/"];
  const many = multiplied(rules, 9, 1);
  assert.deepEqual(many, multiplied(rules, 9, 1));
  assert.notDeepEqual(many, multiplied(rules, 9, 2));
  assert.deepEqual(many.slice(0, 4), rules);
  assert.equal(new Set(many).size, many.length);
  for (const rule of many.slice(4)) {
    assert.match(rule, /^(\|\|[acekrt]{7}\.[aelmpx]{7}\^\$script,domain=booking\.example|\/[eilpx]{5}\.gif\?|@@\|\|[adelow]{7}\.[aelmpx]{7}\/[ahpt]{4}\/)$/);
  }
});

test("a canonical list's filters, and requests made of them", () => {
  const list = "paravent list 1\n[sites]\nbooking.example\tB\n[needs]\n||need.example^\n[exceptions]\n@@||fine.example^\n[hosts]\ntracker.example\n[rules]\n||a.example/x\n";
  assert.equal(filtersOf(list), "@@||fine.example^\n||tracker.example^\n||a.example/x\n");
  assert.ok(requestsOf("||tracker.example^\n").some(({ url }) => url === "https://tracker.example/"));
});

test("what grows does not hold, what is noise does, and nothing holds without samples", () => {
  const samples = (/** @type {number[]} */ ...values) => values.map((value, at) => ({ at, value }));
  const line = (/** @type {{at: number, value: number}[]} */ of, /** @type {object} */ how = {}) =>
    compared("it", of, ({ value }) => value, { from: 0, to: 9, most: 1.05, ...how });
  assert.deepEqual(line(samples(1, 1, 9, 1, 1, 1, 1, 9, 1)), { what: "it", first: 1, last: 1, value: 1, most: 1.05, holds: true });
  assert.equal(line(samples(10, 10, 10, 10, 10, 10, 11, 11, 11)).holds, false);
  assert.equal(line(samples(10, 10, 10, 10, 10, 10, 11, 11, 11), { least: 1 }).holds, true);
  assert.equal(line(samples(10, 10, 10, 10, 10, 10, 99, 10, 99), { share: 0.25 }).holds, true);
  assert.equal(line(samples(1, 1, 1)).holds, false);
  assert.equal(line([], { most: undefined }).holds, true);
  assert.equal(counted("lost", 0, 0).holds, true);
  assert.equal(counted("lost", 1, 0).holds, false);
  assert.equal(counted("visits", 7).holds, true);
});
