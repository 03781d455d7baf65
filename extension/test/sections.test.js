/** Every section of the options, by mouse and by keys, and what others receive after a change there. */

/* global chrome */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { fromBrowser, newGatewayKey } from "./drive/demo.js";
import { until } from "./drive/driver.js";
import { startHost } from "./drive/host.js";
import { installed } from "./popup.js";
import { BROWSERS, createWorld } from "./world.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */
/** @typedef {import("./drive/driver.js").Tab} Tab */
/** @typedef {import("../background/settings.js").Settings} Settings */

const SECTIONS = ["sites", "scope", "lists", "rules", "photos", "backup", "privacy"];

/** @type {import("./world.js").World} */
let world;
/** A clinic on no list, whose pages tell the demo's analytics. @type {import("./drive/host.js").Host} */
let clinic;
/** A host that no list knows. @type {import("./drive/host.js").Host} */
let other;
/** @type {(() => Promise<unknown>)[]} */
const ends = [];

before(async () => {
  world = await createWorld();
  ends.push(world.close);
  clinic = await startHost("clinic.localhost", (_, response) => {
    response.setHeader("Content-Type", "text/html");
    response.end(`<!doctype html><title>clinic</title><link rel="icon" href="data:,"><script src="${world.demo.recipients["analytics"]}/tag.js?id=clinic"></script>`);
  });
  other = await startHost("other.localhost", (_, response) => response.end());
  ends.push(clinic.close, other.close);
});
after(async () => {
  for (const end of ends.reverse()) await end();
});

/** @param {Tab} page @returns {Promise<Settings>} */
const settings = (page) => page.evaluate(() => chrome.runtime.sendMessage({ type: "settings" }));

/** @param {Tab} page @param {string} selector */
const text = (page, selector) => page.evaluate((where) => /** @type {HTMLElement | null} */ (document.querySelector(where))?.innerText.trim() ?? "", selector);

/** @param {Tab} page @param {string} selector @param {RegExp} wanted */
const reads = (page, selector, wanted) =>
  until(async () => wanted.test(await text(page, selector)), { what: `${selector} to say ${wanted}` }).catch(async (error) => {
    throw new Error(`${error.message}; it says ${await text(page, selector)}`);
  });

/** @param {Tab} page what has the focus */
const focused = (page) =>
  page.evaluate(() => {
    const { id = "", tagName = "", dataset } = /** @type {HTMLElement} */ (document.activeElement ?? document.body);
    const link = document.activeElement?.getAttribute("href");
    return link ?? (id ? `#${id}` : (dataset["key"] ?? tagName));
  });

/**
 * Puts a text in a field as if it had been pasted.
 * @param {Tab} page
 * @param {string} selector
 * @param {string} value
 */
const paste = (page, selector, value) =>
  page.evaluate(
    (where, pasted) => {
      const field = /** @type {HTMLInputElement | HTMLTextAreaElement} */ (document.querySelector(where));
      field.value = pasted;
      field.dispatchEvent(new Event("input", { bubbles: true }));
    },
    selector,
    value,
  );

/**
 * Chooses a file that was never on a disk.
 * @param {Tab} page
 * @param {string} content
 */
const chooseFile = (page, content) =>
  page.evaluate((said) => {
    const chosen = new DataTransfer();
    chosen.items.add(new File([said], "backup.json", { type: "application/json" }));
    const input = /** @type {HTMLInputElement} */ (document.querySelector("#backup-file"));
    input.files = chosen.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  }, content);

