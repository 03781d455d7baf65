/**
 * Drives Firefox by WebDriver BiDi, over the WebSocket that Firefox itself
 * opens: no geckodriver. See driver.js for what every method does.
 *
 * The profile keeps what decides how pages load as Firefox ships it: libraries
 * that set preferences of their own switch off speculative connections, and
 * with them a leak that patients have.
 */

/* global chrome */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, readdir, realpath, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { zipSync } from "fflate";
import { Session } from "./bidi.js";
import { PATIENCE, middleOf, program, remove, temporary, until, within } from "./driver.js";

/** @typedef {import("./driver.js").Browser} Browser */
/** @typedef {import("./driver.js").Tab} Tab */
/** @typedef {import("./driver.js").LaunchOptions} LaunchOptions */

/** The extension's host in every test profile; a real profile draws its own. */
const UUID = "b0c4a7e2-5d1f-4c3b-9a86-2f7e1d0c9b58";

/** A host that is not on this machine is asked for here, where nobody listens. */
const NOBODY = "127.0.0.1:9";

/** How long it may take to start, in milliseconds: others may have the processor. */
const STARTS = 10 * PATIENCE;

/** Keys that are no characters, as WebDriver writes them. @type {Record<string, string>} */
const KEYS = {
  Tab: "\uE004",
  Enter: "\uE007",
  Shift: "\uE008",
  Escape: "\uE00C",
  Space: " ",
  PageUp: "\uE00E",
  PageDown: "\uE00F",
  End: "\uE010",
  Home: "\uE011",
  ArrowLeft: "\uE012",
  ArrowUp: "\uE013",
  ArrowRight: "\uE014",
  ArrowDown: "\uE015",
  Backspace: "\uE003",
  Delete: "\uE017",
};

/** @type {Record<string, string | number | boolean>} */
const PREFS = {
  // No windows, pages or questions of its own.
  "browser.aboutwelcome.enabled": false,
  "browser.newtabpage.enabled": false,
  "browser.preonboarding.enabled": false,
  "browser.sessionstore.resume_from_crash": false,
  // However often a test kills it while it starts, it does not ask to start without extensions.
  "toolkit.startup.max_resumed_crashes": -1,
  "browser.shell.checkDefaultBrowser": false,
  "browser.startup.homepage": "about:blank",
  "browser.startup.homepage_override.mstone": "ignore",
  "browser.startup.page": 0,
  "browser.tabs.warnOnClose": false,
  "browser.warnOnQuit": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "datareporting.policy.dataSubmissionPolicyBypassNotification": true,
  "startup.homepage_welcome_url": "",
  "termsofuse.bypassNotification": true,
  "intl.accept_languages": "en-GB, en",
  // None of the browser's own traffic: it is not what is looked at here.
  "app.normandy.enabled": false,
  "app.update.disabledForTesting": true,
  "browser.discovery.enabled": false,
  "browser.region.network.url": "",
  "browser.safebrowsing.downloads.remote.enabled": false,
  "browser.safebrowsing.malware.enabled": false,
  "browser.safebrowsing.phishing.enabled": false,
  "browser.search.update": false,
  "browser.topsites.contile.enabled": false,
  "dom.push.connection.enabled": false,
  "extensions.getAddons.cache.enabled": false,
  "extensions.systemAddon.update.enabled": false,
  "extensions.update.enabled": false,
  "media.gmp-manager.updateEnabled": false,
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "toolkit.telemetry.server": "data:,",
  // What an extension asks the user for is granted, but for a test that answers itself.
  "extensions.webextOptionalPermissionPrompts": false,
  // Extensions that Mozilla has not signed.
  "extensions.autoDisableScopes": 0,
  "xpinstall.signatures.required": false,
  // The remote agent would otherwise set some dozens of preferences, of which
  // some change what loading a page sends.
  "remote.prefs.recommended": false,
};

/**
 * @param {LaunchOptions} [options]
 * @returns {Promise<Browser>}
 */
