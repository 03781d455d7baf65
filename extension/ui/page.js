/** What every page of the extension needs: its elements, the keyboard's place among them, and the background. */

import { api } from "../background/api.js";

const SVG = "http://www.w3.org/2000/svg";

/** What the Tab key leads to. */
const REACHED = "a[href], button, input:not([type=radio]), input[type=radio]:checked, select, textarea, summary";

/**
 * @template {HTMLElement} [T=HTMLElement]
 * @param {string} id
 * @returns {T}
 */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return /** @type {T} */ (found);
}

/**
 * @param {HTMLElement} place
 * @param {string} text hides the place when empty
 */
export function put(place, text) {
  place.hidden = text === "";
  if (place.textContent !== text) place.textContent = text;
}

/**
 * What an element begins with besides its name.
 * @typedef {object} Making
 * @property {string} [id]
 * @property {string[]} [classes]
 * @property {string} [text]
 * @property {Record<string, string>} [attributes]
 * @property {Record<string, string>} [data]
 */

/**
 * Makes an element from data; text is always text, never markup.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name
 * @param {Making} [making]
 * @param {...(Node | string)} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(name, { id, classes = [], text, attributes = {}, data = {} } = {}, ...children) {
  const made = document.createElement(name);
  if (id !== undefined) made.id = id;
  made.classList.add(...classes);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  Object.assign(made.dataset, data);
  made.append(...children);
  return made;
}

/**
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} name
 * @param {Record<string, string | number>} [attributes]
 * @param {...Node} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function drawing(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, String(value));
  made.append(...children);
  return made;
}

/**
 * Takes down where the keyboard is, before the page changes.
 * @returns {() => void} to be called afterwards: when the place is gone, the
 *   keyboard goes on at the next that was behind it, else at the last before it
 */
export function keepPlace() {
  const held = document.activeElement;
  if (!held || held === document.body) return () => {};
  const places = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(REACHED)].filter((one) => one === held || isThere(one)));
  const at = places.indexOf(/** @type {HTMLElement} */ (held));
  return () => {
    const now = document.activeElement;
    if (now && now !== document.body && isThere(now)) return;
    const heir = places.slice(at + 1).find(isThere) ?? places.slice(0, Math.max(0, at)).findLast(isThere);
    heir?.focus();
  };
}

/** @param {Element} element */
function isThere(element) {
  return element.isConnected && element.checkVisibility() && !element.matches(":disabled");
}

/** @param {object} message */
export async function ask(message) {
  return checked(await api.runtime.sendMessage(message));
}

/**
 * @param {any} answer of the background
 * @returns {any} the same
 * @throws {Error} what the background could not do
 */
export function checked(answer) {
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
