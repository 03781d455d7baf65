/**
 * The browser's extension API: Firefox calls it `browser`, Chromium `chrome`;
 * both answer with promises. Undefined under Node, where only the parts that do
 * not need it are tested.
 * @type {typeof chrome}
 */
export const api = /** @type {any} */ (globalThis).browser ?? globalThis.chrome;

/** Every address inside this extension starts with this (ends in a slash). */
export const ownRoot = api ? api.runtime.getURL("") : "paravent-extension://none/";

/**
 * Firefox alone lets an extension of Manifest V3 hold requests without an
 * administrator's consent, and there declarativeNetRequest would ignore the
 * conditions that keep our rules on protected sites: this decides who decides.
 */
export const isFirefox = ownRoot.startsWith("moz-extension:");

/**
 * How long the browser may take to say what it keeps for us, in milliseconds.
 * In a broken profile Chromium never says anything.
 */
const PATIENCE_MS = 10_000;

/**
 * @template T
 * @param {Promise<T>} answer of the browser's
 * @returns {Promise<T>} rejects when it has not come in time
 */
export function inTime(answer) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error("the browser does not answer")), PATIENCE_MS);
  });
  return Promise.race([answer, /** @type {Promise<never>} */ (late)]).finally(() => clearTimeout(timer));
}

/**
 * Says what went wrong in one line, whatever was thrown.
 * @param {unknown} error
 * @returns {string}
 */
export function errorText(error) {
  return error instanceof Error ? error.message : String(error);
}
