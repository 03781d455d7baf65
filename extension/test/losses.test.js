/**
 * Each way of losing protection, made for real: the popup says it in one
 * sentence, never "protected", and its button mends it, as those who listen can
 * tell.
 */

/* global chrome */
import assert from "node:assert/strict";
import { readFile, readdir, rename, symlink, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { contacted } from "./drive/demo.js";
import { until } from "./drive/driver.js";
import { installed, openPopup } from "./popup.js";
import { BROWSERS, createWorld } from "./world.js";

/** @typedef {import("./drive/driver.js").Tab} Tab */

/** @type {import("./world.js").World} */
let world;
before(async () => {
  world = await createWorld();
});
after(() => world.close());

const results = () => `${world.demo.site}/oncologist/paris?insurance=private`;

/** Writes something else over the stored list. Runs in a page of the extension. */
function damageList() {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("paravent");
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const putting = opening.result.transaction("list", "readwrite");
      putting.objectStore("list").put(new Uint8Array(1000), "bundle");
      putting.oncomplete = () => {
        opening.result.close();
        resolve(null);
      };
    };
  });
}

for (const name of BROWSERS) {
  describe(name, () => {
    /** @type {import("./world.js").Browser} */
    let browser;
    let folder = "";

    before(async () => {
      // The list server is asked when the test says so.
      folder = await world.extension(name, { pollSeconds: 24 * 60 * 60 });
      browser = await world.launch(name, { extension: folder });
    });
    after(() => browser?.close());
    beforeEach(() => installed(browser));

    /** @param {Tab} page @param {string} key */
    const says = (page, key) =>
      page.waitFor((wanted) => document.querySelector("#status")?.getAttribute("data-verdict") === wanted, { args: [key], what: `the popup to say ${key}` });

    /** @param {Tab} page */
    const press = async (page) => {
      await page.waitFor(() => document.querySelector("#mend")?.checkVisibility(), { what: "the button" });
      await page.click("#mend");
    };

    /** @returns {Promise<string[]>} who hears of a visit */
    const heard = async () => {
      await world.demo.reset();
      await browser.tab().front();
      await browser.tab().open(results());
      return contacted(await world.demo.settled());
    };

    /** @param {string} key verdict */
    const whole = async (key = "Protected") => {
      assert.deepEqual(await heard(), []);
      const popup = await openPopup(browser, browser.tab());
      await says(popup.page, key);
      await popup.close();
    };

    /** @param {string} file of the extension @param {() => Promise<void>} job done while it is cut short */
    const damaged = async (file, job) => {
      const whole = await readFile(path.join(folder, file));
      await writeFile(path.join(folder, file), whole.subarray(0, whole.length / 2));
      try {
        await job();
      } finally {
        await writeFile(path.join(folder, file), whole);
      }
    };

    it("access to sites taken away", async () => {
      await whole();
      const id = await browser.tabId(browser.tab());
      /** @param {string} hostAccess what a user chooses on Chromium's page for the extension */
      const setAccess = async (hostAccess) => {
        const page = await browser.newTab("chrome://extensions/");
        await page.evaluate(
          (extensionId, access) => /** @type {any} */ (chrome).developerPrivate.updateExtensionConfiguration({ extensionId, hostAccess: access }),
          new URL(browser.origin).hostname,
          hostAccess,
        );
        await page.close();
      };
      if (name === "chromium") await setAccess("ON_CLICK");
      else await browser.extension(() => chrome.permissions.remove({ origins: ["<all_urls>"] }));
      // The browser does not even tell which page it is.
      const page = await browser.extensionPage(`ui/popup.html?tab=${id}`);
      await says(page, "NoAccess");
      await press(page);
      if (name === "chromium") {
        // The browser now asks, in a window of its own: the user says yes.
        await page.waitFor(() => document.querySelector("#mend[aria-disabled=true]") !== null, { what: "the browser to ask" });
        await setAccess("ON_ALL_SITES");
      }
      await until(() => browser.extension(() => chrome.permissions.contains({ origins: ["<all_urls>"] })), { what: "access" });
      await page.close();
      await whole();
    });

    it("network prediction turned on again", async () => {
      await browser.extension(() => chrome.privacy.network.networkPredictionEnabled.set({ value: true }));
      const popup = await openPopup(browser, browser.tab());
      await says(popup.page, "Prediction");
      await press(popup.page);
      await says(popup.page, "Protected");
      const { value } = await browser.extension(() => chrome.privacy.network.networkPredictionEnabled.get({}));
      assert.equal(value, false);
      await popup.close();
    });

    it("the engine broken", async () => {
      const other = browser;
      /** @type {import("./popup.js").Popup | undefined} */
      let popup;
      await damaged("wasm/engine.wasm", async () => {
        browser = await world.launch(name, { extension: folder });
        await installed(browser);
        await heard();
        popup = await openPopup(browser, browser.tab());
        await says(popup.page, name === "firefox" ? "EngineHolds" : "Engine");
        await press(popup.page);
        await popup.page.waitFor(() => document.querySelector("#mend:enabled") !== null, { what: "the engine to break again" });
      });
      if (!popup) throw new Error("there is no popup");
      // It may have been tried again by itself meanwhile.
      await popup.page.evaluate(() => /** @type {HTMLElement | null} */ (document.querySelector("#mend:not([hidden])"))?.click());
      await until(async () => (await popup?.state())?.problems.engine === "", { what: "the engine" });
      await popup.close();
      await whole();
      await browser.close();
      browser = other;
    });

    it("the stored list damaged", async () => {
      const other = browser;
      const options = { extension: folder, permanent: true, profile: path.join(world.dir, `losses-${name}`) };
      browser = await world.launch(name, options);
      await installed(browser);
      const page = await browser.extensionPage("ui/popup.html");
      await page.evaluate(() => chrome.runtime.sendMessage({ type: "update" }));
      await page.evaluate(damageList);
      await browser.close();
      browser = await world.launch(name, options);
      await installed(browser);
      assert.deepEqual(await heard(), [], "the packaged list stands in");
      const popup = await openPopup(browser, browser.tab());
      await says(popup.page, "OldList");
      await press(popup.page);
      await until(async () => (await popup.state()).problems.list === "", { what: "the list" });
      await popup.close();
      await whole();
      await browser.close();
      browser = other;
    });

    /** @param {string} profile @returns {Promise<string>} where the browser keeps what the extension stores by storage.local */
    const kept = async (profile) => {
      if (name === "chromium") return path.join(profile, "Default", "Local Extension Settings", new URL(browser.origin).hostname);
      const places = path.join(profile, "storage", "default");
      const own = (await readdir(places)).find((place) => place.startsWith(`moz-extension+++${new URL(browser.origin).hostname}^`));
      return path.join(places, own ?? "none", "idb");
    };

    it("the settings unreadable", async () => {
      const other = browser;
      const options = { extension: folder, permanent: true, profile: path.join(world.dir, `settings-${name}`) };
      browser = await world.launch(name, options);
      await installed(browser);
      await browser.extension(() => chrome.storage.local.set({ modes: { "added.example": "protect" }, ownRules: "||added-tracker.example^" }));
      await browser.close();
      const place = await kept(options.profile);
      await rename(place, `${place}.aside`);
      await writeFile(place, "a file where a folder should be");
      browser = await world.launch(name, options);
      assert.deepEqual(await heard(), [], "a site of the list is protected whatever was chosen");
      const popup = await openPopup(browser, browser.tab());
      // Chromium takes seconds for each try to read them.
      if (name === "chromium") await popup.page.waitFor(() => /still finding out/.test(document.querySelector("#detail")?.textContent ?? ""));
      await says(popup.page, "Settings");
      // Whatever kept them from being read is gone, at one moment: Chromium tries again and again.
      await symlink(`${place}.aside`, `${place}.link`);
      await rename(`${place}.link`, place);
      await press(popup.page);
      await until(async () => (await popup.state()).problems.settings === "", { what: "the settings" });
      const { rules } = await popup.page.evaluate(() => chrome.runtime.sendMessage({ type: "settings" }));
      assert.equal(rules.state, "", "the user's own rules decide as well");
      await popup.close();
      const { modes } = await browser.extension(() => chrome.storage.local.get("modes"));
      assert.deepEqual(modes, { "added.example": "protect" });
      await whole();
      await browser.close();
      browser = other;
    });

    for (const asking of ["popup", "options", "report"]) {
      it(`a background that takes long is asked for one answer at a time, by the ${asking}`, async () => {
        const page = await browser.extensionPage(`ui/${asking}.html`);
        await page.waitFor(() => document.querySelector("main:not([aria-busy])") !== null, { what: "the first answer" });
        const [held, later] = await page.evaluate(async () => {
          const { runtime } = /** @type {any} */ (globalThis).browser ?? chrome;
          const real = runtime.sendMessage;
          /** @type {(() => void)[]} */
          const held = [];
          const sendMessage = async (/** @type {unknown} */ message) => {
            await new Promise((go) => held.push(() => go(null)));
            return real.call(runtime, message);
          };
          Object.assign(runtime, { sendMessage });
          const until = async (/** @type {number} */ count) => {
            while (held.length < count) await new Promise((done) => setTimeout(done, 20));
          };
          await until(1);
          await new Promise((done) => setTimeout(done, 3000));
          const waiting = held.length;
          for (const go of held) go();
          await until(waiting + 1);
          return [waiting, held.length];
        });
        assert.deepEqual([held, later], [1, 2]);
        await page.close();
      });
    }

    if (name === "chromium") {
      it("settings damaged", async () => {
        await browser.extension(() => chrome.storage.local.set({ modes: "H4sIAAAA", allowed: 7 }));
        await browser.stopBackground();
        assert.deepEqual(await heard(), []);
        const popup = await openPopup(browser, browser.tab());
        await says(popup.page, "Settings");
        await press(popup.page);
        await until(async () => (await popup.state()).problems.settings === "", { what: "the settings" });
        await popup.close();
        await whole();
      });

      it("the browser's rules lost", async () => {
        await browser.extension(async () => {
          const all = await chrome.declarativeNetRequest.getDynamicRules();
          await chrome.declarativeNetRequest.updateDynamicRules({ removeRuleIds: all.map(({ id }) => id) });
        });
        assert.ok((await heard()).includes("analytics"), "protection is not lost");
        const popup = await openPopup(browser, browser.tab());
        await says(popup.page, "Lost");
        await press(popup.page);
        await until(async () => (await popup.state()).problems.rules === "", { what: "the rules" });
        await popup.close();
        await whole();
      });

      it("rules that are another list's", async () => {
        await browser.extension(() =>
          chrome.declarativeNetRequest.updateDynamicRules({
            removeRuleIds: [2_000_000_000],
            addRules: [{ id: 2_000_000_000, action: { type: "allow" }, condition: { urlFilter: "|paravent:0/0" } }],
          }),
        );
        const popup = await openPopup(browser, browser.tab());
        await says(popup.page, "Lost");
        await press(popup.page);
        await until(async () => (await popup.state()).problems.rules === "", { what: "the rules" });
        await popup.close();
        await whole();
      });

      it("rules that could not be written", async () => {
        await damaged("wasm/desk.wasm", async () => {
          const popup = await openPopup(browser, browser.tab());
          await popup.page.waitFor(() => document.querySelector("#modes:not([hidden])") !== null);
          await popup.page.click("label:has(input[value=strict])");
          await says(popup.page, "Rules");
          await popup.close();
        });
        const popup = await openPopup(browser, browser.tab());
        await says(popup.page, "Rules");
        await press(popup.page);
        await until(async () => (await popup.state()).problems.rules === "", { what: "the rules" });
        await popup.close();
        await whole("Strict");
      });

      it("private windows not allowed is a note, with the way to the browser's page", async () => {
        await browser.tab().front();
        await browser.tab().open(results());
        const popup = await openPopup(browser, browser.tab());
        await popup.page.waitFor(() => document.querySelector("#private-open")?.checkVisibility(), { what: "the note" });
        const tabs = () => browser.extension(async () => (await chrome.tabs.query({})).map(({ id }) => id));
        const before = await tabs();
        await popup.page.click("#private-open");
        // The browser tells nobody what is on that page.
        await until(async () => (await tabs()).some((id) => !before.includes(id)), { what: "the browser's page" });
      });
    }
  });
}
