/**
 * Runs the tests that drive real browsers, one file after the other:
 *
 *   node tools/rounds.js [--times N] [NAME…]
 *
 * All files of test/, or those named (`allow` is test/allow.test.js), in N
 * rounds; nothing is tried again. Each file has a folder for temporary files to
 * itself and must leave nothing in it, and no process that was started with it:
 * what it leaves is removed, named, and counts as a failure. A file that takes
 * longer than LIMIT is ended with its browsers, and the test it was in is named.
 * The last lines say which tests failed, and in how many of the rounds.
 */

import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { run } from "node:test";
import { fileURLToPath } from "node:url";
import { inspect, parseArgs } from "node:util";
import { until } from "../test/drive/driver.js";

const TESTS = fileURLToPath(new URL("../test", import.meta.url));
const ENDING = ".test.js";

/** How long one file may take, in milliseconds: a hanging browser must not take all of CI's time. */
const LIMIT = 10 * 60_000;

/** How long the last processes of a file may take to end, in milliseconds. */
const ENDS = 10_000;

/**
 * @typedef {object} Outcome
 * @property {number} passed
 * @property {number} skipped
 * @property {string[]} failed "file › browser › test", or what was left behind
 */

const began = Date.now();

/** @param {string} what */
function say(what) {
  const seconds = Math.round((Date.now() - began) / 1000);
  console.log(`${`${seconds} s`.padStart(7)}  ${what}`);
}

/**
 * The processes that were started with a folder for their temporary files, and
 * those that have it in their command line. Elsewhere than on Linux none is known.
 *
 * @param {string} folder
 * @returns {Promise<{pid: number, command: string}[]>}
 */
async function processesOf(folder) {
  const own = String(process.pid);
  const pids = (await readdir("/proc").catch(() => [])).filter((name) => /^\d+$/.test(name) && name !== own);
  const known = await Promise.all(
    pids.map(async (pid) => {
      const read = (/** @type {string} */ name) => readFile(`/proc/${pid}/${name}`, "utf8").catch(() => "");
      const [command, environment] = await Promise.all([read("cmdline"), read("environ")]);
      return { pid: Number(pid), command: command.replaceAll("\0", " ").trim(), of: `${command}${environment}`.includes(folder) };
    }),
  );
  return known.filter((one) => one.of);
}

/**
 * Ends and removes what a file has left.
 *
 * @param {string} folder
 * @returns {Promise<string[]>} what it was
 */
async function clear(folder) {
  await until(async () => (await processesOf(folder)).length === 0, { timeout: ENDS, every: 100 }).catch(() => {});
  const processes = await processesOf(folder);
  for (const { pid } of processes) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it has ended by itself
    }
  }
  const files = await readdir(folder);
  await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  return [...processes.map(({ command }) => `left running: ${command.slice(0, 200)}`), ...files.map((file) => `left behind: ${file.replace(/-\w{6}$/, "")}`)];
}

/** The folder of the file that is being run, "" between two. */
let folder = "";

/**
 * @param {string} name
 * @returns {Promise<Outcome>}
 */
async function runFile(name) {
  /** @type {Outcome} */
  const outcome = { passed: 0, skipped: 0, failed: [] };
  const file = path.join(TESTS, name + ENDING);
  const elsewhere = tmpdir();
  folder = await mkdtemp(path.join(elsewhere, "paravent-"));
  process.env["TMPDIR"] = folder;
  /** Where the reports are, and where the run is. @type {[string[], string[]]} */
  const [told, now] = [[], []];
  const at = (/** @type {string[]} */ names) => [name, ...names.filter((one) => one !== file)].join(" › ");
  for await (const { type, data } of run({ files: [file], concurrency: 1, timeout: LIMIT })) {
    if (type === "test:dequeue") now.splice(data.nesting, Infinity, data.name);
    else if (type === "test:start") told.splice(data.nesting, Infinity, data.name);
    else if (type === "test:diagnostic" && data.nesting > 0) say(`${at(told.slice(0, data.nesting + 1))}: ${data.message}`);
    else if (type === "test:stdout" || type === "test:stderr") process.stdout.write(data.message);
    else if (type === "test:pass" && /** @type {any} */ (data.details).type !== "suite") {
      if (data.skip === undefined) outcome.passed++;
      else {
        outcome.skipped++;
        say(`skipped: ${at(told)}${typeof data.skip === "string" ? ` (${data.skip})` : ""}`);
      }
    } else if (type === "test:fail") {
      const { failureType, cause } = /** @type {any} */ (data.details.error);
      if (failureType === "subtestsFailed") continue;
      const late = failureType === "testTimeoutFailure" && data.name === file;
      outcome.failed.push(late ? `${at(now)}: not done after ${LIMIT / 60_000} minutes` : at(told.slice(0, data.nesting + 1)));
      say(`FAILED  ${outcome.failed.at(-1)}`);
      if (!late) console.log(inspect(cause).replaceAll(/^/gm, "         "));
    }
  }
  process.env["TMPDIR"] = elsewhere;
  for (const left of await clear(folder)) {
    outcome.failed.push(`${name}: ${left}`);
    say(`FAILED  ${name}: ${left}`);
  }
  folder = "";
  return outcome;
}

async function main() {
  const { values, positionals } = parseArgs({ options: { times: { type: "string", default: "1" } }, allowPositionals: true });
  const times = Number(values.times);
  if (!Number.isInteger(times) || times < 1) throw new Error(`--times ${values.times}: a whole number from 1 is wanted`);
  const all = (await readdir(TESTS)).filter((name) => name.endsWith(ENDING)).map((name) => name.slice(0, -ENDING.length)).sort();
  for (const name of positionals) if (!all.includes(name)) throw new Error(`${name}: no such file of tests; there are ${all.join(", ")}`);
  for (const signal of /** @type {const} */ (["SIGINT", "SIGTERM"])) {
    process.once(signal, () => void (folder ? clear(folder) : Promise.resolve([])).finally(() => process.exit(1)));
  }

  let [passed, failed, skipped] = [0, 0, 0];
  /** @type {Map<string, number>} */
  const failures = new Map();
  for (let round = 1; round <= times; round++) {
    for (const name of positionals.length > 0 ? positionals : all) {
      const start = Date.now();
      const outcome = await runFile(name);
      passed += outcome.passed;
      skipped += outcome.skipped;
      failed += outcome.failed.length;
      for (const one of outcome.failed) failures.set(one, (failures.get(one) ?? 0) + 1);
      const counts = [`${outcome.passed} passed`, outcome.failed.length > 0 && `${outcome.failed.length} FAILED`, outcome.skipped > 0 && `${outcome.skipped} skipped`];
      say(`${times > 1 ? `${round}/${times} ` : ""}${name}: ${counts.filter(Boolean).join(", ")}, in ${Math.round((Date.now() - start) / 1000)} s`);
    }
  }
  console.log();
  for (const [name, count] of failures) console.log(`failed in ${count} of ${times}: ${name}`);
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  if (failed > 0) process.exitCode = 1;
}

await main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});
