/** What every page of the extension needs: its elements, and the background. */

import { api } from "../background/api.js";

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const element = document.getElementById(id);
  if (!element) throw new Error(`no element #${id}`);
  return /** @type {T} */ (element);
}

/**
 * @param {HTMLElement} element
 * @param {string} text hides the element when empty
 */
export function put(element, text) {
  element.hidden = text === "";
  if (element.textContent !== text) element.textContent = text;
}

/** @param {object} message */
export async function ask(message) {
  const answer = await api.runtime.sendMessage(message);
  if (answer?.error && typeof answer.error === "string") throw new Error(answer.error);
  return answer;
}
