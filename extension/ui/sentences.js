/**
 * What a recipient learns of a page, in sentences. They are templates in
 * _locales: a recipient that is new to the list needs no translator.
 *
 * A claim is what a sentence says, as data, and is true of what the recipient
 * receives without Paravent. It says no more than what was seen: of a request
 * that carries several things the engine names one, and a request that carries
 * nothing of the page still tells where it came from.
 */

import { country, listed, say, sayCount } from "./words.js";

/** @typedef {import("../background/engine.js").Leak} Leak */

/**
 * What is known of a recipient, as the popup and the report have it.
 * @typedef {object} Known
 * @property {string} name
 * @property {string} country two letters, "" when unknown
 * @property {string[]} purposes keys of lists/recipients.json
 * @property {Record<"block" | "relay" | "would" | "missed" | "allow", number>} counts of its requests
 * @property {number} photos different addresses of photos among them
 * @property {number} [scripts] requests for scripts among them
 * @property {(Leak & {requests: number, left?: number})[]} learnt "left" counts those that got there
 */

/**
 * Where it was asked.
 * @typedef {object} Where
 * @property {string} domain protected domain of the page
 * @property {string} mode in which the page was opened
 * @property {number} [addresses] so many are quoted in a sentence at most
 */

/**
 * Whether it was told: nothing got there, all of it did, or some requests did
 * and it is not known which.
 * @typedef {"Stopped" | "Left" | "Mixed"} Fate
 */

/**
 * One thing that a recipient learns; the slots are what its sentence says.
 * @typedef {object} Claim
 * @property {"photos" | "address" | "words" | "asked" | "code" | "script" | "presence"} key
 * @property {Fate} fate
 * @property {number} count of the slots, or of the photos
 * @property {string[]} slots
 */

/** The engine keeps 100 bytes of what it found, or as many less as a letter has. */
const CUT_BYTES = 97;
/** More quotations than these are no sentence any more. */
const MOST_QUOTED = 5;

/**
 * What a recipient learnt, or would have learnt, on a page: the most telling first.
 * @param {Known} recipient
 * @param {Where} where
 * @returns {string[]} whole sentences, which go without a subject below its name
 */
export function learntBy(recipient, where) {
  return claimsOf(recipient, where).map((claim) =>
    sentence(claim.key === "address" ? { ...claim, slots: claim.slots.slice(0, where.addresses) } : claim),
  );
}

/**
 * What {@link learntBy} says, as data.
 * @param {Known} recipient
 * @param {Where} where
 * @returns {Claim[]}
 */
export function claimsOf({ counts, photos, scripts = 0, learnt }, { domain, mode }) {
  const fate = fateOf(counts, mode);
  /** @type {Claim[]} */
  const claims = [];
  if (photos > 0) claims.push({ key: "photos", fate, count: photos, slots: [] });
  /** Addresses that it has been told are not taken apart once more. @type {string[]} */
  const told = [];
  // What got there is said before what did not, and not twice.
  for (const one of /** @type {const} */ (["Left", "Mixed", "Stopped"])) {
    const found = learnt.filter(({ left, requests }) => (left === undefined || fate === "Left" ? fate : left > 0 ? "Left" : "Stopped") === one && requests > 0);
    claims.push(...claimsIn(found, one, told));
  }
  const saysMuch = claims.length > 0;
  if (scripts > 0) claims.push({ key: "script", fate, count: 1, slots: [] });
  // Every request says it; it is worth a sentence when there is none that says more.
  if (!saysMuch) claims.push({ key: "presence", fate: fate === "Mixed" ? "Left" : fate, count: 1, slots: [domain] });
  return claims;
}

/**
 * @param {Known["learnt"]} learnt all of one fate
 * @param {Fate} fate
 * @param {string[]} told what was claimed before; grows
 * @returns {Claim[]}
 */
