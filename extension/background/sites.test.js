import assert from "node:assert/strict";
import test from "node:test";
import { publicSuffixes } from "../tools/suffixes.js";
import { takeSuffixes } from "./domains.js";
import { isSite, Sites } from "./sites.js";

takeSuffixes(publicSuffixes());

test("listed sites are protected unless their user says otherwise", () => {
  const sites = new Sites(["booking.doctolib.fr", "jameda.de"], {
    modes: { "jameda.de": "off", "mine.example": "watch", "all.example": "strict" },
    allowed: { "mine.example": ["b.example", "a.example"] },
  });
  for (const [host, mode] of [
    ["www.booking.doctolib.fr", "protect"],
    ["www.doctolib.fr", "off"],
    ["jameda.de", "off"],
    ["a.mine.example", "watch"],
    ["all.example", "strict"],
    ["other.example", "off"],
  ]) {
    assert.equal(sites.modeOf(host), mode, host);
  }
  assert.deepEqual(sites.scope(), [
    { domain: "all.example", own: "all.example", mode: "strict", allow: [] },
    { domain: "booking.doctolib.fr", own: "doctolib.fr", mode: "protect", allow: [] },
    { domain: "jameda.de", own: "jameda.de", mode: "off", allow: [] },
    { domain: "mine.example", own: "mine.example", mode: "watch", allow: ["b.example", "a.example"] },
  ]);
});

test("what could not be read leaves no page for certainly unprotected", () => {
  const noList = new Sites(null, { modes: { "mine.example": "off" } });
  assert.equal(noList.modeOf("mine.example"), "off");
  assert.equal(noList.modeOf("doctolib.fr"), "unknown");
  const noChoices = new Sites(["doctolib.fr"], null);
  assert.equal(noChoices.modeOf("doctolib.fr"), "protect");
  assert.equal(noChoices.modeOf("mine.example"), "unknown");
  assert.equal(noChoices.known, false);
});

test("damaged choices count as none made", () => {
  for (const chosen of [undefined, {}, { "doctolib.fr": "nonsense" }, "text", 3]) {
    assert.equal(new Sites(["doctolib.fr"], { modes: chosen }).modeOf("doctolib.fr"), "protect", JSON.stringify(chosen));
  }
  for (const allowed of [undefined, [], { "doctolib.fr": "a.example" }, { "doctolib.fr": ["A.example", "a b", 7, null] }]) {
    assert.deepEqual(new Sites(["doctolib.fr"], { allowed }).allowedOn("doctolib.fr"), [], JSON.stringify(allowed));
  }
});

test("a choice that changes nothing is not kept", () => {
  const allowed = { "mine.example": ["a.example"] };
  const sites = new Sites(["doctolib.fr"], { modes: { "doctolib.fr": "off", "mine.example": "protect" }, allowed });
  assert.deepEqual(sites.choose("doctolib.fr", "protect"), { modes: { "mine.example": "protect" }, allowed });
  assert.deepEqual(sites.choose("mine.example", "off"), { modes: { "doctolib.fr": "off" }, allowed: {} });
  assert.deepEqual(sites.choose("new.example", "watch"), {
    modes: { "doctolib.fr": "off", "mine.example": "protect", "new.example": "watch" },
    allowed,
  });
});

test("a host is allowed on one site, and taken back", () => {
  const modes = { "doctolib.fr": "strict" };
  const first = new Sites(["doctolib.fr", "jameda.de"], { modes }).allow("doctolib.fr", "b.example", true);
  assert.deepEqual(first, { modes, allowed: { "doctolib.fr": ["b.example"] } });
  const sites = new Sites(["doctolib.fr", "jameda.de"], first);
  assert.ok(sites.allows("www.doctolib.fr", "https://b.example/x"));
  assert.ok(sites.allows("doctolib.fr", "https://cdn.b.example/x"));
  assert.ok(!sites.allows("doctolib.fr", "https://ab.example/x"));
  assert.ok(!sites.allows("jameda.de", "https://b.example/x"));
  assert.deepEqual(sites.allow("doctolib.fr", "a.example", true).allowed, { "doctolib.fr": ["a.example", "b.example"] });
  assert.deepEqual(sites.allow("doctolib.fr", "b.example", false), { modes, allowed: {} });
});

test("a message may name a site, nothing wider and nothing else", () => {
  const sites = new Sites(["booking.doctolib.fr"], {});
  for (const [text, answer] of [
    ["doctolib.fr", true],
    ["booking.doctolib.fr", true],
    ["www.doctolib.fr", false],
    ["DOCTOLIB.fr", false],
    ["a.example/b", false],
    ["*.example", false],
    ["", false],
    [`${"a".repeat(254)}.fr`, false],
    [7, false],
    [null, false],
  ]) {
    assert.equal(isSite(text, sites), answer, String(text));
  }
});
