/** Sentences in the browser's language; they all live in _locales. */

import { api } from "../background/api.js";

/** The language that the sentences are really in, which may not be the browser's. */
const language = api.i18n.getMessage("language");

const plurals = new Intl.PluralRules(language);
const numbers = new Intl.NumberFormat(language);
const days = new Intl.DateTimeFormat(language, { dateStyle: "medium" });
const moments = new Intl.RelativeTimeFormat(language, { numeric: "auto" });
const lists = new Intl.ListFormat(language, { type: "conjunction" });
const countries = new Intl.DisplayNames(language, { type: "region" });
// They are dear to make, and the popup needs none of these.
const instants = once(() => new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }));
const secondsSaid = once(() => new Intl.NumberFormat(language, { style: "unit", unit: "second", unitDisplay: "short", maximumFractionDigits: 1 }));
const clockSeconds = once(() => new Intl.NumberFormat(language, { minimumIntegerDigits: 2, minimumFractionDigits: 1, maximumFractionDigits: 1 }));
const minutesSaid = once(() => new Intl.NumberFormat(language, { style: "unit", unit: "minute", unitDisplay: "short" }));

/**
 * @template T
 * @param {() => T} make
 * @returns {() => T} makes it when it is first needed
 */
function once(make) {
  /** @type {T | undefined} */
  let made;
  return () => (made ??= make());
}

/**
 * Has the browser read what it formats numbers, lists, days and countries by,
 * which is dear the first time: for a page that is waiting anyway.
 */
export function rehearse() {
  sayCount("times", 1);
  listed(["", ""]);
  day(0);
  ago(0);
  country("FR");
}

/**
 * @param {string} key
 * @param {...string} slots
 * @returns {string}
 */
export function say(key, ...slots) {
  return api.i18n.getMessage(key, slots);
}

/**
 * A sentence that counts; its first slot is the number.
 * @param {string} key has a form for one and one for others
 * @param {number} count
 * @param {...string} slots that follow
 * @returns {string}
 */
export function sayCount(key, count, ...slots) {
  const form = plurals.select(count) === "one" ? "One" : "Other";
  return say(`${key}${form}`, numbers.format(count), ...slots);
}

/**
 * @param {string[]} texts
 * @returns {string} one behind the other
 */
export function listed(texts) {
  return lists.format(texts);
}

/**
 * @param {number | string | Date} time
 * @returns {string}
 */
export function day(time) {
  return days.format(new Date(time));
}

/**
 * @param {number | string | Date} time
 * @returns {string} day and time of day
 */
export function moment(time) {
  return instants().format(new Date(time));
}

/**
 * @param {number} time milliseconds since 1970
 * @returns {string} such as "3 hours ago" or "in 3 hours"; the day when it is
 *   so far away that some clock must have been wrong
 */
export function ago(time) {
  const minutes = Math.round((time - Date.now()) / 60_000);
  const far = Math.abs(minutes);
  if (far < 60) return moments.format(minutes, "minute");
  if (far < 48 * 60) return moments.format(Math.round(minutes / 60), "hour");
  const distance = Math.round(minutes / 1440);
  return Math.abs(distance) < 400 ? moments.format(distance, "day") : day(time);
}

/**
 * @param {number} ms
 * @returns {string} how long it is, such as "2.4 sec" or "3 min 5 sec"
 */
export function span(ms) {
  const seconds = Math.round(ms / 10) / 100;
  if (seconds < 60) return secondsSaid().format(seconds);
  return `${minutesSaid().format(Math.floor(seconds / 60))} ${secondsSaid().format(Math.floor(seconds % 60))}`;
}

/**
 * @param {number} ms since something began
 * @returns {string} minutes and seconds, such as "1:04.2"
 */
export function clock(ms) {
  const tenths = Math.round(ms / 100);
  return `${Math.floor(tenths / 600)}:${clockSeconds().format((tenths % 600) / 10)}`;
}

/**
 * @param {string} code two letters
 * @returns {string}
 */
export function country(code) {
  try {
    return countries.of(code) ?? code;
  } catch {
    return code;
  }
}

/** Fills in everything on the page that only waits for its sentence. */
export function sayAll() {
  document.documentElement.lang = language;
  for (const element of document.querySelectorAll("[data-message]")) {
    element.textContent = say(element.getAttribute("data-message") ?? "");
  }
  for (const element of document.querySelectorAll("[data-label]")) {
    element.setAttribute("aria-label", say(element.getAttribute("data-label") ?? ""));
  }
}
