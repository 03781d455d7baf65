import assert from "node:assert/strict";
import test from "node:test";
import { publicSuffixes } from "../tools/suffixes.js";
import { takeSuffixes } from "./domains.js";
import { byRecipient } from "./recipients.js";

takeSuffixes(publicSuffixes());

/**
 * @param {number} block
 * @param {Partial<import("./record.js").HostRecord>} [more]
 * @returns {import("./record.js").HostRecord}
 */
const record = (block, more) => ({
  block, relay: 0, would: 0, missed: 0, allow: 0, rule: "", reason: "listed", photos: [], scripts: 0, learnt: [], ...more,
});

test("hosts are put together by who stands behind them", () => {
  const known = [
    { host: "google-analytics.com", name: "Google", country: "US" },
    { host: "doubleclick.net", name: "Google", country: "US" },
  ];
  const hosts = {
    "small.example": record(1),
    "www.google-analytics.com": record(2),
    "stats.g.doubleclick.net": record(3),
  };
  assert.deepEqual(
    byRecipient(hosts, known, "booking.example").map(({ name, country, hosts, counts }) => [name, country, hosts.map(({ host }) => host), counts.block]),
    [
      ["Google", "US", ["www.google-analytics.com", "stats.g.doubleclick.net"], 5],
      ["small.example", "", ["small.example"], 1],
    ],
  );
});

test("who was only let through stands at the end, the page's own site nowhere, who hides under its name does", () => {
  const known = [
    { host: "booking.example", name: "Booking", country: "FR" },
    { host: "metrics.booking.example", name: "Sillage", country: "FR", purposes: ["analytics"] },
  ];
  const hosts = {
    "www.booking.example": record(0, { allow: 9 }),
    "cdn.booking.example": record(0, { allow: 1 }),
    "map.example": record(0, { allow: 30 }),
    "metrics.booking.example": record(1),
    "listed.booking.example": record(1),
  };
  const found = byRecipient(hosts, known, "booking.example");
  assert.deepEqual(found.map(({ name, purposes }) => [name, ...purposes]), [["Booking"], ["Sillage", "analytics"], ["map.example"]]);
});

test("what was learnt is counted by kind, and photos by their address", () => {
  const known = [{ host: "ads.example", name: "Ads", country: "US" }];
  const leak = { what: "address", place: "url", encoding: "percent", field: "dl", text: "booking.example/oncologist" };
  const hosts = {
    "a.ads.example": record(1, { photos: [1, 2], scripts: 1, learnt: [{ ...leak, field: "u", requests: 1, left: 0 }, { ...leak, requests: 2, left: 0 }] }),
    "b.ads.example": record(1, { photos: [3], scripts: 2, learnt: [{ ...leak, requests: 3, left: 1, text: "got there" }] }),
  };
  const [ads] = byRecipient(hosts, known, "booking.example");
  assert.equal(ads.photos, 3);
  assert.deepEqual(ads.learnt, [{ ...leak, requests: 5, left: 1, text: "got there" }, { ...leak, field: "u", requests: 1, left: 0 }]);
});
