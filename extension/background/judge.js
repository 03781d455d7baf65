import { hostOf, registrable } from "./domains.js";
import { stops } from "./sites.js";

/**
 * @typedef {import("./engine.js").Decision} Decision
 * @typedef {import("./engine.js").Engine} Engine
 * @typedef {import("./sites.js").Sites} Sites
 */

/**
 * @typedef {object} Request
 * @property {string} url
 * @property {string} type as webRequest names it
 * @property {string} page address of the top document, "" when there is none
 * @property {string} [method]
 * @property {Uint8Array | string} [body] what it carries
 */

/**
 * @typedef {object} About what a record wants to know besides
 * @property {string} rule that decided, "" when none did
 * @property {boolean} isPhoto whether the list knows the address for that of a photo
 * @property {readonly import("./engine.js").Leak[]} told what it carries of its page
 * @property {unknown} failure what broke, if the engine did
 */

/** @typedef {Decision & About} Judgement */

/** @type {Readonly<Judgement>} */
const UNTOUCHED = Object.freeze({
  action: "allow", would: "allow", reason: "off", rule: "", isPhoto: false, told: Object.freeze([]), failure: null,
});

/**
 * Decides one request, and stops it whenever it cannot be decided but might
 * have to be: a broken engine leaves a protected page without pictures and
 * scripts, never a patient without protection.
 * @param {Request} request
 * @param {Sites} sites
 * @param {Engine | null} engine null: broken
 * @returns {Judgement}
 */
export function judge(request, sites, engine) {
  const host = hostOf(request.page);
  // Documents are where patients go by themselves; requests without a page are the browser's own.
  if (host === "" || request.type === "main_frame") return UNTOUCHED;
  const mode = sites.modeOf(host);
  if (mode === "off") return UNTOUCHED;
  // What the user lets through needs no list, nor an engine; only what it tells does.
  const isAllowed = sites.allows(host, request.url);
  /** @type {unknown} */
  let failure = null;
  if (engine) {
    try {
      const { url, page, type, method, body } = request;
      const decision = engine.decide(url, page, type, mode === "unknown" ? "protect" : mode, { method, body, leaks: true });
      const about = aboutLast(engine, decision);
      if (isAllowed) return { ...UNTOUCHED, ...about, rule: "", reason: "allowed" };
      return { ...decision, ...about, failure };
    } catch (error) {
      failure = error;
    }
  }
  if (isAllowed) return { ...UNTOUCHED, reason: "allowed", failure };
  const stop = stops(mode) || (mode === "unknown" && registrable(hostOf(request.url)) !== registrable(host));
  return { ...UNTOUCHED, action: stop ? "block" : "allow", reason: "failed", failure };
}

/**
 * @param {Engine} engine
 * @param {Decision} decision that it has just made
 */
function aboutLast(engine, { action, would, reason }) {
  // Nothing was found in what was looked into for leaks and let through.
  const tells = reason !== "unlisted" && reason !== "local" && reason !== "own";
  const rule = action !== "allow" || would !== "allow" || reason === "needed" || reason === "exception" ? engine.explain() : "";
  return { rule, isPhoto: reason === "photo", told: tells ? engine.told() : UNTOUCHED.told };
}
