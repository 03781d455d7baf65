import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import test from "node:test";
import { speak } from "../tools/language.js";
import { claimsOf, learntBy, nameOf, purposesOf } from "./sentences.js";

/** @typedef {import("./sentences.js").Known} Known */

const WHERE = { domain: "booking.example", mode: "protect" };
const ADDRESS = "https://booking.example/oncologist/paris?motive=breast-lump";

/** @param {Partial<Known["counts"]>} counts @param {Partial<Known>} [more] @returns {Known} */
const recipient = (counts, more) => ({
  name: "Example",
  country: "US",
  purposes: [],
  counts: { block: 0, relay: 0, would: 0, missed: 0, allow: 0, ...counts },
  photos: 0,
  learnt: [],
  ...more,
});

/** @param {string} what @param {string} text @param {string} [encoding] */
const found = (what, text, encoding = "plain") => ({ what, place: "url", encoding, field: "", text, requests: 1 });

const BOTH = [found("path", "oncologist/paris"), found("search", "breast-lump")];

/** @type {[string, Known, string[]][]} */
const CASES = [
  ["photos that came another way", recipient({ relay: 9 }, { photos: 8 }), ["Would have learnt which 8 photos you were shown."]],
  ["one photo", recipient({ relay: 1 }, { photos: 1 }), ["Would have learnt which photo you were shown."]],
  ["photos that were asked for directly", recipient({ would: 2 }, { photos: 2 }), ["Learnt which 2 photos you were shown."]],
  [
    "the address, which has the words and the search in it",
    recipient({ block: 3 }, { learnt: [found("address", ADDRESS, "percent"), ...BOTH] }),
    [`Would have learnt the address of a page you opened here: “${ADDRESS}”.`],
  ],
  [
    "words and search",
    recipient({ block: 2 }, { learnt: BOTH }),
    ["Would have read “oncologist” and “paris” in the addresses of pages here.", "Would have learnt what you asked for here: “breast-lump”."],
  ],
  ["the same words, twice", recipient({ block: 2 }, { learnt: [found("path", "paris"), found("path", "Paris")] }), ["Would have read “paris” in the addresses of pages here."]],
  [
    "two forms of one address",
    recipient({ missed: 2 }, { learnt: [found("address", "booking.example/a/b"), found("address", "https://www.booking.example/a/b/")] }),
    ["Learnt the address of a page you opened here: “booking.example/a/b”."],
  ],
  [
    "two addresses",
    recipient({ missed: 2 }, { learnt: [found("address", "booking.example/a/b"), found("address", "booking.example/a/c")] }),
    ["Learnt 2 addresses of pages here, such as “booking.example/a/b” and “booking.example/a/c”."],
  ],
  [
    "an address that was cut off",
    recipient({ block: 1 }, { learnt: [found("address", `booking.example/${"a".repeat(84)}`)] }),
    [`Would have learnt the address of a page you opened here: “booking.example/${"a".repeat(84)}…”.`],
  ],
  [
    "a digest, whose text nobody was told",
    recipient({ block: 1 }, { learnt: [found("address", ADDRESS, "sha256 in base64")] }),
    ["Would have received a code made from the address of a page here, by which that page is recognised elsewhere."],
  ],
  [
    "some left, some did not",
    recipient({ block: 1, missed: 1 }, { learnt: [found("search", "breast-lump")] }),
    ["May have learnt what you asked for here: “breast-lump”."],
  ],
  [
    "one got there before the others were stopped",
    recipient({ block: 4, missed: 1 }, { learnt: [{ ...found("search", "breast-lump"), requests: 5, left: 1 }, { ...found("path", "paris"), left: 0 }] }),
    ["Learnt what you asked for here: “breast-lump”.", "Would have read “paris” in the addresses of pages here."],
  ],
  [
    "the same, once stopped and once not",
    recipient({ block: 1, missed: 1 }, { learnt: [{ ...found("search", "breast-lump"), left: 0 }, { ...found("search", "breast-lump", "base64"), left: 1 }] }),
    ["Learnt what you asked for here: “breast-lump”."],
  ],
  [
    "a script",
    recipient({ block: 1 }, { scripts: 1 }),
    [
      "Would have run its own script here, which can read everything on a page.",
      "Would have learnt your internet address and, unless this site hides it, that you were on booking.example.",
    ],
  ],
  ["nothing of the page", recipient({ allow: 4 }), ["Learnt your internet address and, unless this site hides it, that you were on booking.example."]],
  [
    "nothing of the page, though some were stopped",
    recipient({ allow: 4, block: 1 }),
    ["Learnt your internet address and, unless this site hides it, that you were on booking.example."],
  ],
  [
    "signs that turn text around",
    recipient({ block: 1 }, { learnt: [found("search", "a\u202eb\n\u0007 c")] }),
    ["Would have learnt what you asked for here: “a b c”."],
  ],
];

