/** Makes elements of a page from data; text is always text, never markup. */

const SVG = "http://www.w3.org/2000/svg";

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
