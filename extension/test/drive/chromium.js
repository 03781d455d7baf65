/**
 * Drives Chromium through puppeteer-core, over a pipe. See driver.js for what
 * every method does.
 *
 * The debugger stays away from service workers: a worker with a debugger
 * attached is never put to sleep, and a patient's extension sleeps.
 */

/* global chrome */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import puppeteer from "puppeteer-core";
import { PATIENCE, middleOf, program, until } from "./driver.js";

/** @typedef {import('./driver.js').Browser} Browser */
/** @typedef {import('./driver.js').Tab} Tab */
/** @typedef {import('./driver.js').LaunchOptions} LaunchOptions */

const ARGS = [
  "--no-sandbox", // root in a container has no user namespaces
  "--no-first-run",
  "--no-default-browser-check",
  "--password-store=basic",
  "--use-mock-keychain",
  "--disable-dev-shm-usage",
  "--force-color-profile=srgb",
  "--lang=en",
  // None of the browser's own traffic: its updates, its component lists, its
  // variations. What the pages and the extension do is left alone.
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-domain-reliability",
  "--disable-client-side-phishing-detection",
  "--disable-features=DisableLoadExtensionCommandLineSwitch,OptimizationHints,Translate,MediaRouter,DialMediaRouteProvider",
  "--disable-search-engine-choice-screen",
  "--disable-breakpad",
  "--metrics-recording-only",
];

/**
 * @param {LaunchOptions} [options]
 * @returns {Promise<Browser>}
 */
export async function launch(options = {}) {
  const executable = program("CHROMIUM", "chromium");
  const fresh = !options.profile;
  const profile = options.profile ?? (await mkdtemp(path.join(tmpdir(), "paravent-chromium-")));
  if (!fresh) await mkdir(profile, { recursive: true });
  const args = [...ARGS, `--user-data-dir=${profile}`];
  if (options.proxy) {
    args.push(`--proxy-server=http://${options.proxy}`, "--proxy-bypass-list=<-loopback>");
  } else {
    args.push("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1");
  }
  let origin = "";
  if (options.extension) {
    const folder = await realpath(options.extension);
    args.push(`--load-extension=${folder}`, `--disable-extensions-except=${folder}`);
    origin = `chrome-extension://${await extensionId(folder)}`;
  }
  if (options.headless !== false) args.push("--headless=new", "--hide-scrollbars");
  args.push(...(options.args ?? []), options.url ?? "about:blank");

  const browser = await puppeteer
    .launch({
      executablePath: executable,
      pipe: true,
      ignoreDefaultArgs: true,
      args: ["--remote-debugging-pipe", ...args],
      defaultViewport: null,
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      timeout: 2 * PATIENCE,
      protocolTimeout: 4 * PATIENCE,
      targetFilter: (target) => target.type() !== "service_worker",
    })
    .catch(async (error) => {
      if (fresh) await rm(profile, { recursive: true, force: true });
      throw new Error(`${executable} did not start: ${error.message}`);
    });
  const first = tab((await browser.pages())[0] ?? (await browser.newPage()));

  /** @type {Tab | undefined} */
  let inside;

  /** @param {() => Promise<void>} end */
  const finish = async (end) => {
    const child = browser.process();
    const gone = child && child.exitCode === null && child.signalCode === null
      ? new Promise((done) => child.once("exit", done))
      : Promise.resolve();
    await end();
    await gone;
    // A helper process may still be writing its last file.
    if (fresh) await rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  };

  /** @type {Browser} */
  const self = {
    name: "chromium",
    version: await browser.version(),
    profile,
    origin,
    tab: () => first,
    newTab: async (url) => {
      const made = tab(await browser.newPage());
      if (url) await made.open(url);
      return made;
    },
    extensionPage: (page) => {
      if (!origin) throw new Error("this browser was started without an extension");
      return self.newTab(`${origin}/${page}`);
    },
    extension: async (fn, ...values) => {
      if (!inside) {
        if (!origin) throw new Error("this browser was started without an extension");
        const page = await browser.newPage({ background: true });
        inside = tab(page);
        await inside.open(`${origin}/content/placeholder.svg`);
      }
      return inside.evaluate(fn, ...values);
    },
    tabId: async (of) => {
      const address = await of.evaluate(() => location.href);
      return until(
        () => self.extension(async (href) => {
          const tabs = await chrome.tabs.query({});
          return tabs.find((t) => t.url === href)?.id;
        }, address),
        { what: `the number of the tab on ${address}` },
      );
    },
    closed: new Promise((done) => browser.process()?.once("exit", () => done())),
    close: () => finish(() => browser.close()),
    kill: () => finish(async () => {
      const pid = browser.process()?.pid;
      if (pid) {
        try {
          process.kill(-pid, "SIGKILL"); // the whole group: its renderers too
        } catch {
          // gone already
        }
      }
    }),
  };
  return self;
}

/**
 * The number that Chromium gives an unpacked extension: from the manifest's
 * key if it has one, else from the folder's path.
 *
 * @param {string} folder absolute, without symbolic links
 * @returns {Promise<string>}
 */
async function extensionId(folder) {
  const manifest = JSON.parse(await readFile(path.join(folder, "manifest.json"), "utf8"));
  const seed = manifest.key ? Buffer.from(manifest.key, "base64") : Buffer.from(folder);
  const hex = createHash("sha256").update(seed).digest("hex").slice(0, 32);
  return [...hex].map((digit) => String.fromCharCode(97 + parseInt(digit, 16))).join("");
}

/**
 * @param {import('puppeteer-core').Page} page
 * @returns {Tab}
 */
function tab(page) {
  /** @type {string[]} */
  const lines = [];
  page.on("console", (message) => lines.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => lines.push(`error: ${error instanceof Error ? error.message : error}`));
  page.setDefaultTimeout(PATIENCE);

  /** @type {Tab} */
  const self = {
    console: lines,
    open: async (url) => {
      await page.goto(url, { waitUntil: "load", timeout: 2 * PATIENCE });
    },
    reload: async () => {
      await page.reload({ waitUntil: "load", timeout: 2 * PATIENCE });
    },
    evaluate: (fn, ...args) => /** @type {any} */ (page.evaluate(/** @type {any} */ (fn), ...args)),
    waitFor: async (predicate, { timeout = PATIENCE, args = [], what } = {}) => {
      await until(() => page.evaluate(predicate, ...args), {
        timeout,
        what: what ?? `${predicate} on ${page.url()}`,
      });
    },
    click: async (selector) => {
      const at = await page.evaluate(middleOf, selector);
      await page.mouse.click(at.x, at.y);
    },
    type: async (selector, text) => {
      await self.click(selector);
      await page.keyboard.type(text);
    },
    screenshot: ({ full = false } = {}) => page.screenshot({ fullPage: full }),
    setViewport: (width, height) => page.setViewport({ width, height }),
    front: () => page.bringToFront(),
    close: () => page.close(),
  };
  return self;
}
