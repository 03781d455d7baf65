/**
 * Makes what the demo needs from what the build left in dist/, starts its
 * server, and asks the recipients what they received.
 */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sleep, within } from "./driver.js";
import { ask } from "./host.js";

/** The repository. */
export const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** The programs that `./build.sh build` leaves. */
const BIN = path.join(ROOT, "dist", "bin");

/** Nothing arrived for so long, in milliseconds: the browser has sent what it will. */
const QUIET = 1500;

/** Readers of the demo's releases ask for the next one this often, in seconds. */
const POLL_SECONDS = 2;

/**
 * A request as its recipient saw it.
 *
 * @typedef {object} Received
 * @property {string} time RFC 3339
 * @property {string} method
 * @property {string} url
 * @property {string} type webRequest's word, guessed by the recipient
 * @property {Record<string, string>} headers some of them, names in small letters
 * @property {string} [body]
 * @property {'browser' | 'gateway'} from
 *
 * @typedef {object} Party
 * @property {string} key for instance "photos"
 * @property {string} name
 * @property {string} origin
 * @property {Received[]} requests
 * @property {number} connections TCP connections from browsers, with or without a request
 * @property {string[]} learnt about the patient, in plain words
 *
 * @typedef {object} Board
 * @property {Party[]} recipients
 * @property {Party[]} needs
 *
 * @typedef {object} Addresses origins, such as "http://booking.localhost:8480"
 * @property {string} site
 * @property {string} lists
 * @property {string} gateway
 * @property {string} board
 * @property {{[key: string]: string}} recipients
 * @property {{[key: string]: string}} needs
 *
 * @typedef {Addresses & DemoMethods} Demo
 *
 * @typedef {object} DemoMethods
 * @property {() => Promise<Board>} received what everybody received since the last reset
 * @property {() => Promise<Board>} settled the same, once nothing more arrives
 * @property {() => Promise<void>} reset
 * @property {() => Promise<void>} close
 */

/**
 * Runs one of the project's programs and returns what it printed.
 *
 * @param {'paravent' | 'paravent-server'} program
 * @param {string[]} args
 * @param {{input?: string}} [options] input is written to its standard input
 * @returns {Promise<string>}
 */
export async function run(program, args, { input = "" } = {}) {
  const file = path.join(BIN, program);
  await access(file).catch(() => {
    throw new Error(`${file} is missing: run ./build.sh build first`);
  });
  const started = promisify(execFile)(file, args, { cwd: ROOT, maxBuffer: 256 << 20 });
  started.child.stdin?.end(input);
  const { stdout } = await started.catch((error) => {
    throw new Error(`${program} ${args.join(" ")}: ${error.stderr || error.message}`);
  });
  return stdout;
}

/**
 * Builds a list from folders of sources.
 *
 * @param {string} out folder to write list.txt, list.bundle and about.json to
 * @param {string[]} sources folders, relative to the repository or absolute
 * @returns {Promise<string>} what the build says about it
 */
export function buildList(out, sources) {
  return run("paravent", [
    "list", "build", "-o", out, "-upstream", path.join(ROOT, "extension", "node_modules"), ...sources,
  ]);
}

/**
 * Makes a demo key, or takes the one that is there.
 *
 * @param {string} dir
 * @param {string} [name]
 * @returns {Promise<{key: string, trust: string}>} the secret key's file, and
 *   the text of who must have signed
 */
export async function demoKey(dir, name = "demo.paravent") {
  const key = path.join(dir, `${name}.key`);
  const known = await readFile(path.join(dir, `${name}.pub`), "utf8").catch(() => "");
  const line = known ? `maintainer ${known.trim()}\n` : await run("paravent", ["key", "new", name, dir]);
  return { key, trust: `threshold 1\n${line}` };
}

/**
 * Puts a list in force.
 *
 * @param {{store: string, key: string, list: string}} what folder of the store,
 *   file of the secret key, folder of the built list
 */
