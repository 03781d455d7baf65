import assert from "node:assert/strict";
import test from "node:test";
import { publicSuffixes } from "../tools/suffixes.js";
import { takeSuffixes } from "./domains.js";
import { damageOf, isSite, Sites } from "./sites.js";

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
  assert.deepEqual(sites.scope(), {
    everywhere: "off",
    sites: [
      { domain: "all.example", own: "all.example", listed: false, mode: "strict", allow: [] },
      { domain: "booking.doctolib.fr", own: "doctolib.fr", listed: true, mode: "protect", allow: [] },
      { domain: "jameda.de", own: "jameda.de", listed: true, mode: "off", allow: [] },
      { domain: "mine.example", own: "mine.example", listed: false, mode: "watch", allow: ["b.example", "a.example"] },
    ],
  });
});

test("with every page in scope a site is what its registrable domain is, and off where its user says so", () => {
  const stored = { scope: "all", modes: { "quiet.example": "off", "mine.example": "protect" }, allowed: { "news.co.uk": ["cdn.example"] } };
  const sites = new Sites(["booking.doctolib.fr"], stored);
  assert.equal(sites.range, "all");
  for (const [host, domain, mode] of [
    ["www.news.co.uk", "news.co.uk", "protect"],
    ["a.booking.doctolib.fr", "booking.doctolib.fr", "protect"],
    ["www.doctolib.fr", "doctolib.fr", "protect"],
    ["a.quiet.example", "quiet.example", "off"],
    ["10.0.0.1", "10.0.0.1", "protect"],
    ["[::1]", "[::1]", "protect"],
  ]) {
    assert.equal(sites.domainOf(host), domain, host);
    assert.equal(sites.modeOf(host), mode, host);
  }
  assert.equal(sites.domainOf(""), "");
  assert.ok(sites.allows("www.news.co.uk", "https://cdn.example/x"));
  const { everywhere, sites: all } = sites.scope();
  assert.equal(everywhere, "protect");
  assert.deepEqual(all.map(({ domain }) => domain), ["booking.doctolib.fr", "mine.example", "news.co.uk", "quiet.example"]);
  assert.deepEqual(new Sites(["doctolib.fr"], { ...stored, scope: "sites" }).scope().sites.map(({ domain }) => domain), ["doctolib.fr", "mine.example", "quiet.example"]);

  // Off is a choice here, and protect none; a site that was added stays one.
  assert.deepEqual(sites.choose("new.example", "off").modes["new.example"], "off");
  assert.ok(!("new.example" in sites.choose("new.example", "protect").modes));
  assert.ok(!("quiet.example" in sites.choose("quiet.example", "protect").modes));
  assert.equal(sites.choose("mine.example", "protect").modes["mine.example"], "protect");
  assert.deepEqual(sites.forget("news.co.uk").allowed, {});
});

test("what an administrator chose stands above what users did", () => {
  const stored = { scope: "sites", modes: { "a.example": "off", "doctolib.fr": "off", "x.clinic.example": "watch" } };
  const some = new Sites(["doctolib.fr"], stored, { sites: { "clinic.example": "strict" }, scope: "all" });
  assert.equal(some.modeOf("www.clinic.example"), "strict");
  assert.equal(some.modeOf("x.clinic.example"), "strict");
  assert.equal(some.modeOf("doctolib.fr"), "off");
  assert.equal(some.modeOf("other.example"), "protect");
  assert.ok(some.isFixed("x.clinic.example") && !some.isFixed("doctolib.fr"));
  const all = new Sites(["doctolib.fr"], stored, { sites: { "clinic.example": "watch" }, mode: "strict" });
  assert.equal(all.modeOf("doctolib.fr"), "strict");
  assert.equal(all.modeOf("a.example"), "strict");
  assert.equal(all.modeOf("clinic.example"), "watch");
  assert.equal(all.modeOf("other.example"), "off");
  assert.ok(all.isFixed("doctolib.fr"));
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

test("what is damaged of the choices is named", () => {
  assert.equal(damageOf({}), "");
  assert.equal(damageOf({ modes: { "mine.example": "strict" }, allowed: { "mine.example": ["a.example"] }, scope: "all" }), "");
  for (const modes of ["text", 3, null, [], { "mine.example": "nonsense" }]) assert.equal(damageOf({ modes }), "modes: damaged", JSON.stringify(modes));
  for (const allowed of ["text", null, { "mine.example": "a.example" }]) assert.equal(damageOf({ allowed }), "allowed: damaged", JSON.stringify(allowed));
  assert.equal(damageOf({ modes: 1, scope: 2 }), "modes: damaged, scope: damaged");
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
    ["fr", false],
    ["co.uk", false],
    ["foo.ck", false],
    ["intranet", true],
    ["localhost", true],
    [`${"a".repeat(254)}.fr`, false],
    [7, false],
    [null, false],
  ]) {
    assert.equal(isSite(text, sites), answer, String(text));
  }
});