test("a sentence says what the recipient was, or would have been, told", () => {
  for (const [name, known, sentences] of CASES) assert.deepEqual(learntBy(known, WHERE), sentences, name);
});

test("where nothing is stopped, all of it left", () => {
  for (const mode of ["watch", "off"]) {
    assert.deepEqual(learntBy(recipient({ block: 2, would: 1 }, { learnt: BOTH }), { ...WHERE, mode })[0], "Read “oncologist” and “paris” in the addresses of pages here.", mode);
  }
});

test("a claim has what its sentence quotes", () => {
  assert.deepEqual(claimsOf(recipient({ block: 3 }, { photos: 2, learnt: BOTH }), WHERE), [
    { key: "photos", fate: "Stopped", count: 2, slots: [] },
    { key: "words", fate: "Stopped", count: 2, slots: ["oncologist", "paris"] },
    { key: "asked", fate: "Stopped", count: 1, slots: ["breast-lump"] },
  ]);
});

test("however much a page sends, a sentence stays one", () => {
  const learnt = Array.from({ length: 500 }, (_, i) => [found("address", `booking.example/page-${i}/of`), found("search", `asked ${i}`), found("path", `word${i}`)]).flat();
  const sentences = learntBy(recipient({ block: 500 }, { learnt }), WHERE);
  assert.equal(sentences.length, 3);
  assert.match(sentences[0] ?? "", /^Would have learnt 500 addresses of pages here/);
  for (const sentence of sentences) assert.ok(sentence.length < 400, sentence);
});

test("an organisation is named with its country, a host alone", () => {
  assert.equal(nameOf(recipient({})), "Example, United States");
  assert.equal(nameOf({ name: "cdn.example", country: "" }), "cdn.example");
  assert.equal(nameOf({ name: "Example", country: "??" }), "Example, ??");
});

test("every purpose that the list knows has a sentence, in every language", async () => {
  const text = await readFile(new URL("../../lists/recipients.json", import.meta.url), "utf8");
  /** @type {{purposes?: string[]}[]} */
  const recipients = JSON.parse(text);
  const go = await readFile(new URL("../../lists/source/purposes.go", import.meta.url), "utf8");
  const named = [...(/RecipientPurposes = \[\]string\{([^}]*)\}/.exec(go)?.[1] ?? "").matchAll(/"([\w-]+)"/g)].map(([, purpose]) => purpose ?? "");
  const purposes = new Set([...named, ...recipients.flatMap((entry) => entry.purposes ?? [])]);
  assert.ok(purposes.size > 20);
  for (const language of await readdir(new URL("../_locales/", import.meta.url))) {
    speak(language);
    for (const purpose of purposes) assert.match(purposesOf({ purposes: [purpose] }), /\.$/, `${language}: ${purpose}`);
  }
  speak("en");
  assert.equal(purposesOf({ purposes: ["map", "captcha"] }), "Draws maps. Checks that a person is there and not a program.");
  assert.equal(purposesOf({ purposes: [] }), "");
});

test("a purpose of a list that is newer than this extension is left out", () => {
  assert.equal(purposesOf({ purposes: ["time-travel", "map"] }), "Draws maps.");
});
