/**
 * The workshop's stage: a row for each recipient, in which an eye opens, or
 * stays shut, one after another. What is shown is only ever added to, so that
 * nothing jumps while people read.
 */

import { learntBy, purposesOf } from "./sentences.js";
import { byId } from "./page.js";
import { country, say, sayCount } from "./words.js";

/** @typedef {import("./workshop-people.js").Person} Person */
/** @typedef {import("./workshop-people.js").Cell} Cell */
/** @typedef {"before" | "after"} Side */

/** Between two eyes, in milliseconds: time to read a name. */
const PACE_MS = 900;
/** A row on a screen has room for so many sentences, with so many addresses. */
const MOST_SAID = 2;
const ADDRESSES = 1;

const WORDS = /** @type {const} */ ({ lit: "workshopLit", part: "workshopPart", dark: "workshopDark" });

export class Stage {
  #people = byId("people");
  #heard = byId("heard");
  /** What is shown of each, by side and name, as JSON. @type {Map<string, string>} */
  #shown = new Map();
  /** Those that wait for their turn. @type {Map<string, (isQuiet: boolean) => void>} */
  #waiting = new Map();
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {Person[]} people
   * @param {string} domain
   * @param {readonly Side[]} sides those that may be seen
   * @param {boolean} atOnce or one after another
   */
  show(people, domain, sides, atOnce) {
    for (const side of sides) {
      for (const person of people) {
        const cell = person[side];
        if (cell) this.#offer(person, cell, side, domain);
      }
    }
    if (atOnce) {
      for (const draw of this.#waiting.values()) draw(true);
      this.#waiting.clear();
    }
    this.#play();
  }

  clear() {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting.clear();
    this.#shown.clear();
    this.#people.replaceChildren();
    this.#heard.replaceChildren();
    this.#count();
  }

  /** Whether nobody stands on it, and nobody waits. */
  get isEmpty() {
    return this.#people.childElementCount === 0 && this.#waiting.size === 0;
  }

  /**
   * @param {Person} person
   * @param {Cell} cell
   * @param {Side} side
   * @param {string} domain
   */
  #offer(person, cell, side, domain) {
    const key = JSON.stringify([side, person.name]);
    const says = cell.group ? learntBy(cell.group, { domain, mode: side === "before" ? "watch" : "protect", addresses: ADDRESSES }) : [say("workshopNotAsked")];
    const text = JSON.stringify([cell.eye, says]);
    if (this.#shown.get(key) === text) return;
    /** @param {boolean} isQuiet whether nothing moves for it */
    const draw = (isQuiet) => {
      const isNew = this.#shown.get(key) === undefined || JSON.parse(this.#shown.get(key) ?? "[]")[0] !== cell.eye;
      this.#shown.set(key, text);
      this.#draw(person, cell.eye, says, side);
      if (isNew && !isQuiet) this.#point(person, cell.eye, says, side);
    };
    // Who is there already and only learnt more does not wait for those to come.
    if (this.#shown.has(key)) draw(false);
    else this.#waiting.set(key, draw);
  }

  #play() {
    if (this.#timer !== undefined) return;
    const next = () => {
      const [turn] = this.#waiting;
      if (!turn) {
        this.#timer = undefined;
        return;
      }
      const [key, draw] = turn;
      this.#waiting.delete(key);
      draw(false);
      this.#timer = setTimeout(next, PACE_MS);
    };
    next();
  }

  /**
   * @param {Person} person
   * @param {Cell["eye"]} eye
   * @param {string[]} says
   * @param {Side} side
   */
  #draw(person, eye, says, side) {
    const row = this.#rowOf(person);
    if (person.photos) row.dataset["photo"] = "";
    const cell = /** @type {HTMLElement} */ (row.querySelector(`.${side}`));
    cell.dataset["eye"] = eye;
    const word = /** @type {HTMLElement} */ (cell.querySelector(".word"));
    word.textContent = say(WORDS[eye]);
    const list = /** @type {HTMLElement} */ (cell.querySelector("ul"));
    list.replaceChildren(...says.slice(0, MOST_SAID).map((sentence) => textual("li", sentence)));
    this.#count();
  }

  /**
   * Lets everybody see, and hear, what has just changed.
   * @param {Person} person
   * @param {Cell["eye"]} eye
   * @param {string[]} says
   * @param {Side} side
   */
  #point(person, eye, says, side) {
    const row = this.#rowOf(person);
    const cell = /** @type {HTMLElement} */ (row.querySelector(`.${side}`));
    delete cell.dataset["fresh"];
    // Begins the animation again, had it run before.
    void cell.offsetWidth;
    cell.dataset["fresh"] = "";
    row.scrollIntoView({ block: "nearest" });
    const what = eye === "dark" ? say("workshopHeardDark", person.name) : say("workshopHeardLit", person.name, says[0] ?? "");
    this.#heard.append(textual("p", what));
  }

  /**
   * @param {Person} person
   * @returns {HTMLElement}
   */
  #rowOf({ name, country: code, purposes }) {
    for (const row of this.#people.children) {
      if (row instanceof HTMLElement && row.dataset["name"] === name) return row;
    }
    const row = document.createElement("li");
    row.className = "person";
    row.dataset["name"] = name;
    const who = document.createElement("div");
    who.className = "who";
    who.append(textual("h3", name));
    if (code !== "") who.append(textual("p", country(code)));
    const what = purposesOf({ purposes });
    if (what !== "") {
      const purpose = textual("p", what);
      purpose.className = "purpose";
      who.append(purpose);
    }
    row.append(who, emptyCell("before"), emptyCell("after"));
    this.#people.append(row);
    return row;
  }

  #count() {
    for (const side of /** @type {const} */ (["before", "after"])) {
      const cells = [...this.#people.querySelectorAll(`.${side}[data-eye]`)];
      const learnt = cells.filter((cell) => cell.getAttribute("data-eye") !== "dark").length;
      byId(`${side}-count`).textContent = cells.length === 0 ? "" : sayCount("workshopLearnt", learnt);
    }
  }
}

/** @param {Side} side */
function emptyCell(side) {
  const cell = document.createElement("div");
  cell.className = `cell ${side}`;
  cell.dataset["side"] = say(side === "before" ? "workshopBefore" : "workshopAfter");
  const says = document.createElement("div");
  says.className = "says";
  const word = document.createElement("p");
  word.className = "word";
  says.append(word, document.createElement("ul"));
  const eye = /** @type {HTMLTemplateElement} */ (byId("eye"));
  cell.append(eye.content.cloneNode(true), says);
  return cell;
}

/**
 * @param {"li" | "p" | "h3"} name
 * @param {string} text
 */
function textual(name, text) {
  const element = document.createElement(name);
  element.textContent = text;
  return element;
}
