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

/**
 * The tab that a page is about: the one that its address names, else the one
 * below the popup.
 * @returns {Promise<number>} -1 for none
 */
export async function findTab() {
  const given = new URLSearchParams(location.search).get("tab");
  if (given !== null) return Number(given);
  const [tab] = await api.tabs.query({ active: true, currentWindow: true });
  return tab?.id ?? -1;
}