export async function launch(options = {}) {
  const executable = options.program ?? program("FIREFOX", "firefox-esr");
  const fresh = !options.profile;
  const profile = options.profile ?? (await mkdtemp(path.join(tmpdir(), "paravent-firefox-")));
  if (!fresh) await mkdir(profile, { recursive: true });
  const id = options.extension ? await extensionId(options.extension) : "";
  await writeFile(
    path.join(profile, "user.js"),
    userJs({
      ...PREFS,
      // Whatever the desktop is.
      "layout.css.prefers-color-scheme.content-override": options.dark ? 0 : 1,
      ...(options.pac ? pacPrefs(options.pac) : proxyPrefs(options.proxy ?? NOBODY)),
      "network.proxy.allow_hijacking_localhost": Boolean(options.proxy),
      ...(id ? { "extensions.webextensions.uuids": JSON.stringify({ [id]: UUID }) } : {}),
      ...options.prefs,
    }),
  );

  const scratch = await mkdtemp(path.join(tmpdir(), "paravent-tmp-"));
  const args = ["--no-remote", "--profile", profile, "--remote-debugging-port=0", "-remote-allow-system-access"];
  if (options.headless !== false) args.push("--headless");
  args.push(...(options.args ?? []), options.url ?? "about:blank");
  const child = spawn(executable, args, {
    stdio: ["ignore", "ignore", "pipe"],
    detached: true, // a group of its own, so that its content processes can be ended with it
    env: { ...process.env, ...temporary(scratch), MOZ_CRASHREPORTER_DISABLE: "1" },
  });
  const exited = once(child, "exit").then(() => {}, () => {});
  const kill = async () => {
    try {
      if (child.pid) process.kill(-child.pid, "SIGKILL");
    } catch {
      // the group is gone already
    }
    await exited;
    await remove(...(fresh ? [profile, scratch] : [scratch]));
  };

  try {
    const session = await Session.connect(await addressOf(child));
    const wanted = { capabilities: { alwaysMatch: { acceptInsecureCerts: Boolean(options.anyCertificate) } } };
    const { capabilities } = await session.send("session.new", wanted, STARTS);
    await session.send("session.subscribe", { events: ["log.entryAdded"] });
    const install = async () => {
      await session.send("webExtension.install", {
        extensionData: options.permanent
          ? { type: "archivePath", path: await packed(options.extension ?? "", profile) }
          : { type: "path", path: await realpath(options.extension ?? "") },
        ...(options.permanent ? { "moz:permanent": true } : {}),
      });
    };
    if (options.extension && !options.later && !(await isInstalled(profile, id))) await install();
    return await browser(session, {
      install,
      profile,
      version: `Firefox/${capabilities["browserVersion"]}`,
      origin: id && `moz-extension://${UUID}`,
      pid: child.pid ?? 0,
      closed: exited,
      kill,
      close: async () => {
        await session.send("browser.close", {}).catch(() => {}); // the socket may close before it answers
        await within(exited);
        await kill();
      },
    });
  } catch (error) {
    await kill();
    const why = error instanceof Error ? error.message : error;
    throw new Error(`${executable} did not start: ${why}`, { cause: error });
  }
}

/**
 * @param {Session} session
 * @param {Pick<Browser, "profile" | "version" | "origin" | "install" | "pid" | "closed" | "kill" | "close">} own
 * @returns {Promise<Browser>}
 */
