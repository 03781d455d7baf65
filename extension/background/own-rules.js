/**
 * Rules that users write for themselves: compiled together with the list in
 * force into the bundle that decides. The list stays beside it as it was
 * verified, and when the two cannot be brought together it goes on deciding
 * alone, and the settings say so.
 */

import { api, errorText, inTime, isFirefox } from "./api.js";
import { Desk } from "./desk.js";
import { sha256 } from "./digest.js";
import { forgetCombined, storeCombined, storedCombined, storedCombinedBundle } from "./store.js";

/**
 * A bundle that decides, or may.
 * @typedef {object} Decider
 * @property {string} sha256 of the bundle
 * @property {() => Promise<Uint8Array<ArrayBuffer>>} bundle
 * @property {string} error why the user's own rules are not in it, "" when they are
 */

const KEY = "ownRules";

/** @returns {Promise<string>} what the user wrote, "" when nothing */
export async function ownRules() {
  const text = (await inTime(api.storage.local.get(KEY)))[KEY];
  return typeof text === "string" ? text : "";
}

/** @param {string} text "" forgets them */
export async function keepOwnRules(text) {
  if (text !== "") {
    await api.storage.local.set({ [KEY]: text });
    return;
  }
  await api.storage.local.remove(KEY);
  await forgetCombined();
}

/**
 * A list with the user's own rules. What was compiled before is taken, if it is
 * of both; nothing is stored.
 * @param {Pick<Decider, "sha256" | "bundle">} list
 * @param {string} text the user's own rules
 * @returns {Promise<{decider: Decider, combined: import("./store.js").Combined | null}>} rejects
 *   with the line that is wrong. `combined`: to be stored, see {@link keepCombined}; null when it is already, or nothing is
 */
export async function combine(list, text) {
  if (text === "") return { decider: { ...list, error: "" }, combined: null };
  const rules = await sha256(new TextEncoder().encode(text));
  const stored = await storedCombined().catch(() => undefined);
  if (stored?.list === list.sha256 && stored.rules === rules) {
    const bundle = async () => {
      const bytes = await storedCombinedBundle().catch(() => undefined);
      return bytes && (await sha256(bytes)) === stored.sha256 ? bytes : compiled(list, text);
    };
    return { decider: { sha256: stored.sha256, bundle, error: "" }, combined: null };
  }
  const bytes = await compiled(list, text);
  const hash = await sha256(bytes);
  return {
    decider: { sha256: hash, bundle: async () => bytes, error: "" },
    combined: { list: list.sha256, rules, sha256: hash },
  };
}

/**
 * @param {Awaited<ReturnType<typeof combine>>} made
 */
export async function keepCombined({ decider, combined }) {
  if (combined) await storeCombined(combined, await decider.bundle());
}

/**
 * @param {Pick<Decider, "bundle">} list
 * @param {string} text
 * @returns {Promise<Uint8Array<ArrayBuffer>>}
 */
async function compiled({ bundle }, text) {
  const bytes = await bundle();
  return Desk.use((desk) => desk.addOwn(bytes, text));
}

/**
 * The list with the user's own rules, or, when that cannot be, without.
 * @param {Pick<Decider, "sha256" | "bundle">} list
 * @returns {Promise<Decider>} never rejects
 */
export async function withOwnRules(list) {
  try {
    const made = await combine(list, await ownRules());
    // A disk that is full costs no more than compiling it again.
    await keepCombined(made).catch(() => {});
    return made.decider;
  } catch (error) {
    return { ...list, error: errorText(error) };
  }
}

/**
 * What is wrong with a text of own rules, in this browser. A rule that it could
 * not be told is none that anybody may rely on.
 * @param {string} text
 * @returns {Promise<import("./desk.js").Lint>}
 */
export async function lintRules(text) {
  const { count, problems, unsaid, regexps } = await Desk.use((desk) => desk.lintOwn(text));
  if (isFirefox) return { count, problems };
  for (const { line, text: rule, regex, isCaseSensitive } of regexps) {
    const { isSupported } = await api.declarativeNetRequest.isRegexSupported({ regex, isCaseSensitive });
    if (!isSupported) problems.push({ line, text: rule, problem: "this browser refuses the regular expression: make it shorter" });
  }
  problems.push(...unsaid);
  return { count, problems: problems.sort((a, b) => a.line - b.line) };
}

/**
 * @param {string} text of own rules
 * @returns {Promise<void>} rejects with the first line that is wrong
 */
export async function refuseWrong(text) {
  const [first] = (await lintRules(text)).problems;
  if (first) throw new Error(`own rules: line ${first.line}: ${first.text}: ${first.problem}`);
}
