/** The popup by keys alone: everything in it is reached, does what it says, and the keyboard's place outlives what changes. */

/* global chrome */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { until } from "./drive/driver.js";
import { startHost } from "./drive/host.js";
import { installed, openPopup } from "./popup.js";
import { visit } from "./walk.js";
import { BROWSERS, createWorld } from "./world.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */
/** @typedef {import("./drive/driver.js").Tab} Tab */

/** @type {import("./world.js").World} */
let world;
/** A host that no list knows. @type {import("./drive/host.js").Host} */
let other;
before(async () => {
  world = await createWorld();
  other = await startHost("other.localhost", (_, response) => response.end());
});
after(async () => {
  await other?.close();
  await world?.close();
});

/** Gives the page functions that say what it has for the keyboard. Runs in the page. */
function prepare() {
  /** @param {Element | null} element */
  const nameOf = (element) => {
    if (!element || element === document.body) return "";
    const of = element.closest(".recipients > li")?.querySelector(".name")?.textContent;
    const { dataset, id } = /** @type {HTMLElement} */ (element);
    if (of) return `${of}${dataset["host"] ? ` ${dataset["host"]}` : ""}`;
    if (dataset["host"]) return `allowed ${dataset["host"]}`;
    if (element instanceof HTMLInputElement && element.type === "radio") return element.value;
    return id ? `#${id}` : `#${element.closest("[id]")?.id} ${element.tagName.toLowerCase()}`;
  };
  const all = () =>
    Array.from(document.querySelectorAll("a[href], button, input, summary")).filter(
      (one) => one.checkVisibility({ visibilityProperty: true }) && !one.matches(":disabled, [type=radio]:not(:checked)"),
    );
  /** What is seen around the focus: on the element, or on what stands for it. */
  const ring = () => {
    const at = document.activeElement;
    const shown = at?.matches("[type=radio]") ? at.closest("label") : at;
    const { outlineStyle, outlineWidth } = getComputedStyle(shown ?? document.body);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  };
  const box = () => {
    const { top = 0, bottom = 0 } = document.activeElement?.getBoundingClientRect() ?? {};
    return { top: top + scrollY, bottom: bottom + scrollY, inView: bottom > 0 && top < innerHeight };
  };
  Object.assign(globalThis, {
    place: () => ({ name: nameOf(document.activeElement), ring: ring(), ...box() }),
    places: () => all().map(nameOf),
  });
}

