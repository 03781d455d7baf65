/** The page's side of the desk in its worker. */

import { ask } from "./page.js";

/**
 * @typedef {import("../background/desk.js").Audit} Found what the desk finds in a visit
 * @typedef {import("../background/visits.js").VisitAbout} Header what is known of a visit besides its requests
 */

/** Ends the desk as soon as a job fails that may have broken it. */
export class Reader {
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Map<number, {resolve: (value: any) => void, reject: (error: Error) => void}>} */
  #waiting = new Map();
  #jobs = 0;
  #bundle;

  /** @param {() => Promise<ArrayBuffer>} [bundle] gives the list to judge by, the one in force when left out */
  constructor(bundle = () => ask({ type: "bundle" })) {
    this.#bundle = bundle;
  }

  /**
   * @param {"visit" | "file" | "export"} job
   * @param {...unknown} parts
   * @returns {Promise<any>}
   */
  async run(job, ...parts) {
    if (!this.#worker) await this.#start();
    return this.#send(job, parts);
  }

  /** Gives up what is being done. */
  end() {
    this.#worker?.terminate();
    this.#worker = null;
    for (const { reject } of this.#waiting.values()) reject(new DOMException("", "AbortError"));
    this.#waiting.clear();
  }

  async #start() {
    const bundle = await this.#bundle();
    if (this.#worker) return;
    const worker = new Worker(new URL("report-worker.js", import.meta.url), { type: "module" });
    this.#worker = worker;
    worker.addEventListener("message", ({ data: { id, result, error } }) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(error));
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      for (const { reject } of this.#waiting.values()) reject(new Error(event.message));
      this.#waiting.clear();
      this.end();
    });
    await this.#send("bundle", [bundle]);
  }

  /**
   * @param {string} job
   * @param {unknown[]} parts
   */
  #send(job, parts) {
    const id = ++this.#jobs;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker?.postMessage({ id, job, parts });
    });
  }
}