function claimsIn(learnt, fate, told) {
  const plain = learnt.filter((found) => !isCode(found));
  /** @param {string} kind */
  const texts = (kind) => plain.filter(({ what }) => what === kind).map(({ text }) => text);
  /** @param {string[]} all */
  const news = (all) => all.filter((text) => !told.some((before) => contains(before, text)));
  /** @type {[Claim["key"], string[]][]} */
  const found = [];
  for (const [key, slots] of /** @type {[Claim["key"], () => string[]][]} */ ([
    ["address", () => withoutParts(texts("address").map(quotable))],
    ["words", () => distinct(texts("path").flatMap(wordsOf))],
    ["asked", () => distinct(texts("search").map(quotable))],
  ])) {
    const said = news(slots());
    found.push([key, said]);
    told.push(...said);
  }
  const claims = found.map(([key, slots]) => ({ key, fate, count: slots.length, slots: slots.slice(0, MOST_QUOTED) }));
  if (plain.length < learnt.length) claims.push({ key: "code", fate, count: 1, slots: [] });
  return claims.filter(({ count }) => count > 0);
}

/**
 * What an organisation receives requests for, a sentence for each purpose.
 * @param {Pick<Known, "purposes">} recipient
 * @returns {string} "" when nobody says it
 */
export function purposesOf({ purposes }) {
  return purposes.map((purpose) => say(`purpose_${purpose.replaceAll("-", "_")}`)).filter(Boolean).join(" ");
}

/**
 * @param {Pick<Known, "name" | "country">} recipient
 * @returns {string} its name, with its country where that is known
 */
export function nameOf({ name, country: code }) {
  return code === "" ? name : say("learntName", name, country(code));
}

/** @param {Claim} claim */
function sentence({ key, fate, count, slots }) {
  switch (key) {
    case "photos":
      return sayCount(`learntPhotos${fate}`, count);
    case "address":
      return sayCount(`learntAddress${fate}`, count, quoted(slots));
    case "words":
      return say(`learntWords${fate}`, quoted(slots));
    case "asked":
      return say(`learntAsked${fate}`, quoted(slots));
    case "code":
      return say(`learntCode${fate}`);
    case "script":
      return say(`learntScript${fate}`);
    case "presence":
      return say(`learntPresence${fate}`, slots[0] ?? "");
  }
}

/**
 * @param {Known["counts"]} counts
 * @param {string} mode
 * @returns {Fate}
 */
function fateOf({ block, relay, would, missed, allow }, mode) {
  // A visit on which nothing was stopped, whatever would have been.
  if (mode === "watch" || mode === "off") return "Left";
  const left = would + missed + allow > 0;
  if (block + relay === 0) return "Left";
  return left ? "Mixed" : "Stopped";
}

/** @param {Leak} found */
function isCode({ encoding }) {
  return /^(md5|sha1|sha256)\b/.test(encoding);
}

/** @param {string[]} texts */
function quoted(texts) {
  return listed(texts.map((text) => say("learntQuote", text)));
}

/**
 * What was found, as one line; an ellipsis stands where it was cut off.
 * @param {string} text
 */
function quotable(text) {
  const isCut = new TextEncoder().encode(text).length >= CUT_BYTES;
  // Signs that turn what follows them around have no place in a sentence.
  const line = text.replace(/[\s\p{Cc}\p{Cf}]+/gu, " ").trim();
  return isCut ? `${line}…` : line;
}

/**
 * Words that were found one behind the other.
 * @param {string} text
 */
function wordsOf(text) {
  return quotable(text).split(/[/ +]+/).filter(Boolean);
}

/** @param {string} whole @param {string} part */
function contains(whole, part) {
  return whole.toLowerCase().includes(part.toLowerCase());
}

/** @param {string[]} texts */
function distinct(texts) {
  const seen = new Set();
  return texts.filter((text) => {
    const key = text.toLowerCase();
    if (text === "" || seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

/**
 * Addresses in the order in which they were found, without those that another one holds.
 * @param {string[]} texts
 */
function withoutParts(texts) {
  const all = distinct(texts).map((text) => ({ text, bare: text.replace(/^(https?:)?\/\//i, "").replace(/^www\./i, "").replace(/[…/]+$/, "").toLowerCase() }));
  const isPart = (/** @type {string} */ bare, /** @type {number} */ at) =>
    all.some((other, i) => i !== at && other.bare.includes(bare) && (other.bare.length > bare.length || i < at));
  return all.filter(({ bare }, i) => !isPart(bare, i)).map(({ text }) => text);
}
