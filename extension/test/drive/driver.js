/**
 * What both browser drivers offer, so that a walk or a test is written once.
 *
 * A driver starts a real browser on a profile, with or without an unpacked
 * extension, and touches pages the way a person does: it opens addresses,
 * scrolls, clicks at coordinates, presses keys. It never counts requests: what
 * left the browser is asked from those who received it.
 *
 * @typedef {object} LaunchOptions
 * @property {string|null} [extension] folder of the unpacked extension; null or absent: none
 * @property {string|null} [profile] profile folder, created if missing and kept
 *   at the end; null or absent: a fresh one that is removed at the end
 * @property {string} [url] start the browser straight on this page, as a link
 *   clicked in another program does; absent: on an empty page
 * @property {string} [language] Chromium: the browser's, as a BCP 47 tag; absent: English
 * @property {boolean} [dark] the colours that pages are asked to have; absent: light
 * @property {boolean} [headless] default true; false needs a DISPLAY
 * @property {boolean} [permanent] install the extension into the profile, as a
 *   user does, so that the profile's next start brings it before any page; a
 *   profile that has it already keeps it. Absent: for this start only.
 * @property {boolean} [later] the extension is not there before `install` is called
 * @property {string} [installed] Chromium: id of an extension that an administrator's policies
 *   install, instead; `launch` waits for it
 * @property {string} [proxy] "127.0.0.1:PORT": every host is asked for there,
 *   *.localhost too. Absent: *.localhost is this machine, others do not resolve.
 * @property {string} [pac] address of a proxy auto-configuration that is followed
 * @property {boolean} [anyCertificate] believe every server over TLS, whoever signed
 * @property {string[]} [args] further arguments for the browser's command line
 * @property {Record<string, string|number|boolean>} [prefs] Firefox: further preferences
 * @property {string} [program] Firefox: another one than the installed
 *
 * @typedef {object} Browser
 * @property {'chromium'|'firefox'} name
 * @property {string} version as the browser says it
 * @property {string} profile the profile folder in use
 * @property {string} origin the extension's own origin, without a slash at the
 *   end; "" when there is none
 * @property {() => Promise<void>} install brings the extension that was to come later
 * @property {() => Tab} tab the tab that the browser started with
 * @property {(url?: string) => Promise<Tab>} newTab a further tab, in front
 * @property {(path: string) => Promise<Tab>} extensionPage a further tab on a
 *   page of the extension, for instance "ui/popup.html?tab=3"
 * @property {Evaluate} extension runs a function where the extension's API is
 *   (`chrome` in both browsers), in a page of the extension that has no script
 *   of its own
 * @property {(tab: Tab) => Promise<number>} tabId the number by which the
 *   extension knows a tab
 * @property {(yes: boolean) => Promise<string>} [answerPrompt] Firefox: waits for
 *   the browser's own question about an extension, clicks an answer, and returns
 *   the question's words. Only with the preference that lets it ask.
 * @property {() => Promise<void>} allowPrivate allows the extension in private windows, as
 *   a user does in the browser's own page for it; it is started anew, and its pages are gone
 * @property {(url: string) => Promise<Tab>} privateTab a private window on a page
 * @property {() => Promise<void>} stopBackground stops the extension's
 *   background, as the browser does when it has been idle for a while
 * @property {() => Promise<Memory | null>} backgroundMemory collects the
 *   garbage of the extension's background and says what is left; null: it is asleep
 * @property {number} pid the browser's first process, which leads the group of all
 * @property {() => Promise<void>} killBackground ends it in the midst of what it
 *   does, as soon as the browser says that it may be
 * @property {Promise<void>} closed settles when the browser has ended, whoever ended it
 * @property {() => Promise<void>} close ends the browser as a user does (the
 *   profile is written), removes what launch made
 * @property {() => Promise<void>} kill ends it at once
 *
 * @typedef {object} Tab
 * @property {(url: string) => Promise<void>} open goes there and waits for the
 *   page's load event
 * @property {() => Promise<void>} reload
 * @property {Evaluate} evaluate runs a function in the page; arguments and
 *   result are JSON
 * @property {(predicate: (...args: any[]) => unknown, options?: {timeout?: number, args?: any[], what?: string}) => Promise<void>} waitFor
 *   polls until the predicate is true in the page, through navigations;
 *   timeout in milliseconds, `what` is named by the error
 * @property {(selector: string) => Promise<void>} click scrolls the element
 *   into view and clicks its middle with the mouse
 * @property {(selector: string, text: string) => Promise<void>} type clicks the
 *   field and presses the keys
 * @property {(...keys: string[]) => Promise<void>} press presses keys, one after
 *   the other, wherever the focus is: a character, or a key's name such as
 *   "Tab", "Shift+Tab", "Enter", "Space", "ArrowDown", "Escape"
 * @property {(options?: {full?: boolean}) => Promise<Uint8Array>} screenshot a PNG
 *   of what is in view, or of the full page
 * @property {(width: number, height: number) => Promise<void>} setViewport in CSS pixels
 * @property {string[]} console what the page printed, one line an entry
 * @property {() => Promise<void>} front brings it before the other tabs
 * @property {() => Promise<void>} close
 *
 * @typedef {object} Memory bytes
 * @property {number} heap what JavaScript holds, without WebAssembly's
 * @property {number} wasm all of WebAssembly's memories; in Chromium those that the
 *   extension has weak references to in globalThis.memories
 * @property {number} born another number for every start of the background
 *
 * @typedef {<A extends any[], R>(fn: (...args: A) => R | Promise<R>, ...args: A) => Promise<R>} Evaluate
 */

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import path from "node:path";

