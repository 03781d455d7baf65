import { hostOf, registrable } from "./domains.js";

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
 */

/**
 * @typedef {Decision & {rule: string, failure: unknown}} Judgement
 * `failure` is what broke, if the engine did
 */

/** @type {Readonly<Judgement>} */
const UNTOUCHED = Object.freeze({ action: "allow", would: "allow", reason: "off", rule: "", failure: null });

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
  const site = registrable(host);
  /** @type {unknown} */
  let failure = null;
  if (engine) {
    try {
      const decision = engine.decide(request.url, request.page, site, request.type, mode === "unknown" ? "protect" : mode);
      const tells = decision.action !== "allow" || decision.would !== "allow";
      return { ...decision, rule: tells ? engine.explain() : "", failure };
    } catch (error) {
      failure = error;
    }
  }
  const stop = mode === "protect" || (mode === "unknown" && registrable(hostOf(request.url)) !== site);
  return { action: stop ? "block" : "allow", would: "allow", reason: "failed", rule: "", failure };
}
