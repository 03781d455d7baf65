/**
 * Administrators' policies for the browsers under test, in the files where the
 * browsers look for them.
 */

import { constants } from "node:fs";
import { access, copyFile, mkdir, mkdtemp, readdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { program } from "./driver.js";

/** Where Debian's Chromium reads them, for all who use this computer. */
const CHROMIUM = "/etc/chromium/policies/managed";

/**
 * @typedef {object} Policies
 * @property {(values: Record<string, unknown>, browser?: Record<string, unknown>) => Promise<void>} set
 *   what the extension is told, from now on; Chromium: and what the browser is
 * @property {() => Promise<void>} remove
 */

/** @returns {Promise<boolean>} whether this user may write Chromium's policies */
export async function mayWriteChromium() {
  try {
    await mkdir(CHROMIUM, { recursive: true });
    await access(CHROMIUM, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Policies for one extension: other browsers on this computer do not have it.
 * @param {string} id
 * @returns {Promise<Policies>}
 */
export async function chromiumPolicies(id) {
  const file = path.join(CHROMIUM, `paravent-test-${id}.json`);
  return {
    set: (values, browser = {}) => writeFile(file, JSON.stringify({ ...browser, "3rdparty": { extensions: { [id]: values } } })),
    remove: () => rm(file, { force: true }),
  };
}

/**
 * A Firefox of its own with policies: they lie beside the program. All of it
 * but the program is the installed one's.
 * @param {string} id of the extension
 * @returns {Promise<Policies & {program: string}>}
 */
export async function firefoxPolicies(id) {
  const installed = await realpath(program("FIREFOX", "firefox-esr"));
  const folder = await mkdtemp(path.join(tmpdir(), "paravent-firefox-program-"));
  for (const name of await readdir(path.dirname(installed))) {
    if (name === path.basename(installed) || name === "distribution") continue;
    await symlink(path.join(path.dirname(installed), name), path.join(folder, name));
  }
  const own = path.join(folder, path.basename(installed));
  await copyFile(installed, own);
  await mkdir(path.join(folder, "distribution"));
  return {
    program: own,
    set: (values) =>
      writeFile(path.join(folder, "distribution", "policies.json"), JSON.stringify({ policies: { "3rdparty": { Extensions: { [id]: values } } } })),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