for (const name of BROWSERS) {
  describe(name, () => {
    /** @type {Browser} */
    let browser;
    /** @type {import("./popup.js").Popup} */
    let popup;
    /** @type {Tab} */
    let page;
    before(async () => {
      browser = await world.launch(name, { extension: await world.extension(name) });
      await installed(browser);
      await visit(browser.tab(), `${world.demo.site}/oncologist/paris?insurance=private`);
      await world.demo.settled();
      popup = await openPopup(browser, browser.tab());
      ({ page } = popup);
      await page.setViewport(400, 600);
      await page.waitFor(() => document.querySelector("main:not([aria-busy])") && document.querySelector(".recipients li"));
      await page.evaluate(prepare);
    });
    after(() => browser?.close());

    /** @returns {Promise<{name: string, ring: boolean, top: number, bottom: number, inView: boolean}>} where the keyboard is */
    const place = () => page.evaluate(() => /** @type {any} */ (globalThis).place());
    /** @returns {Promise<string[]>} all that can be reached, in the document's order */
    const places = () => page.evaluate(() => /** @type {any} */ (globalThis).places());

    /** Goes to something, forwards or backwards. @param {string} wanted */
    const goTo = async (wanted) => {
      for (let i = 0; i < 60; i++) {
        const at = (await place()).name;
        if (at === wanted) return;
        const all = await places();
        assert.ok(all.includes(wanted), `no ${wanted} among ${all.join(", ")}`);
        await page.press(all.indexOf(at) > all.indexOf(wanted) ? "Shift+Tab" : "Tab");
      }
      assert.fail(`${wanted} is not reached; the focus is on ${(await place()).name}`);
    };

    /** @param {(state: import("./popup.js").TabState) => unknown} check @param {string} what */
    const told = (check, what) => until(async () => check(await popup.state()), { what });

    /** @param {string} wanted */
    const stands = (wanted) =>
      until(async () => (await place()).name === wanted).catch(async () => assert.fail(`the focus is on "${(await place()).name}", not on ${wanted}`));

    /** @param {string} wanted goes */
    const goes = async (wanted) => {
      await until(async () => !(await places()).includes(wanted), { what: `${wanted} to go` });
      const at = await place();
      assert.ok(at.name !== "" && at.ring, `the focus is on "${at.name}" after ${wanted}`);
    };

    it("Tab reaches everything once, in reading order, and the eye can follow", async () => {
      const all = await places();
      assert.ok(all.length > 10, all.join());
      const seen = [];
      let above = -Infinity;
      for (let i = 0; i < all.length; i++) {
        await page.press("Tab");
        const at = await place();
        seen.push(at.name);
        assert.ok(at.ring, `nothing shows that the focus is on ${at.name}`);
        assert.ok(at.inView, `${at.name} is out of view`);
        assert.ok(at.bottom > above, `${at.name} stands above what comes before it`);
        above = at.top;
      }
      assert.deepEqual(seen, all);
    });

    it("what is folded opens by Enter and by Space, and what it holds is next", async () => {
      for (const [fold, key] of /** @type {const} */ ([["#photos-who summary", "Enter"], ["#list", "Space"]])) {
        await goTo(fold);
        const folded = await places();
        await page.press(key);
        await until(async () => (await places()).length > folded.length, { what: `${fold} to open` });
        await page.press("Tab");
        assert.ok(!folded.includes((await place()).name), `${fold} leads to ${(await place()).name}`);
        await goTo(fold);
        await page.press(key);
        await until(async () => (await places()).length === folded.length, { what: `${fold} to close` });
      }
    });

    it("arrows change the mode, and the page is loaded again", async () => {
      await goTo("protect");
      await page.press("ArrowRight");
      await told(({ mode, problems }) => mode === "strict" && problems.rules === "", "mode strict");
      await stands("strict");
      await page.waitFor(() => document.querySelector("#mend")?.checkVisibility(), { what: "the button that loads the page again" });
      await goTo("#mend");
      await page.press("Enter");
      await told(({ record }) => record?.mode === "strict", "the page in mode strict");
      await goes("#mend");
    });

    it("a recipient stays open under the focus while the page goes on asking", async () => {
      await browser.tab().waitFor(() => document.documentElement.dataset["ready"] === "yes", { what: "the page" });
      await browser.tab().evaluate((address) => fetch(address, { mode: "no-cors" }).then(() => {}, () => {}), `${other.origin}/a`);
      await told(({ recipients }) => recipients.some((one) => one.name === "other.localhost"), "the other host");
      await until(async () => (await places()).includes("#others-title"), { what: "the fold" });
      await goTo("#others-title");
      await page.press("Enter");
      await until(async () => (await places()).includes("other.localhost"), { what: "the other host in the list" });
      await goTo("other.localhost");
      await page.press("Enter");
      await until(async () => (await places()).includes("other.localhost other.localhost"), { what: "the button of the host" });
      for (const at of ["other.localhost", "other.localhost other.localhost"]) {
        await goTo(at);
        const count = () => page.evaluate(() => Array.from(document.querySelectorAll(".recipients > li"), ({ textContent }) => textContent).find((text) => text?.startsWith("other.localhost")));
        const before = await count();
        await browser.tab().evaluate((address) => fetch(address, { mode: "no-cors" }).then(() => {}, () => {}), `${other.origin}/b`);
        await until(async () => (await count()) !== before, { what: "a further request in the list" });
        assert.deepEqual([(await place()).name, (await place()).ring], [at, true]);
        assert.ok((await places()).includes("other.localhost other.localhost"), "it has folded itself");
      }
      assert.deepEqual(other.asked, []);
    });

    it("a host is let through, and stopped again", async () => {
      await page.press("Space");
      await told(({ allowed }) => allowed.includes("other.localhost"), "the host to be let through");
      await stands("other.localhost");
      await goTo("#reload-now");
      await page.press("Enter");
      await goes("#reload-now");
      await goTo("allowed other.localhost");
      await page.press("Enter");
      await told(({ allowed }) => allowed.length === 0, "the host to be stopped again");
      await goes("allowed other.localhost");
    });

    it("the question about photos is answered", async () => {
      await until(async () => (await places()).includes("#photos-yes"), { what: "the question" });
      await goTo("#photos-yes");
      await page.press("Enter");
      await told(({ photos }) => photos.consent === "granted", "yes");
      await goes("#photos-yes");
      await goTo("#photos-no");
      await page.press("Space");
      await told(({ photos }) => photos.consent === "refused", "no");
      await goes("#photos-no");
    });

    it("the other pages are opened", async () => {
      const about = `?tab=${await browser.tabId(browser.tab())}`;
      for (const [link, address] of [["#to-report", `report.html${about}`], ["#to-broken", `broken.html${about}`], ["#to-workshop", `workshop.html${about}`], ["#options", "options.html"]]) {
        await page.front();
        await goTo(/** @type {string} */ (link));
        await page.press("Enter");
        await until(
          () =>
            browser.extension(async (end) => {
              const found = (await chrome.tabs.query({})).find(({ url }) => url?.split("#")[0]?.endsWith(`/ui/${end}`));
              if (found?.id) await chrome.tabs.remove(found.id);
              return Boolean(found);
            }, /** @type {string} */ (address)),
          { what: address },
        );
      }
    });
  });
}
