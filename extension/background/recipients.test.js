import assert from "node:assert/strict";
import test from "node:test";
import { byRecipient } from "./recipients.js";

/** @param {number} block */
const record = (block) => ({ block, relay: 0, would: 0, missed: 0, rule: "", reason: "listed" });

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
    byRecipient(hosts, known).map(({ name, country, hosts, counts }) => [name, country, hosts.map(({ host }) => host), counts.block]),
    [
      ["Google", "US", ["www.google-analytics.com", "stats.g.doubleclick.net"], 5],
      ["small.example", "", ["small.example"], 1],
    ],
  );
});
