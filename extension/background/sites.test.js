import assert from "node:assert/strict";
import test from "node:test";
import { isSite, Sites } from "./sites.js";

test("listed sites are protected unless their user says otherwise", () => {
  const sites = new Sites(["doctolib.fr", "jameda.de"], { "jameda.de": "off", "mine.example": "watch" });
  for (const [host, mode] of [
    ["www.doctolib.fr", "protect"],
    ["jameda.de", "off"],
    ["a.mine.example", "watch"],
    ["other.example", "off"],
  ]) {
    assert.equal(sites.modeOf(host), mode, host);
  }
  assert.deepEqual(sites.scope(), {
    protected: ["doctolib.fr", "jameda.de", "mine.example"],
    allowed: ["jameda.de", "mine.example"],
  });
});

test("what could not be read leaves no page for certainly unprotected", () => {
  const noList = new Sites(null, { "mine.example": "off" });
  assert.equal(noList.modeOf("mine.example"), "off");
  assert.equal(noList.modeOf("doctolib.fr"), "unknown");
  const noChoices = new Sites(["doctolib.fr"], null);
  assert.equal(noChoices.modeOf("doctolib.fr"), "protect");
  assert.equal(noChoices.modeOf("mine.example"), "unknown");
  assert.equal(noChoices.known, false);
});

test("damaged choices count as none made", () => {
  for (const chosen of [undefined, {}, { "doctolib.fr": "nonsense" }, "text", 3]) {
    assert.equal(new Sites(["doctolib.fr"], chosen).modeOf("doctolib.fr"), "protect", JSON.stringify(chosen));
  }
});

test("a choice that changes nothing is not kept", () => {
  const sites = new Sites(["doctolib.fr"], { "doctolib.fr": "off", "mine.example": "protect" });
  assert.deepEqual(sites.choose("doctolib.fr", "protect"), { "mine.example": "protect" });
  assert.deepEqual(sites.choose("mine.example", "off"), { "doctolib.fr": "off" });
  assert.deepEqual(sites.choose("new.example", "watch"), {
    "doctolib.fr": "off",
    "mine.example": "protect",
    "new.example": "watch",
  });
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