/** How long a browser may take for what has no time of its own, in milliseconds: two noisy cores. */
export const PATIENCE = 30_000;

/**
 * The browser's program.
 *
 * @param {string} variable of the environment, which names another program
 * @param {string} name what to run without it
 * @returns {string} its path
 */
export function program(variable, name) {
  const wanted = process.env[variable] || name;
  const places = wanted.includes(path.sep) ? [""] : (process.env["PATH"] ?? "").split(path.delimiter);
  for (const place of places) {
    const file = path.join(place, wanted);
    if (existsSync(file)) return file;
  }
  throw new Error(`${wanted} is not installed: install it, or set ${variable} to the program's path`);
}

/**
 * Polls until a check answers something truthy and returns it.
 *
 * @template T
 * @param {() => T | Promise<T>} check an exception counts as "not yet"
 * @param {{timeout?: number, every?: number, what?: string}} [options] milliseconds
 * @returns {Promise<NonNullable<T>>}
 */
export async function until(check, { timeout = PATIENCE, every = 50, what = "a condition" } = {}) {
  const end = Date.now() + timeout;
  /** @type {unknown} */
  let last;
  for (;;) {
    try {
      const got = await check();
      if (got) return /** @type {NonNullable<T>} */ (got);
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end) {
      const why = last instanceof Error ? `: ${last.message}` : "";
      throw new Error(`waited ${timeout} ms in vain for ${what}${why}`);
    }
    await sleep(every);
  }
}

/**
 * Waits for something, but no longer than a while.
 *
 * @param {Promise<unknown>} promise
 * @param {number} [timeout] milliseconds
 * @returns {Promise<void>}
 */
export async function within(promise, timeout = PATIENCE) {
  /** @type {NodeJS.Timeout | undefined} */
  let timer;
  const late = new Promise((done) => (timer = setTimeout(done, timeout)));
  await Promise.race([promise, late]);
  clearTimeout(timer);
}

/**
 * @param {number} ms
 * @returns {Promise<void>}
 */
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

/**
 * The environment of a browser that is to leave nothing where others look, not
 * even when it is killed: its temporary files, and those of PulseAudio, which
 * otherwise notes in the user's home where they are.
 *
 * @param {string} folder for this start alone
 * @returns {Record<string, string>}
 */
export const temporary = (folder) => ({ TMPDIR: folder, PULSE_RUNTIME_PATH: path.join(folder, "pulse") });

/**
 * Removes folders of a browser that has ended: a helper process may still be
 * writing its last file.
 *
 * @param {...string} folders
 * @returns {Promise<void>}
 */
export async function remove(...folders) {
  for (const folder of folders) await rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}

/**
 * Where to click. Runs in the page.
 *
 * @param {string} selector
 * @returns {{x: number, y: number}} CSS pixels from the corner of the view
 */
export function middleOf(selector) {
  const element = document.querySelector(selector);
  if (!element) throw new Error(`nothing on ${location.href} matches ${selector}`);
  element.scrollIntoView({ block: "center", inline: "center", behavior: "instant" });
  const box = element.getBoundingClientRect();
  return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
}
