/**
 * Where the workshop has its visit from: a tab in which the trainer books, or
 * the packaged example, which needs no network and is judged afresh by the
 * list that is in the package.
 */

import { api } from "../background/api.js";
import { ask } from "./page.js";
import { Reader } from "./report-desk.js";
import { rowsOf } from "./report-data.js";
import { protectedRows, sidesOf } from "./workshop-people.js";

/** @typedef {import("../background/visits.js").VisitAbout} VisitAbout */
/** @typedef {import("../background/visits.js").VisitPart} VisitPart */
/** @typedef {import("../background/visits.js").VisitRequest} VisitRequest */
/** @typedef {import("./report-data.js").Row} Row */

/**
 * What there is to show.
 * @typedef {object} Shown
 * @property {string} domain
 * @property {"watch" | "protect" | "off"} mode of the site now
 * @property {{before: Row[], after: Row[]}} sides
 * @property {import("./report-data.js").Known[]} known
 * @property {{name: string, country: string}[]} carriers
 * @property {boolean} dropped whether some requests are not here
 * @property {boolean} ended whether nothing more will come
 */

/** A tab's visit, read on as it goes. */
export class Live {
  isExample = false;
  #tabId;
  #reader = new Reader();
  /** @type {VisitAbout | null} */
  #about = null;
  /** @type {VisitRequest[]} */
  #requests = [];
  /** What was shown of visits that ended in this tab. @type {{before: Row[], after: Row[]}} */
  #earlier = { before: [], after: [] };
  /** @type {Shown | null} */
  #shown = null;
  #key = "";
  /** Reading goes on from where the last one ended, so one waits for the other. @type {Promise<Shown | null>} */
  #reading = Promise.resolve(null);

  /** @param {number} tabId */
  constructor(tabId) {
    this.#tabId = tabId;
  }

  /** @returns {Promise<Shown | null>} null as long as there is no visit */
  read() {
    const next = () => this.#read();
    this.#reading = this.#reading.then(next, next);
    return this.#reading;
  }

  /** @returns {Promise<Shown | null>} */
  async #read() {
    /** @type {VisitPart | null} */
    const part = await ask({ type: "visit", tabId: this.#tabId, from: this.#requests.length });
    if (!part) {
      if (this.#shown) this.#shown = { ...this.#shown, ended: true };
      return this.#shown;
    }
    if (this.#about && (this.#about.started !== part.visit.started || part.total < this.#requests.length)) {
      this.#begin(part.visit.domain === this.#about.domain);
      return this.#read();
    }
    this.#about = part.visit;
    this.#requests.push(...part.requests);
    const mode = await this.#mode();
    const key = JSON.stringify([this.#requests.length, part.visit.pages.length, part.visit.carriers.length, part.visit.dropped, mode]);
    if (key === this.#key && this.#shown) return this.#shown;
    this.#key = key;
    const visit = { ...part.visit, requests: this.#requests };
    const { report, entries } = await this.#reader.run("visit", visit);
    const { before, after } = sidesOf(rowsOf(entries, report.recipients), part.visit.pages);
    this.#shown = {
      domain: part.visit.domain,
      mode,
      sides: { before: [...this.#earlier.before, ...before], after: [...this.#earlier.after, ...after] },
      known: report.recipients,
      carriers: part.visit.carriers,
      dropped: part.visit.dropped > 0,
      ended: false,
    };
    return this.#shown;
  }

  /** @param {"watch" | "protect"} mode in which the site is booked on from now on */
  async choose(mode) {
    if (this.#about) await ask({ type: "mode", site: this.#about.domain, mode });
  }

  /** Forgets everything that was booked. */
  async forget() {
    await this.#reading.catch(() => {});
    await ask({ type: "forget" });
    this.#begin(false);
    this.#shown = null;
  }

  end() {
    this.#reader.end();
  }

  /** @param {boolean} keep whether what was shown goes on standing there */
  #begin(keep) {
    this.#earlier = keep && this.#shown ? this.#shown.sides : { before: [], after: [] };
    this.#about = null;
    this.#requests = [];
    this.#key = "";
  }

  /** @returns {Promise<Shown["mode"]>} */
  async #mode() {
    const { mode } = await ask({ type: "state", tabId: this.#tabId });
    if (mode === "watch") return "watch";
    return mode === "protect" || mode === "strict" ? "protect" : "off";
  }
}

/** The example: a visit to the demo, recorded in mode watch. */
export class Example {
  isExample = true;
  #reader = new Reader(() => packaged("lists/list.bundle").then((response) => response.arrayBuffer()));
  /** @type {"watch" | "protect"} */
  #mode = "watch";
  /** @type {Promise<Shown> | null} */
  #reading = null;

  /** @returns {Promise<Shown>} */
  read() {
    this.#reading ??= this.#judge();
    return this.#reading;
  }

  /** @param {"watch" | "protect"} mode */
  async choose(mode) {
    if (mode === this.#mode) return;
    this.#mode = mode;
    const shown = await this.read();
    this.#reading = Promise.resolve({ ...shown, mode });
  }

  /** The next one sees the same example. */
  async forget() {
    await this.choose("watch");
  }

  end() {
    this.#reader.end();
  }

  async #judge() {
    const archive = await (await packaged("ui/example/visit.har")).blob();
    const { report, entries, visit } = await this.#reader.run("file", archive);
    const before = rowsOf(entries, report.recipients);
    return {
      domain: visit.domain,
      mode: this.#mode,
      sides: { before, after: protectedRows(before) },
      known: report.recipients,
      carriers: visit.carriers,
      dropped: false,
      ended: false,
    };
  }
}

/** @param {string} path of a file of the package */
function packaged(path) {
  return fetch(api.runtime.getURL(path));
}