async function browser(session, own) {
  /** @type {Map<string, string[]>} */
  const consoles = new Map();
  session.listen((method, params) => {
    if (method === "log.entryAdded") {
      consoles.get(params["source"]?.context)?.push(`${params["level"]}: ${params["text"]}`);
    }
  });
  /** @param {string} context */
  const tab = (context) => {
    /** @type {string[]} */
    const lines = [];
    consoles.set(context, lines);
    return tabOn(session, context, lines);
  };
  /** @param {Record<string, any>} how */
  const create = async (how) => {
    const { context } = await session.send("browsingContext.create", { type: "tab", ...how });
    return tab(context);
  };
  const { contexts } = await session.send("browsingContext.getTree", { maxDepth: 0 });
  const first = tab(contexts[0].context);

  /** The browser's own window, around its pages. */
  const chromeWindow = async () => {
    const { contexts } = await session.send("browsingContext.getTree", { "moz:scope": "chrome", maxDepth: 0 });
    return tabOn(session, contexts[0].context, []);
  };

  /** Stops the background, unless Firefox sees that it has not finished; answers whether it is stopped. */
  const terminate = async () => {
    const window = await chromeWindow();
    return window.evaluate(async (uuid) => {
      const { extension } = /** @type {any} */ (globalThis).WebExtensionPolicy.getByHostname(uuid);
      await extension.terminateBackground();
      return extension.backgroundState === "stopped";
    }, new URL(own.origin).hostname);
  };

  /** @type {Tab | undefined} */
  let inside;

  /** @type {Browser} */
  const self = {
    name: "firefox",
    ...own,
    tab: () => first,
    newTab: async (url) => {
      const made = await create({});
      if (url) await made.open(url);
      return made;
    },
    extensionPage: (page) => {
      if (!own.origin) throw new Error("this browser was started without an extension");
      return self.newTab(`${own.origin}/${page}`);
    },
    extension: async (fn, ...values) => {
      if (!inside) {
        if (!own.origin) throw new Error("this browser was started without an extension");
        inside = await create({ background: true });
        await inside.open(`${own.origin}/icons/icon.svg`);
      }
      return inside.evaluate(fn, ...values);
    },
    allowPrivate: async () => {
      const window = await chromeWindow();
      await window.evaluate(async (uuid) => {
        const { ChromeUtils, WebExtensionPolicy } = /** @type {any} */ (globalThis);
        const { AddonManager } = ChromeUtils.importESModule("resource://gre/modules/AddonManager.sys.mjs");
        const { ExtensionPermissions } = ChromeUtils.importESModule("resource://gre/modules/ExtensionPermissions.sys.mjs");
        const { id, extension } = WebExtensionPolicy.getByHostname(uuid);
        await ExtensionPermissions.add(id, { permissions: ["internal:privateBrowsingAllowed"], origins: [] }, extension);
        await (await AddonManager.getAddonByID(id)).reload();
      }, new URL(own.origin).hostname);
      inside = undefined;
      await until(() => self.extension(() => chrome.extension.isAllowedIncognitoAccess()), { what: "leave to be in private windows" });
    },
    privateTab: async (url) => {
      const all = async () => {
        const { contexts } = await session.send("browsingContext.getTree", { maxDepth: 0 });
        return contexts.map((/** @type {{context: string}} */ { context }) => context);
      };
      const before = await all();
      const window = await chromeWindow();
      await window.evaluate((address) => void /** @type {any} */ (globalThis).openTrustedLinkIn(address, "window", { private: true }), url);
      const context = await until(async () => (await all()).find((/** @type {string} */ one) => !before.includes(one)), { what: "the private window" });
      const made = tab(context);
      await made.waitFor((address) => location.href === address && document.readyState === "complete", { args: [url], what: url });
      return made;
    },
    stopBackground: async () => {
      await terminate();
    },
    backgroundMemory: async () => {
      const window = await chromeWindow();
      return window.evaluate(memoryOf, own.origin);
    },
    killBackground: () => until(terminate, { every: 10, what: "Firefox to stop the background" }).then(() => {}),
    answerPrompt: async (yes) => {
      const window = await chromeWindow();
      const question = "#addon-webext-permissions-notification";
      await window.waitFor((selector) => document.querySelector(selector)?.getBoundingClientRect().height, { args: [question], what: "Firefox's question" });
      const words = await window.evaluate(
        (selector, button) => {
          const asked = /** @type {any} */ (document.querySelector(selector));
          const { textContent } = asked;
          asked[button].click();
          return textContent;
        },
        question,
        yes ? "button" : "secondaryButton",
      );
      await window.waitFor((selector) => !document.querySelector(selector)?.getBoundingClientRect().height, { args: [question], what: "the question to go" });
      return words;
    },
    tabId: async (of) => {
      const address = await of.evaluate(() => location.href);
      return until(
        () =>
          self.extension(async (href) => {
            const tabs = await chrome.tabs.query({});
            return tabs.find((one) => one.url === href)?.id;
          }, address),
        { what: `the number of the tab on ${address}` },
      );
    },
  };
  return self;
}

