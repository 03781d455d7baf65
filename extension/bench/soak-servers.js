/**
 * The servers of a soak: asks them what patients do not ask, and looks at what
 * they hold.
 */

import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { sleep, until } from "../test/drive/driver.js";
import { ask } from "../test/drive/host.js";
import { childrenOf, openFiles } from "./processes.js";

/** So often servers are looked at, and asked, in milliseconds. */
const LOOK_MS = 5000;
const ASK_MS = 250;
/** So many ask at once. */
const CROWD = 4;

/** @typedef {{at: number, heap: number, goroutines: number, files: number}} Sample */

export class Servers {
  #dir;
  #world;
  #reader;
  /** By the server's verb. @type {Map<string, {pid: number, samples: Sample[]}>} */
  #all;
  answers = 0;
  /** Answers that nobody should get. @type {string[]} */
  wrong = [];

  /**
   * @param {string} dir where they write down what they hold, and races
   * @param {import("../test/world.js").World} world
   * @param {string} reader origin of a list server that takes no releases
   */
  constructor(dir, world, reader) {
    this.#dir = dir;
    this.#world = world;
    this.#reader = reader;
    this.#all = new Map(childrenOf(process.pid, "paravent-server").map(({ pid, verb }) => [verb, { pid, samples: [] }]));
  }

  names() {
    return [...this.#all.keys()];
  }

  /** @param {string} name */
  samples(name) {
    return this.#all.get(name)?.samples ?? [];
  }

  /** @param {() => boolean} goesOn */
  async look(goesOn) {
    for (let round = 1; goesOn(); round++) {
      await sleep(LOOK_MS);
      // What recipients were told is theirs to keep.
      await this.#world.demo.reset();
      for (const { pid, samples } of this.#all.values()) {
        process.kill(pid, "SIGUSR1");
        const pulse = await until(
          async () => {
            const said = (await readFile(path.join(this.#dir, String(pid)), "utf8")).split("\n");
            return said.length > round ? said[round - 1] : "";
          },
          { timeout: 120_000, what: `pulse ${round} of process ${pid}, built with -race` },
        );
        samples.push({ at: Date.now(), files: openFiles(pid), ...JSON.parse(pulse) });
      }
    }
  }

  /**
   * What others ask of them, who are no patients.
   * @param {() => boolean} goesOn
   */
  async ask(goesOn) {
    const { demo, relay } = this.#world;
    /** @type {[url: string, status: number, how?: RequestInit][]} */
    const questions = [demo.lists, this.#reader].flatMap((lists) => [
      [`${lists}/v1/release`, 200],
      [`${lists}/checkpoint`, 200],
      [`${lists}/tile/0/000`, 404],
      [`${lists}/healthz`, 200],
      [`${lists}/metrics`, 200],
      [`${lists}/`, 200],
      [`${lists}/?q=analytics.localhost`, 200],
    ]);
    questions.push(
      [`${demo.site}/`, 200],
      [`${demo.site}/psychiatrist/lyon`, 200],
      [`${demo.board}/api/record`, 200],
      [`${demo.lists}/v1/release`, 400, { method: "POST", body: "no note", headers: { "Content-Type": "application/x-tar" } }],
      [relay.url, 415, { method: "POST", body: "not sealed" }],
      [relay.url, 400, { method: "POST", body: "not sealed", headers: { "Content-Type": "message/ohttp-req" } }],
    );
    for (let i = 0; goesOn(); i += CROWD) {
      await Promise.all(Array.from({ length: CROWD }, async (_, j) => {
        const [url, status, how] = questions[(i + j) % questions.length];
        const answer = await ask(url, how).catch((error) => ({ status: String(error.cause ?? error), arrayBuffer: async () => {} }));
        await answer.arrayBuffer();
        this.answers++;
        if (answer.status !== status) this.wrong.push(`${how?.method ?? "GET"} ${url} ${answer.status}`);
      }));
      await sleep(ASK_MS);
    }
  }

  /** @returns {Promise<number>} reports of races by any of them, each is printed */
  async races() {
    let all = 0;
    for (const file of (await readdir(this.#dir)).filter((name) => name.startsWith("race."))) {
      const text = await readFile(path.join(this.#dir, file), "utf8");
      console.log(text);
      all += text.split("WARNING: DATA RACE").length - 1;
    }
    return all;
  }
}
