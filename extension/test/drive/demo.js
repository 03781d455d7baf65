/**
 * Makes what the demo needs from what the build left in dist/, starts its
 * server, and asks the recipients what they received.
 */

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { access, mkdir, writeFile } from "node:fs/promises";
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

/** Another build of the server can be named. */
const SERVER = process.env["PARAVENT_SERVER"] || path.join(BIN, "paravent-server");

/** The npm packages that carry lists by others. */
const UPSTREAM = path.join(ROOT, "extension", "node_modules");

/**
 * Asked so often, a tenth of a second apart, nothing more had arrived: the
 * browser has sent what it will. On a machine that has no time for the browser
 * asking takes longer, too.
 */
const QUIET = 15;

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
 * @property {string} [decoded] what the body carries in base64
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
  // A program that wants no input may have ended before it has got all of it.
  started.child.stdin?.on("error", () => {}).end(input);
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
  return run("paravent", ["list", "build", "-o", out, "-upstream", UPSTREAM, ...sources]);
}

/** What the demo's lists were built from is not in git. */
const COMMIT = "0".repeat(40);

/** The maintainers of the demo's lists, and how many of them must sign. */
const MAINTAINERS = ["demo.alice", "demo.bob"];

/**
 * Those who put the demo's lists in force.
 *
 * @typedef {object} Keepers
 * @property {string} trust whom readers believe
 * @property {string} trustFile the same, as a file
 * @property {string} logKey file of the key that signs the server's log
 * @property {(what: Publication) => Promise<void>} publish puts a list in
 *   force: drafted, rebuilt and signed by every maintainer, pushed, cosigned
 * @property {() => Promise<void>} close ends the witness
 *
 * @typedef {object} Publication
 * @property {string[]} lists origins of list servers, whose logs are the same
 * @property {string} list folder of the built list
 * @property {string[]} sources folders that it was built from
 */

/**
 * Makes keys for two maintainers, a log and a witness, and starts the witness.
 *
 * @param {string} dir a new folder
 * @returns {Promise<Keepers>}
 */
export async function startKeepers(dir) {
  const at = (/** @type {string} */ name) => path.join(dir, name);
  /** @param {string[]} args */
  const newKey = async (...args) => (await run("paravent", ["key", "new", ...args, at("keys")])).trim();
  const maintainers = await Promise.all(MAINTAINERS.map((name) => newKey(name)));
  const log = (await newKey("demo.lists")).replace("maintainer", "log");
  // "witness demo KEY": its address follows once it is known.
  const witness = await newKey("-witness", "demo.witness");
  const common = [`threshold ${MAINTAINERS.length}`, ...maintainers, log];
  await writeFile(at("watched.txt"), [...common, "quorum none", ""].join("\n"));
  const { address, close } = await startServer("witness", [
    ...["-store", at("witness"), "-listen", "127.0.0.1:0"],
    ...["-key", at("keys/demo.witness.key"), "-trust", at("watched.txt")],
  ]);
  const trust = [...common, `${witness} ${address.witness}`, "quorum demo", ""].join("\n");
  const trustFile = at("trust.txt");
  await writeFile(trustFile, trust);
  let drafts = 0;
  return {
    trust,
    trustFile,
    logKey: at("keys/demo.lists.key"),
    publish: async ({ lists, list, sources }) => {
      // Only browsers know what *.localhost is.
      const servers = lists.map((origin) => Object.assign(new URL(origin), { hostname: "127.0.0.1" }).origin);
      const first = (await fetch(`${servers[0]}/v1/release`)).status === 404;
      const common = ["-trust", trustFile, "-source", COMMIT, ...(first ? [] : ["-server", servers[0] ?? ""])];
      const draft = at(`draft-${++drafts}`);
      await run("paravent", ["release", "draft", "-wait", "1", ...common, "-o", draft, list]);
      for (const name of MAINTAINERS) {
        const key = at(`keys/${name}.key`);
        await run("paravent", ["release", "sign", "-key", key, "-lists", sources.join(","), "-upstream", UPSTREAM, ...common, draft]);
      }
      for (const server of servers) await run("paravent", ["release", "push", "-server", server, draft]);
    },
    close,
  };
}

/**
 * Whom an assembled extension talks to.
 *
 * @typedef {object} Servers
 * @property {string} lists origin of the list server
 * @property {import("../../background/relay.js").Relay[]} [relays] that photos are asked through
 * @property {string} trust who must have signed a list
 * @property {number} [pollSeconds] between two polls of the list server
 * @property {boolean} [welcome] whether a fresh install opens its first page; absent: not
 * @property {string} [tryOn] the site that its first page links to
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
  const { lists: listServer, relays = [], trust, pollSeconds = POLL_SECONDS, welcome = false, tryOn = "" } = servers ?? { lists: "", trust: "" };
  const file = `${out}.defaults.json`;
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify({ listServer, trust, relays, pollSeconds, welcome, tryOn }));
  args.push("--defaults", file);
  await promisify(execFile)(process.execPath, args, { cwd: ROOT }).catch((error) => {
    throw new Error(`package.js: ${error.stderr || error.message}`);
  });
  return out;
}

/**
 * Starts a server that prints one line of JSON when it is ready.
 *
 * @param {string} verb
 * @param {string[]} args
 * @returns {Promise<{address: any, close: () => Promise<void>}>} what it printed
 */
