/**
 * Drives Chromium through puppeteer-core, over a pipe. See driver.js for what
 * every method does.
 *
 * The debugger stays away from service workers: a worker with a debugger
 * attached is never put to sleep, and a patient's extension sleeps.
 */

/* global chrome */
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readFile, realpath, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import puppeteer from "puppeteer-core";
import { PATIENCE, middleOf, program, remove, temporary, until, within } from "./driver.js";

/** @typedef {import("./driver.js").Browser} Browser */
/** @typedef {import("./driver.js").Tab} Tab */
/** @typedef {import("./driver.js").LaunchOptions} LaunchOptions */

const ARGS = [
  "--no-sandbox", // root in a container has no user namespaces
  "--no-first-run",
  "--no-default-browser-check",
  "--password-store=basic",
  "--use-mock-keychain",
  "--disable-dev-shm-usage",
  "--force-color-profile=srgb",
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
  const language = options.language ?? "en";
  // With its own traffic forbidden, the browser would not ask for an extension either.
  const own = options.installed ? ARGS.filter((arg) => arg !== "--disable-background-networking") : ARGS;
  const args = [...own, `--user-data-dir=${profile}`, `--lang=${language}`];
  if (options.dark) args.push("--blink-settings=preferredColorScheme=0");
  if (options.pac) {
    args.push(`--proxy-pac-url=${options.pac}`);
  } else if (options.proxy) {
    args.push(`--proxy-server=http://${options.proxy}`, "--proxy-bypass-list=<-loopback>");
  } else {
    args.push("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE *.localhost, EXCLUDE 127.0.0.1");
  }
  if (options.anyCertificate) args.push("--ignore-certificate-errors");
  let folder = "";
  let id = options.installed ?? "";
  let toInstall = false;
  if (options.extension) {
    folder = await realpath(options.extension);
    id = await extensionId(folder);
    if (options.permanent || options.later) {
      if (options.permanent) toInstall = !(await keepUnpacked(profile, id));
      args.push("--enable-unsafe-extension-debugging");
    } else args.push(`--load-extension=${folder}`, `--disable-extensions-except=${folder}`);
  }
  if (options.headless !== false) args.push("--headless=new", "--hide-scrollbars");
  args.push(...(options.args ?? []), options.url ?? "about:blank");

  const scratch = await mkdtemp(path.join(tmpdir(), "paravent-tmp-"));
  const removed = () => remove(...(fresh ? [profile, scratch] : [scratch]));
  const browser = await puppeteer
    .launch({
      executablePath: executable,
      pipe: true,
      ignoreDefaultArgs: true,
      args: ["--remote-debugging-pipe", ...args],
      env: { ...process.env, ...temporary(scratch), LANGUAGE: language },
      // Nobody here asks what went over the network; following it takes this process the square of a page's requests.
      networkEnabled: false,
      defaultViewport: null,
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      timeout: 2 * PATIENCE,
      protocolTimeout: 4 * PATIENCE,
      targetFilter: (target) => target.type() !== "service_worker",
    })
    .catch(async (error) => {
      await removed();
      throw new Error(`${executable} did not start: ${error.message}`, { cause: error });
    });
  const child = browser.process();
  /** @type {Promise<void>} */
  const closed = new Promise((done) => child?.once("exit", () => done()));
  const kill = async () => {
    try {
      if (child?.pid) process.kill(-child.pid, "SIGKILL"); // the whole group: its renderers too
    } catch {
      // the group is gone already
    }
    await closed;
    await removed();
  };
  /** @type {Tab} */
  let first;
  try {
    if (toInstall) await browser.installExtension(folder);
    // Started on a page, the browser may still be about to open its tab.
    first = tab(await until(async () => (await browser.pages())[0], { what: "the first tab" }));
  } catch (error) {
    await kill();
    throw error;
  }
  const origin = id && `chrome-extension://${id}`;
  if (options.installed) {
    await until(
      async () => {
        await first.open(`${origin}/icons/icon.svg`);
        return first.evaluate(() => location.protocol === "chrome-extension:" && document.documentElement.tagName === "svg");
      },
      { timeout: 2 * PATIENCE, every: 250, what: "the extension that policies install" },
    ).catch(async (error) => {
      await kill();
      throw error;
    });
    await first.open("about:blank");
  }

  /** @type {Tab | undefined} */
  let inside;
  /** @type {import("puppeteer-core").Page | undefined} */
  let insidePage;
  /** Of the page behind it. @type {import("puppeteer-core").CDPSession | undefined} */
  let workers;

  /** @type {Browser} */
  const self = {
    name: "chromium",
    version: await browser.version(),
    profile,
    origin,
    install: async () => {
      await browser.installExtension(folder);
    },
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
      // An extension that is taken anew ends its pages.
      if (!inside || insidePage?.isClosed()) {
        if (!origin) throw new Error("this browser was started without an extension");
        const page = await browser.newPage({ background: true });
        insidePage = page;
        // A page goes down with the extension's process, and then says nothing any more.
        page.once("error", () => {
          inside = undefined;
        });
        inside = tab(page);
        await inside.open(`${origin}/icons/icon.svg`);
        workers = await page.createCDPSession();
        await workers.send("ServiceWorker.enable");
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
    allowPrivate: async () => {
      const page = await self.newTab("chrome://extensions/");
      await page.evaluate(
        (extensionId) => /** @type {any} */ (chrome).developerPrivate.updateExtensionConfiguration({ extensionId, incognitoAccess: true }),
        new URL(origin).hostname,
      );
      await page.close();
      const isAllowed = () => self.extension(() => chrome.extension.isAllowedIncognitoAccess());
      await until(
        () => isAllowed().catch(async (error) => {
          // What is opened while the extension is taken anew is a page of errors, and stays one.
          await insidePage?.close().catch(() => {});
          throw error;
        }),
        { what: "leave to be in private windows" },
      );
    },
    privateTab: async (url) => {
      const coming = browser.waitForTarget((target) => target.url() === url, { timeout: PATIENCE });
      // Without leave the browser opens the window and tells nothing of it.
      await self.extension((address) => chrome.windows.create({ url: address, incognito: true }).then(() => null), url);
      const page = await (await coming).page();
      if (!page) throw new Error(`no page shows ${url}`);
      const made = tab(page);
      await made.waitFor((address) => location.href === address && document.readyState === "complete", { args: [url], what: url });
      return made;
    },
    stopBackground: async () => {
      const page = await browser.newPage({ background: true });
      await page.goto(`${origin}/icons/icon.svg`);
      const debug = await page.createCDPSession();
      await debug.send("ServiceWorker.enable");
      await debug.send("ServiceWorker.stopAllWorkers");
      await page.close();
    },
    backgroundMemory: () => memoryOf(browser, origin),
    pid: child?.pid ?? 0,
    killBackground: async () => {
      await self.extension(() => null);
      await workers?.send("ServiceWorker.stopAllWorkers");
    },
    closed,
    kill,
    close: async () => {
      await within(browser.close().catch(() => {}));
      await kill();
    },
  };
  return self;
}

/**
 * What the extension's worker holds once its garbage is gone. The debugger is
 * there for this one look.
 *
 * @param {import("puppeteer-core").Browser} browser
 * @param {string} origin
 * @returns {Promise<import("./driver.js").Memory | null>}
 */
async function memoryOf(browser, origin) {
  const debug = await browser.target().createCDPSession();
  try {
    const { targetInfos } = await debug.send("Target.getTargets");
    const worker = targetInfos.find(({ type, url }) => type === "service_worker" && url.startsWith(`${origin}/`));
    if (!worker) return null;
    const { sessionId } = await debug.send("Target.attachToTarget", { targetId: worker.targetId, flatten: true });
    const session = debug.connection()?.session(sessionId);
    if (!session) throw new Error(`no session with ${worker.url}`);
    await session.send("HeapProfiler.collectGarbage");
    const { usedSize } = await session.send("Runtime.getHeapUsage");
    // Runtime.queryObjects would find the memories of any worker, and now and then end it.
    const { result } = await session.send("Runtime.evaluate", {
      expression: "({ born: performance.timeOrigin, wasm: (globalThis.memories ?? []).reduce((sum, memory) => sum + (memory.deref()?.buffer.byteLength ?? 0), 0) })",
      returnByValue: true,
    });
    return { heap: usedSize, ...result.value };
  } finally {
    await debug.detach(); // and with it from the worker
  }
}

/**
 * The number that Chromium gives an unpacked extension: from the manifest's
 * key if it has one, else from the folder's path.
 *
 * @param {string} folder absolute, without symbolic links
 * @returns {Promise<string>}
 */
export async function extensionId(folder) {
  const manifest = JSON.parse(await readFile(path.join(folder, "manifest.json"), "utf8"));
  const seed = manifest.key ? Buffer.from(manifest.key, "base64") : Buffer.from(folder);
  const hex = createHash("sha256").update(seed).digest("hex").slice(0, 32);
  return [...hex].map((digit) => String.fromCharCode(97 + parseInt(digit, 16))).join("");
}

/** Chromium's mark for what a debugger loaded: gone at the next start. */
const FOR_THIS_START_ONLY = 1 << 15;

/**
 * Prepares a profile to keep an extension loaded from a folder, as it does for
 * a user who presses "Load unpacked": with the developer mode on, and without
 * the mark of the debugger that pressed it here.
 *
 * @param {string} profile
 * @param {string} id
 * @returns {Promise<boolean>} whether the profile has the extension already
 */
async function keepUnpacked(profile, id) {
  const file = path.join(profile, "Default", "Preferences");
  const preferences = JSON.parse(await readFile(file, "utf8").catch(() => '{"extensions":{}}'));
  preferences.extensions.ui = { ...preferences.extensions.ui, developer_mode: true };
  const known = preferences.extensions.settings?.[id];
  if (known) known.creation_flags &= ~FOR_THIS_START_ONLY;
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, JSON.stringify(preferences));
  return Boolean(known);
}

/**
 * @param {import("puppeteer-core").Page} page
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
    press: async (...keys) => {
      for (const key of keys) {
        const [name, shift] = key.split("+").reverse();
        if (shift) await page.keyboard.down("Shift");
        await page.keyboard.press(/** @type {import("puppeteer-core").KeyInput} */ (name));
        if (shift) await page.keyboard.up("Shift");
      }
    },
    screenshot: ({ full = false } = {}) => page.screenshot({ fullPage: full }),
    setViewport: (width, height) => page.setViewport({ width, height }),
    front: () => page.bringToFront(),
    close: () => page.close(),
  };
  return self;
}
