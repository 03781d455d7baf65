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
 * @typedef {Decision & {rule: string, failure: unknown}} Judgement
 * `failure` is what broke, if the engine did
 */

/** @type {Readonly<Judgement>} */
const UNTOUCHED = Object.freeze({ action: "allow", would: "allow", reason: "off", rule: "", failure: null });

/** @type {Readonly<Judgement>} */
const ALLOWED = Object.freeze({ ...UNTOUCHED, reason: "allowed" });

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
  // What the user lets through needs no list, nor an engine.
  if (sites.allows(host, request.url)) return ALLOWED;
  /** @type {unknown} */
  let failure = null;
  if (engine) {
    try {
      const { url, page, type, method, body } = request;
      const decision = engine.decide(url, page, type, mode === "unknown" ? "protect" : mode, { method, body, leaks: true });
      const tells = decision.action !== "allow" || decision.would !== "allow";
      return { ...decision, rule: tells ? engine.explain() : "", failure };
    } catch (error) {
      failure = error;
    }
  }
  const stop = stops(mode) || (mode === "unknown" && registrable(hostOf(request.url)) !== registrable(host));
  return { action: stop ? "block" : "allow", would: "allow", reason: "failed", rule: "", failure };
}
