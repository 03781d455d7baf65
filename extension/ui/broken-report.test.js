import assert from "node:assert/strict";
import test from "node:test";
import { reportText, rowsOf, shortened } from "./broken-report.js";

/** @param {string} url @param {string} outcome @param {object} [more] */
const request = (url, outcome, more) =>
  /** @type {import("../background/visits.js").VisitRequest} */ (
    /** @type {unknown} */ ({ page: 0, url, type: "script", outcome, reason: "listed", rule: "||ads.example^", ...more })
  );

const PAGES = [{ url: "https://booking.example/oncologist/paris?motive=breast-lump" }];

test("requests that were decided alike are one, the stopped ones first", () => {
  const rows = rowsOf(
    [
      request("https://booking.example/oncologist/paris", "allow", { type: "main_frame" }),
      request("https://cdn.example/a.js", "allow", { reason: "unlisted", rule: "" }),
      request("https://ads.example/a.js", "block"),
      request("https://ads.example/b.js?u=1", "block"),
      request("https://ads.example/c.png", "block", { type: "image" }),
      request("https://photos.example/1.jpg", "relay", { type: "image", reason: "photo", rule: "||photos.example/*.jpg" }),
      request("https://ads.example/d.js", "missed"),
      request("no address", "block"),
    ],
    PAGES,
  );
  assert.deepEqual(
    rows.map(({ url, decision, count }) => [url, decision, count]),
    [
      ["https://ads.example/a.js", "block", 2],
      ["https://ads.example/c.png", "block", 1],
      ["https://photos.example/1.jpg", "relay", 1],
      ["https://cdn.example/a.js", "allow", 1],
      ["https://ads.example/d.js", "allow", 1],
    ],
  );
  assert.equal(rowsOf(Array.from({ length: 5000 }, (_, i) => request(`https://host${i}.example/`, "block")), PAGES).length, 500);
});

test("of an address the host is told, its path when that is wanted, its query never", () => {
  const address = "https://user:secret@ads.example:8443/collect/anna?u=https%3A%2F%2Fbooking.example%2Foncologist#top";
  assert.equal(shortened(address, false), "https://ads.example:8443/…");
  assert.equal(shortened(address, true), "https://ads.example:8443/collect/anna");
  assert.equal(shortened("no address", true), "");
});

test("nothing of the page is in a report unless it is wanted", () => {
  const rows = rowsOf([request("https://ads.example/oncologist/paris?q=breast-lump", "block"), request("https://ads.example/x", "block")], PAGES);
  const what = { site: "booking.example", says: " It stays empty. ", rows, withPaths: false, withPage: false };
  const short = reportText(what);
  for (const word of ["oncologist", "paris", "breast-lump"]) assert.ok(!short.includes(word), short);
  assert.deepEqual(JSON.parse(short), {
    "paravent-report": 1,
    site: "booking.example",
    says: "It stays empty.",
    requests: [{ url: "https://ads.example/…", type: "script", page: "https://booking.example/…", decision: "block", reason: "listed", rule: "||ads.example^" }],
  });
  assert.ok(reportText({ ...what, withPage: true }).includes("https://booking.example/oncologist/paris"));
  assert.ok(reportText({ ...what, withPaths: true }).includes("https://ads.example/oncologist/paris"));
  assert.ok(!reportText({ ...what, withPage: true, withPaths: true }).includes("breast-lump"));
});