export function startServer(verb, args) {
  return listening(SERVER, [verb, ...args]);
}

/**
 * Starts a list server as a Worker, in workerd, that has no release yet.
 *
 * @param {Keepers} keepers
 * @returns {Promise<{lists: string, close: () => Promise<void>}>}
 */
export async function startWorker({ trustFile, logKey }) {
  const file = path.join(ROOT, "server", "cmd", "worker", "dev.js");
  const { address, close } = await listening(process.execPath, [file, "--trust", trustFile, "--log-key", logKey]);
  return { lists: address.lists, close };
}

/**
 * A relay and its gateway, two processes that in earnest two parties run.
 *
 * @typedef {object} Photos
 * @property {import("../../background/relay.js").Relay} relay as settings name it
 * @property {() => Promise<void>} close
 */

/**
 * @param {string} dir of the gateway's key and cache
 * @param {string} store of the list server, whose release says what a photo is
 * @returns {Promise<Photos>}
 */
export async function startPhotos(dir, store) {
  const key = await newGatewayKey(dir);
  const gateway = await startGateway(dir, store);
  const relay = await startRelay(gateway.url).catch(async (error) => {
    await gateway.close();
    throw error;
  });
  return {
    relay: { name: "demo", url: relay.url, keys: [key] },
    close: async () => {
      await relay.close();
      await gateway.close();
    },
  };
}

/**
 * @param {string} dir
 * @returns {Promise<string>} its key configuration
 */
export async function newGatewayKey(dir) {
  return (await run("paravent", ["key", "new", "-gateway", "demo.gateway", path.join(dir, "keys")])).trim();
}

/**
 * @param {string} dir with the gateway's key
 * @param {string} store
 * @returns {Promise<{url: string, close: () => Promise<void>}>}
 */
export async function startGateway(dir, store) {
  const folders = ["-keys", path.join(dir, "keys"), "-cache", path.join(dir, "cache"), "-store", store];
  const { address, close } = await startServer("gateway", ["-listen", "127.0.0.1:0", ...folders, "-demo-loopback"]);
  return { url: address.gateway, close };
}

/**
 * @param {string} gateway address of the gateway
 * @param {number} [perMinute] requests that it takes of one client
 * @returns {Promise<{url: string, close: () => Promise<void>}>}
 */
export async function startRelay(gateway, perMinute) {
  const limit = perMinute ? ["-per-minute", String(perMinute)] : [];
  const { address, close } = await startServer("relay", ["-listen", "127.0.0.1:0", "-to", gateway, ...limit]);
  return { url: Object.assign(new URL(address.relay), { hostname: "relay.localhost" }).href, close };
}

/**
 * @param {string} file
 * @param {string[]} args
 * @returns {Promise<{address: any, close: () => Promise<void>}>}
 */
async function listening(file, args) {
  const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], cwd: ROOT });
  let said = "";
  child.stderr.on("data", (data) => (said = `${said}${data}`.slice(-4000)));
  const exited = once(child, "exit").catch(() => {});
  const ended = exited.then(() => Promise.reject(new Error(`${path.basename(file)} ${args[0]} ended: ${said}`)));
  ended.catch(() => {});
  /** @type {Promise<string>} */
  const line = new Promise((done, failed) => {
    child.once("error", () => failed(new Error(`${file} does not start: run ./build.sh build first`)));
    createInterface(child.stdout).once("line", done);
  });
  return {
    address: JSON.parse(await Promise.race([line, ended])),
    close: async () => {
      child.kill("SIGTERM");
      await within(exited);
      child.kill("SIGKILL");
      await exited;
    },
  };
}

/**
 * Starts the booking site and everybody who listens, with a list server that
 * has no release yet.
 *
 * @param {object} options
 * @param {string} options.store a new folder
 * @param {Keepers} options.keepers whose releases the list server takes
 * @param {number} [options.port] the first of several in a row; 0, the default,
 *   takes free ones
 * @returns {Promise<Demo>}
 */
export async function startDemo({ store, keepers, port = 0 }) {
  const args = ["-port", String(port), "-store", store, "-trust", keepers.trustFile, "-log-key", keepers.logKey];
  const { address, close } = await startServer("demo", args);
  const addresses = /** @type {Addresses} */ (address);
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
      for (let before = 0, same = 0; ; await sleep(100)) {
        const now = await received();
        const all = [...now.recipients, ...now.needs];
        const sum = all.reduce((total, party) => total + party.requests.length + party.connections, 0);
        same = sum === before ? same + 1 : 0;
        before = sum;
        if (same >= QUIET) return now;
      }
    },
    reset: async () => {
      await board("/api/reset", { method: "POST" });
    },
    close,
  };
}

/**
 * The demo as a trainer serves it to a room of laptops.
 *
 * @typedef {object} Room
 * @property {string} start address that participants open
 * @property {string} pac of the proxy auto-configuration
 * @property {string} trainer address of the overview
 * @property {() => Promise<void>} close
 */

/**
 * @param {string} [packages] folder of what participants may download
 * @returns {Promise<Room>}
 */
export async function startRoom(packages) {
  const { address, close } = await startServer("demo", ["-port", "0", "-room", "127.0.0.1:0", ...(packages ? ["-packages", packages] : [])]);
  return { ...address.room, close };
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