/**
 * @param {Session} session
 * @param {string} context
 * @param {string[]} lines
 * @returns {Tab}
 */
function tabOn(session, context, lines) {
  /**
   * @param {unknown} fn
   * @param {unknown[]} args
   */
  const evaluate = async (fn, args) => {
    const got = await session.send("script.callFunction", {
      target: { context },
      awaitPromise: true,
      userActivation: true,
      functionDeclaration: `async (args) => JSON.stringify(await (${fn})(...JSON.parse(args)))`,
      arguments: [{ type: "string", value: JSON.stringify(args) }],
    });
    if (got["type"] === "exception") throw new Error(got["exceptionDetails"].text);
    return got["result"].type === "undefined" ? undefined : JSON.parse(got["result"].value);
  };
  /** @param {Record<string, any>[]} actions */
  const perform = (actions) => session.send("input.performActions", { context, actions });

  /** @type {Tab} */
  const self = {
    console: lines,
    open: async (url) => {
      await session.send("browsingContext.navigate", { context, url, wait: "complete" });
    },
    reload: async () => {
      await session.send("browsingContext.reload", { context, wait: "complete" });
    },
    evaluate: (fn, ...args) => evaluate(fn, args),
    waitFor: async (predicate, { timeout = PATIENCE, args = [], what } = {}) => {
      await until(() => evaluate(predicate, args), { timeout, what: what ?? `${predicate}` });
    },
    click: async (selector) => {
      const at = await self.evaluate(middleOf, selector);
      await perform([
        {
          type: "pointer",
          id: "mouse",
          actions: [
            { type: "pointerMove", x: Math.round(at.x), y: Math.round(at.y) },
            { type: "pointerDown", button: 0 },
            { type: "pointerUp", button: 0 },
          ],
        },
      ]);
    },
    type: async (selector, text) => {
      await self.click(selector);
      await perform([
        {
          type: "key",
          id: "keys",
          actions: [...text].flatMap((value) => [
            { type: "keyDown", value },
            { type: "keyUp", value },
          ]),
        },
      ]);
    },
    press: async (...keys) => {
      for (const key of keys) {
        const values = key.split("+").map((name) => KEYS[name] ?? name);
        await perform([
          {
            type: "key",
            id: "keys",
            actions: [
              ...values.map((value) => ({ type: "keyDown", value })),
              ...values.toReversed().map((value) => ({ type: "keyUp", value })),
            ],
          },
        ]);
      }
    },
    screenshot: async ({ full = false } = {}) => {
      const { data } = await session.send("browsingContext.captureScreenshot", {
        context,
        origin: full ? "document" : "viewport",
      });
      return Buffer.from(data, "base64");
    },
    setViewport: async (width, height) => {
      await session.send("browsingContext.setViewport", { context, viewport: { width, height } });
    },
    front: async () => {
      await session.send("browsingContext.activate", { context });
    },
    close: async () => {
      await session.send("browsingContext.close", { context });
    },
  };
  return self;
}

/**
 * What the extension's background page holds once its garbage is gone, as
 * about:memory tells: without compiled code and room that is kept for more,
 * which come and go as the browser thinks fit. Runs in the browser's own window.
 *
 * @param {string} origin
 * @returns {Promise<import("./driver.js").Memory | null>}
 */