for (const name of BROWSERS) {
  describe(name, () => {
    /** @type {Browser} */
    let browser;
    /** @type {Tab} */
    let page;
    before(async () => {
      browser = await world.launch(name, { extension: await world.extension(name) });
      await installed(browser);
      page = await browser.extensionPage("ui/options.html");
      await page.setViewport(1100, 900);
      await page.waitFor(() => document.querySelector("main:not([aria-busy])"));
    });
    after(() => browser.close());

    /** @param {string} section */
    const open = async (section) => {
      await page.front();
      await page.click(`nav a[href="#${section}"]`);
      await page.waitFor((id) => document.activeElement?.id === `${id}-title`, { args: [section] });
    };

    /** How many requests analytics gets from a visit to the clinic. */
    const visitClinic = async () => {
      await world.demo.reset();
      await browser.tab().front();
      await browser.tab().open(clinic.origin);
      const { recipients } = await world.demo.settled();
      await browser.tab().open("about:blank");
      await page.front();
      return recipients.filter(({ key }) => key === "analytics").map(fromBrowser)[0] ?? 0;
    };

    /** Whether a request of the booking site to the other host arrives. */
    const reachesOther = async () => {
      const tab = browser.tab();
      await tab.front();
      await tab.open(`${world.demo.site}/`);
      const seen = other.asked.length;
      await tab.evaluate((address) => fetch(address, { mode: "no-cors" }).then(() => {}, () => {}), `${other.origin}/x?${seen}`);
      await tab.open("about:blank");
      await page.front();
      return other.asked.length > seen;
    };

    it("keys alone lead through every section, and change what is there", async () => {
      await page.press("Tab");
      for (const section of SECTIONS) {
        await until(async () => (await focused(page)) === `#${section}`, { what: `the focus on ${section}, not ${await focused(page)}` });
        await page.press("Enter");
        await until(async () => (await focused(page)) === `#${section}-title`, { what: `the heading of ${section}` });
        const shown = await page.evaluate(() => Array.from(document.querySelectorAll("main > section:not([hidden])"), ({ id }) => id));
        assert.deepEqual(shown, [section]);
        // Back over the links to the next.
        for (let i = SECTIONS.indexOf(section) + 1; i < SECTIONS.length; i++) await page.press("Shift+Tab");
      }
    });

    it("what is typed as a new site is judged as it is typed", async () => {
      await open("sites");
      for (const [typed, said] of /** @type {[string, RegExp][]} */ ([
        ["com", /share this ending/],
        ["co.uk", /share this ending/],
        ["not a name", /not the name/],
        ["<b>", /not the name/],
        ["x".repeat(300), /not the name/],
        ["javascript:alert(1)", /not the name/],
        ["https://www.praxis.example/termin?x=1#y", /protect praxis\.example and/],
        ["WWW.Praxis.Example.", /protect praxis\.example and/],
        ["booking.localhost", /booking\.localhost is in the list/],
        ["", /address bar/],
      ])) {
        await paste(page, "#sites-new", typed);
        await reads(page, "#sites-new-said", said);
      }
      await paste(page, "#sites-new", "com");
      await page.click("#sites-add button");
      assert.equal(await page.evaluate(() => document.querySelector("#sites-new")?.getAttribute("aria-invalid")), "true");
      assert.equal((await settings(page)).sites.filter(({ listed }) => !listed).length, 0);
      await paste(page, "#sites-new", "");
    });

    it("a site that is added is protected, until it is removed", async () => {
      assert.ok((await visitClinic()) > 0, "analytics hears of the clinic before");
      await open("sites");
      await page.type("#sites-new", `${clinic.origin}/paris`);
      await page.press("Enter");
      await reads(page, "#said", /clinic\.localhost is now protected/);
      assert.equal(await visitClinic(), 0);
      await open("sites");
      // All of it by keys: watch instead, and out of the list.
      await page.evaluate(() => document.getElementById("mode-clinic.localhost")?.focus());
      await page.press("ArrowUp");
      await until(async () => (await settings(page)).sites.some(({ domain, mode }) => domain === "clinic.localhost" && mode === "watch"), { what: "the mode to change" });
      await reads(page, "#said", /clinic\.localhost: Nothing is stopped/);
      assert.equal(await focused(page), "#mode-clinic.localhost", "the row keeps the focus");
      await page.press("Tab");
      // What is changed elsewhere in the meantime takes nobody's place.
      await page.evaluate(() => chrome.runtime.sendMessage({ type: "mode", site: "clinic.localhost", mode: "strict" }));
      await page.waitFor(() => /** @type {HTMLSelectElement | null} */ (document.getElementById("mode-clinic.localhost"))?.value === "strict");
      assert.equal(await focused(page), "#remove-clinic.localhost", "the button keeps the focus");
      await page.press("Enter");
      await reads(page, "#said", /clinic\.localhost is no longer protected/);
      assert.ok((await visitClinic()) > 0, "analytics hears of the clinic again");
    });

    it("what a site lets through is stopped again by keys", async () => {
      await page.evaluate((host) => chrome.runtime.sendMessage({ type: "allow", site: "booking.localhost", host, allow: true }), "other.localhost");
      await open("sites");
      const button = "#stop-other\\.localhost-on-booking\\.localhost";
      await reads(page, button, /./);
      await page.evaluate((selector) => /** @type {HTMLElement} */ (document.querySelector(selector)).focus(), button);
      await page.press("Enter");
      await reads(page, "#said", /other\.localhost is stopped again on booking\.localhost/);
      assert.deepEqual((await settings(page)).sites.find(({ domain }) => domain === "booking.localhost")?.allow, []);
      assert.equal(await focused(page), "#mode-booking.localhost", "the row keeps the focus");
    });

    it("a search finds sites by name and domain", async () => {
      await open("sites");
      await page.type("#sites-search", "tourne");
      await reads(page, "#sites-found", /^2 sites found/);
      await paste(page, "#sites-search", "booking.localhost");
      await reads(page, "#sites-found", /^1 site found/);
      await paste(page, "#sites-search", "nothing of the kind");
      await reads(page, "#sites-found", /^0 sites found/);
      await paste(page, "#sites-search", "");
    });

    it("every site is protected where that is chosen", async () => {
      await open("scope");
      await page.press("Tab", "ArrowDown");
      await reads(page, "#said", /acts on every site/);
      assert.equal((await settings(page)).scope, "all");
      assert.equal(await visitClinic(), 0);
      await open("scope");
      await page.click("input[value=sites]");
      await reads(page, "#said", /protected sites only/);
      assert.ok((await visitClinic()) > 0);
    });

    it("own rules are looked through while they are written, and stop what they name", async () => {
      assert.ok(await reachesOther());
      await open("rules");
      await page.type("#rules-text", "||other.localhost^\n\n/bad[/$nonsense");
      await reads(page, "#rules-said", /1 good rule\. 1 line is no rule/);
      await page.click("#rules-problems button");
      const chosen = await page.evaluate(() => {
        const { value, selectionStart, selectionEnd } = /** @type {HTMLTextAreaElement} */ (document.activeElement);
        return value.slice(selectionStart, selectionEnd);
      });
      assert.equal(chosen, "/bad[/$nonsense");
      assert.ok(await page.evaluate(() => /** @type {HTMLButtonElement} */ (document.querySelector("#rules-save")).disabled));
      await page.press("Delete");
      await reads(page, "#rules-said", /^1 good rule\.$/);
      await page.press("Tab", "Enter");
      await reads(page, "#rules-state", /Saved and in force/);
      assert.equal(await reachesOther(), false);
      await open("rules");
      await paste(page, "#rules-text", "");
      await reads(page, "#rules-said", /^$/);
      await page.click("#rules-save");
      // What is no longer kept may be in force for a moment more.
      await until(reachesOther, { what: "no own rules" });
      assert.equal((await settings(page)).rules.text, "");
    });

    it("photos: asked plainly, an own relay is checked before it is used", async () => {
      await open("photos");
      await reads(page, "#photos-verdict", /not decided/);
      await page.click("#photos-yes");
      await reads(page, "#photos-verdict", /You want photos/);
      assert.equal((await settings(page)).consent, "granted");
      await page.click("#photos-no");
      await reads(page, "#photos-verdict", /do not want/);
      await page.click("#photos-keep input[value=day]");
      await until(async () => (await settings(page)).keep === "day", { what: "photos to be kept" });
      assert.ok((await text(page, "#relays")).includes(world.relay.url));

      await page.click("#relay-own summary");
      await page.type("#relay-name", "Ada");
      await page.type("#relay-url", "ftp://relay.example/");
      await page.press("Enter");
      await reads(page, "#relay-url-error", /https/);
      await paste(page, "#relay-url", "https://relay.example/");
      await paste(page, "#relay-key", "AAAA");
      await page.click("#relay-form button");
      await reads(page, "#relay-key-error", /key of a gateway/);
      assert.equal(await focused(page), "#relay-key");
      await paste(page, "#relay-key", await newGatewayKey(`${world.dir}/own-${name}`));
      await page.click("#relay-form button");
      await reads(page, "#relays", /Ada[^]*https:\/\/relay\.example\//);
      await open("privacy");
      await reads(page, "#privacy-contacts", /Ada[^]*https:\/\/relay\.example\//);
      await open("photos");
      await page.click("#relay-remove");
      await until(async () => (await settings(page)).ownRelay === null, { what: "the own relay to be gone" });
      await page.click("#photos-keep input[value=tab]");
      await until(async () => (await settings(page)).keep === "tab", { what: "photos to go with their tab" });
    });

    it("a backup says what it would change, and puts it back", async () => {
      await open("backup");
      const saved = await page.evaluate(async () => {
        /** @type {Promise<Blob>} */
        const made = new Promise((done) => {
          const create = URL.createObjectURL;
          URL.createObjectURL = (blob) => {
            done(/** @type {Blob} */ (blob));
            return create.call(URL, blob);
          };
        });
        document.getElementById("backup-save")?.click();
        return (await made).text();
      });
      const backup = JSON.parse(saved);
      await chooseFile(page, saved);
      await reads(page, "#backup-preview-title", /Nothing would change/);
      await page.click("#backup-leave");

      await chooseFile(page, JSON.stringify({ ...backup, modes: { "praxis.example": "harder" } }));
      await reads(page, "#backup [role=alert]", /cannot be restored[^]*modes: praxis\.example/);
      await chooseFile(page, "no JSON");
      await reads(page, "#backup [role=alert]", /cannot be restored[^]*no backup/);

      const changed = { ...backup, scope: "all", modes: { "praxis.example": "strict", "booking.localhost": "watch" }, rules: "||other.localhost^\n" };
      await chooseFile(page, JSON.stringify(changed));
      await reads(page, "#backup-preview-title", /^This would change/);
      const said = await text(page, "#backup-changes");
      for (const line of [/booking\.localhost: Watch instead of Protect/, /praxis\.example is added: Strict/, /every site/, /become 1 line/]) assert.match(said, line);
      assert.equal((await settings(page)).scope, "sites", "nothing has changed yet");
      await page.click("#backup-restore");
      await reads(page, "#said", /restored/);
      const { scope, sites, rules } = await settings(page);
      assert.equal(scope, "all");
      assert.equal(sites.find(({ domain }) => domain === "praxis.example")?.mode, "strict");
      assert.equal(rules.text, changed.rules);
      await chooseFile(page, saved);
      await reads(page, "#backup-preview-title", /^This would change/);
      await page.click("#backup-restore");
      await until(async () => (await settings(page)).scope === "sites", { what: "the first settings" });
    });

    it("what an administrator has set is shown as locked", async () => {
      const locked = await browser.extensionPage("ui/options.html#sites");
      await locked.evaluate(() => {
        // As the background answers under such a policy.
        const runtime = (/** @type {any} */ (globalThis).browser ?? chrome).runtime;
        const ask = runtime.sendMessage.bind(runtime);
        runtime.sendMessage = async (/** @type {any} */ message) => {
          const answer = await ask(message);
          if (message.type !== "settings") return answer;
          const sites = answer.sites.map((/** @type {object} */ site) => ({ ...site, locked: true }));
          const managedProblems = [{ field: "keep", problem: '"year": want tab or day' }];
          return { ...answer, sites, managed: true, managedProblems, locked: ["modes", "scope", "lists", "relay", "keep", "rules", "backup"] };
        };
      });
      await reads(locked, "#managed", /organisation[^]*wrong[^]*keep: "year"/);
      for (const section of SECTIONS) {
        await locked.click(`nav a[href="#${section}"]`);
        await locked.waitFor((id) => !document.getElementById(id)?.hidden, { args: [section] });
        if (section === "privacy") continue;
        assert.match(await text(locked, `#${section}-locked`), /Set by your organisation/, section);
        const open = await locked.evaluate((id) => {
          const controls = Array.from(document.querySelectorAll(`#${id} :is(input, select, textarea, button)`));
          return controls.filter((control) => !control.matches(":disabled")).map((control) => control.id);
        }, section);
        // A search changes nothing, a list may be asked for, and whether photos are wanted is for the patient alone to say.
        assert.deepEqual(open, { sites: ["sites-search"], lists: ["update"], photos: ["photos-yes", "photos-no"], backup: ["backup-restore", "backup-leave"] }[section] ?? [], section);
      }
      await locked.close();
    });

    it("all visits are forgotten at a click", async () => {
      await browser.tab().front();
      await browser.tab().open(`${world.demo.site}/oncologist/paris`);
      const visits = () => page.evaluate(() => chrome.runtime.sendMessage({ type: "visits" }));
      await until(async () => (await visits()).length > 0, { what: "a visit" });
      await open("privacy");
      assert.ok((await text(page, "#privacy-contacts")).includes(world.demo.lists));
      assert.equal((await text(page, "#privacy-contacts")).includes("name look-up (DNS)"), name === "firefox");
      await reads(page, "#privacy-stored", /On disk[^]*rules that you wrote[^]*In memory[^]*requests of a visit/);
      await page.click("#privacy-forget");
      await reads(page, "#said", /forgotten/);
      assert.deepEqual(await visits(), []);
    });
  });
}
