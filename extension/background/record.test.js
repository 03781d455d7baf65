import assert from "node:assert/strict";
import { it } from "node:test";

/** What the browser keeps for as long as it runs. @type {Map<string, string>} */
const session = new Map();

Object.assign(globalThis, {
  chrome: {
    runtime: { getURL: () => "chrome-extension://own/" },
    action: { setBadgeText: async () => {} },
    storage: {
      session: {
        get: async (/** @type {string | string[]} */ keys) =>
          Object.fromEntries([keys].flat().filter((key) => session.has(key)).map((key) => [key, JSON.parse(session.get(key) ?? "")])),
        set: async (/** @type {Record<string, unknown>} */ entries) => {
          for (const [key, value] of Object.entries(entries)) session.set(key, JSON.stringify(value));
        },
        remove: async () => {},
      },
    },
  },
});

const { beginRecord, note, recordOf } = await import("./record.js");

/** @type {import("./record.js").Noted} */
const request = { outcome: "block", host: "", url: "https://x.example/", type: "script", rule: "", reason: "listed", isPhoto: true, told: [{ what: "path", place: "url", encoding: "", field: "", text: "x" }] };

/** Names that every object has, and one that makes objects what they are. */
const NAMES = ["constructor", "__proto__", "tostring", "hasownproperty", "valueof", "tracker.example"];

it("counts hosts whatever they are called", async () => {
  beginRecord(1, "booking.example", "protect");
  for (const host of NAMES) for (let i = 0; i < 3; i++) note(1, { ...request, host });
  const hosts = recordOf(1)?.hosts ?? {};
  assert.deepEqual(Object.keys(hosts), NAMES);
  for (const { block, photos, scripts } of Object.values(hosts)) assert.deepEqual([block, photos.length, scripts], [3, 1, 3]);
  assert.ok(!("block" in {}), "every object has got a count");

  // A further wake goes on with what the last one has written.
  while (!session.has("tab:1")) await new Promise((done) => setTimeout(done, 10));
  const again = /** @type {typeof import("./record.js")} */ (await import(`./record.js?${"again"}`));
  await again.readRecords();
  for (const host of NAMES) again.note(1, { ...request, host });
  assert.deepEqual(Object.values(again.recordOf(1)?.hosts ?? {}).map(({ block }) => block), NAMES.map(() => 4));
});

it("keeps no host apart that is longer than one can be, and not more of them than it shows", () => {
  beginRecord(2, "booking.example", "protect");
  for (let i = 0; i < 1000; i++) note(2, { ...request, host: `${i}.${"a".repeat(100_000)}.example` });
  for (let i = 0; i < 1000; i++) note(2, { ...request, host: `${i}.example` });
  const record = recordOf(2);
  assert.equal(record?.total.block, 2000);
  assert.equal(Object.keys(record.hosts).length, 300);
  assert.equal(record.more, 1700);
});