async function memoryOf(origin) {
  const { Cc, Ci } = /** @type {any} */ (globalThis);
  const manager = Cc["@mozilla.org/memory-reporter-manager;1"].getService(Ci.nsIMemoryReporterManager);
  await new Promise((done) => manager.minimizeMemoryUsage(done));
  const page = `top(${origin}/_generated_background_page.html`.replaceAll("/", "\\");
  const memory = { heap: 0, wasm: 0, born: 0 };
  const take = (/** @type {string} */ _, /** @type {string} */ place, /** @type {number} */ __, /** @type {number} */ units, /** @type {number} */ amount) => {
    if (units !== Ci.nsIMemoryReporter.UNITS_BYTES || !place.startsWith("explicit/") || !place.includes(page)) return;
    if (place.includes("wasm")) memory.wasm += amount;
    else if (!/\/(code|jit-scripts|cacheir-stubs|unused[^/]*)(\/|$)/.test(place)) memory.heap += amount;
    memory.born = Number(/, id=(\d+)/.exec(place)?.[1]);
  };
  await new Promise((done) => manager.getReports(take, null, done, null, false));
  return memory.born ? memory : null;
}

/**
 * @param {string} extension folder
 * @returns {Promise<string>}
 */
async function extensionId(extension) {
  const manifest = JSON.parse(await readFile(path.join(extension, "manifest.json"), "utf8"));
  return manifest.browser_specific_settings.gecko.id;
}

/**
 * Whether a start of this profile brings the extension by itself.
 *
 * @param {string} profile
 * @param {string} id
 * @returns {Promise<boolean>}
 */
async function isInstalled(profile, id) {
  const text = await readFile(path.join(profile, "extensions.json"), "utf8").catch(() => '{"addons":[]}');
  return JSON.parse(text).addons.some(
    (/** @type {{id: string, location: string}} */ addon) => addon.id === id && addon.location === "app-profile",
  );
}

/**
 * Firefox installs for good from an archive only.
 *
 * @param {string} extension folder
 * @param {string} folder where to write the archive
 * @returns {Promise<string>} its path
 */
async function packed(extension, folder) {
  /** @type {Record<string, Uint8Array>} */
  const files = {};
  for (const entry of await readdir(extension, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    files[path.relative(extension, file)] = await readFile(file);
  }
  const archive = path.join(folder, "paravent.xpi");
  await writeFile(archive, zipSync(files, { level: 1 }));
  return archive;
}

/**
 * @param {string} proxy "HOST:PORT"
 * @returns {Record<string, string | number | boolean>}
 */
function proxyPrefs(proxy) {
  const [host = "", port] = proxy.split(":");
  return {
    "network.proxy.type": 1,
    "network.proxy.http": host,
    "network.proxy.http_port": Number(port),
    "network.proxy.ssl": host,
    "network.proxy.ssl_port": Number(port),
  };
}

/**
 * @param {string} address
 * @returns {Record<string, string | number | boolean>}
 */
function pacPrefs(address) {
  return { "network.proxy.type": 2, "network.proxy.autoconfig_url": address };
}

/**
 * @param {Record<string, string | number | boolean>} prefs
 * @returns {string}
 */
function userJs(prefs) {
  return Object.entries(prefs)
    .map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`)
    .join("");
}

/**
 * @param {import("node:child_process").ChildProcess} child
 * @returns {Promise<string>} the WebSocket's address, which Firefox prints
 */
function addressOf(child) {
  return new Promise((done, failed) => {
    const timer = setTimeout(() => failed(new Error(`said no address within ${STARTS} ms`)), STARTS);
    const stop = (/** @type {Error} */ error) => {
      clearTimeout(timer);
      failed(error);
    };
    child.once("error", stop);
    child.once("exit", (code) => stop(new Error(`ended with code ${code}`)));
    if (!child.stderr) return;
    createInterface(child.stderr).on("line", (line) => {
      const address = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(line)?.[1];
      if (!address) return;
      clearTimeout(timer);
      done(address);
    });
  });
}
