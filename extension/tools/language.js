/**
 * Under Node, the sentences of _locales, filled in as browsers fill them in.
 * Import it before a page's modules, which look for the browser when they start.
 */

import { readFileSync } from "node:fs";

/** @typedef {Record<string, {message: string, placeholders?: Record<string, {content: string}>}>} Messages */

/** @type {Messages} */
let messages = {};

/** @param {string} language whose sentences are given from now on */
export function speak(language) {
  messages = JSON.parse(readFileSync(new URL(`../_locales/${language}/messages.json`, import.meta.url), "utf8"));
}

/** @param {string} key @param {string | string[]} [slots] */
function getMessage(key, slots = []) {
  const { message = "", placeholders = {} } = messages[key] ?? {};
  const given = [slots].flat();
  return message.replaceAll(/\$(\w+)\$/g, (_, name) => given[Number(placeholders[name.toLowerCase()]?.content.slice(1)) - 1] ?? "");
}

speak("en");
Object.assign(globalThis, { chrome: { i18n: { getMessage }, runtime: { getURL: (/** @type {string} */ path) => `paravent-extension://none/${path}` } } });