export function publish({ store, key, list }) {
  return run("paravent", ["release", "publish", "-store", store, "-key", key, "-wait", "1", list]);
}

/**
 * Whom an assembled extension talks to.
 *
 * @typedef {object} Servers
 * @property {string} lists origin of the list server
 * @property {string} gateway origin of the photo gateway
 * @property {string} trust who must have signed a list
 */

/**
 * Assembles the extension.
 *
 * @param {object} what
 * @param {"chromium" | "firefox"} what.browser
 * @param {string} what.out folder
 * @param {string} what.list folder of the built list that comes in the package
 * @param {Servers | null} what.servers null: a stock build's, which are none
 * @returns {Promise<string>} the folder
 */
export async function assemble({ browser, out, list, servers }) {
  const args = [
    path.join(ROOT, "extension", "tools", "package.js"),
    ...["--browser", browser, "--out", out, "--lists", list, "--wasm", path.join(ROOT, "dist", "wasm")],
  ];
  if (servers) {
    const { lists: listServer, gateway, trust } = servers;
    const file = `${out}.defaults.json`;
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(
      file,
      JSON.stringify({ listServer, trust, gateway: `${gateway}/gateway`, pollSeconds: POLL_SECONDS }),
    );
    args.push("--defaults", file);
  }
  await promisify(execFile)(process.execPath, args, { cwd: ROOT }).catch((error) => {
    throw new Error(`package.js: ${error.stderr || error.message}`);
  });
  return out;
}

/**
 * Starts the booking site and everybody who listens.
 *
 * @param {{store: string, port?: number}} options port is the first of several
 *   in a row; 0, the default, takes free ones
 * @returns {Promise<Demo>}
 */
export async function startDemo({ store, port = 0 }) {
  const file = path.join(BIN, "paravent-server");
  const child = spawn(file, ["demo", "-port", String(port), "-store", store], {
    stdio: ["ignore", "pipe", "pipe"],
    cwd: ROOT,
  });
  let said = "";
  child.stderr.on("data", (data) => (said = `${said}${data}`.slice(-4000)));
  const exited = once(child, "exit").catch(() => {});
  const ended = exited.then(() => Promise.reject(new Error(`paravent-server demo ended: ${said}`)));
  ended.catch(() => {});
  /** @type {Promise<string>} */
  const line = new Promise((done, failed) => {
    child.once("error", () => failed(new Error(`${file} does not start: run ./build.sh build first`)));
    createInterface(child.stdout).once("line", done);
  });
  /** @type {Addresses} */
  const addresses = JSON.parse(await Promise.race([line, ended]));
  /** @param {string} place @param {RequestInit} [how] */
  const board = async (place, how) => {
    const answer = await ask(new URL(place, addresses.board).href, how);
    if (!answer.ok) throw new Error(`${place}: ${answer.status} ${await answer.text()}`);
    return answer;
  };
  const received = async () => /** @type {Board} */ (await (await board("/api/record")).json());
  return {
    ...addresses,
    received,
    settled: async () => {
      for (let before = 0, sameSince = Date.now(); ; await sleep(100)) {
        const now = await received();
        const all = [...now.recipients, ...now.needs];
        const sum = all.reduce((total, party) => total + party.requests.length + party.connections, 0);
        if (sum !== before) sameSince = Date.now();
        before = sum;
        if (Date.now() - sameSince > QUIET) return now;
      }
    },
    reset: async () => {
      await board("/api/reset", { method: "POST" });
    },
    close: async () => {
      child.kill("SIGTERM");
      await within(exited);
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/**
 * Who of the recipients got a request or a connection from a browser.
 *
 * @param {Board} board
 * @returns {string[]} their keys
 */
export function contacted({ recipients }) {
  return recipients.filter((party) => fromBrowser(party) || party.connections).map(({ key }) => key);
}

/**
 * How many of a party's requests came from a browser.
 *
 * @param {Party} party
 */
export const fromBrowser = (party) => party.requests.filter(({ from }) => from === "browser").length;
