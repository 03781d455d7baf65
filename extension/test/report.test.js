/**
 * The report of a visit on the demo: its rows are what the recipients received,
 * what is saved opens again as the same report, and no file, however it was
 * made, does more to the page than be read.
 */

/* global chrome */
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { after, before, describe, it } from "node:test";
import { until } from "./drive/driver.js";
import { installed, openPopup } from "./popup.js";
import { visit } from "./walk.js";
import { BROWSERS, createWorld } from "./world.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */
/** @typedef {import("./drive/driver.js").Tab} Tab */

const load = createRequire(import.meta.url);

const SEARCH = "/oncologist/paris?insurance=private&motive=breast-lump";

/** What a person who wants no motion has told the browser. */
const CALM = { args: ["--force-prefers-reduced-motion"], prefs: { "ui.prefersReducedMotion": 1 } };

/** @type {import("./world.js").World} */
let world;
before(async () => {
  world = await createWorld();
});
after(() => world.close());

/**
 * @typedef {object} Line a row of the table as a person reads it
 * @property {string} recipient
 * @property {string} host
 * @property {string} fate
 * @property {string} told
 */

/** Runs in the page: the table's rows. @returns {Line[]} */
function lines() {
  return Array.from(document.querySelectorAll("#table-body tr:not(.detail)"), (row) => {
    const text = (/** @type {string} */ column) => row.querySelector(`[data-column="${column}"]`)?.textContent ?? "";
    return {
      recipient: row.querySelector(".name")?.textContent ?? "",
      host: text("host"),
      fate: /** @type {HTMLElement} */ (row).dataset.fate ?? "",
      told: text("learnt"),
    };
  });
}

/** Runs in the page: whether the report stands. */
const stands = () => document.querySelector("#report:not([hidden])") !== null && document.querySelector("#progress[hidden]") !== null;

/**
 * Runs in the page: all addresses, each read from its open row.
 * @returns {Promise<string[]>}
 */
async function addresses() {
  const found = [];
  const frame = () => new Promise((done) => setTimeout(done));
  for (;;) {
    for (let i = 0; i < document.querySelectorAll(".opener").length; i++) {
      const opener = () => /** @type {HTMLElement} */ (document.querySelectorAll(".opener")[i]);
      if (opener().getAttribute("aria-expanded") === "false") opener().click();
      const whole = document.querySelector("tr.detail .plain");
      if (whole instanceof HTMLElement) whole.click();
      found.push(document.querySelector("tr.detail dd p")?.textContent ?? "");
      opener().click();
    }
    const on = /** @type {HTMLButtonElement} */ (document.querySelector("#pager-on"));
    if (on.disabled) return found;
    on.click();
    await frame();
  }
}

/**
 * Runs in the page: saves as a button says, and gives what would be written.
 * @param {string} button
 * @returns {Promise<{name: string, text: string}>}
 */
async function saved(button) {
  const makeURL = URL.createObjectURL;
  const click = HTMLAnchorElement.prototype.click;
  try {
    /** @type {Blob | null} */
    let blob = null;
    URL.createObjectURL = (made) => {
      blob = /** @type {Blob} */ (made);
      return makeURL(made);
    };
    const name = await new Promise((resolve) => {
      HTMLAnchorElement.prototype.click = function () {
        resolve(this.download);
      };
      /** @type {HTMLElement} */ (document.querySelector(button)).click();
    });
    return { name, text: await /** @type {Blob} */ (/** @type {unknown} */ (blob)).text() };
  } finally {
    URL.createObjectURL = makeURL;
    HTMLAnchorElement.prototype.click = click;
  }
}

/**
 * Runs in the page: chooses a file.
 * @param {string} name
 * @param {string} text
 * @param {boolean} isDropped instead
 */
function give(name, text, isDropped) {
  const transfer = new DataTransfer();
  transfer.items.add(new File([text], name, { type: "application/json" }));
  if (isDropped) {
    document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
    return;
  }
  const input = /** @type {HTMLInputElement} */ (document.querySelector("#file"));
  input.files = transfer.files;
  input.dispatchEvent(new Event("change"));
}

/**
 * An archive as no browser would write it, but anybody could.
 * @param {object[]} requests
 */
const archive = (requests) =>
  JSON.stringify({
    log: {
      version: "1.2",
      creator: { name: "<b>x</b>", version: "1" },
      pages: [{ id: "p", title: "https://booking.localhost/oncologist/paris", startedDateTime: "2026-11-22T10:00:00Z", pageTimings: {} }],
      entries: requests.map((request, i) => ({
        pageref: "p",
        startedDateTime: new Date(Date.UTC(2026, 10, 22, 10) + i).toISOString(),
        time: 1,
        _resourceType: i === 0 ? "document" : "image",
        request: { method: "GET", headers: [], cookies: [], queryString: [], ...request },
        response: { status: 200, content: { mimeType: "image/png" }, headers: [] },
        cache: {},
        timings: {},
      })),
    },
  });

/** @param {string} text */
const schemaProblems = (text) => {
  const Ajv = load("ajv");
  const ajv = new Ajv({ allErrors: true });
  ajv.addMetaSchema(load("ajv/lib/refs/json-schema-draft-06.json"));
  const { har, ...parts } = load("har-schema");
  for (const part of Object.values(parts)) ajv.addSchema(part);
  const isValid = ajv.compile(har);
  return isValid(JSON.parse(text)) ? [] : isValid.errors;
};

for (const name of BROWSERS) {
  describe(name, () => {
    /** @type {Browser} */
    let browser;
    before(async () => {
      browser = await world.launch(name, { extension: await world.extension(name), ...CALM });
      await installed(browser);
    });
    after(() => browser.close());

    /** @param {string} mode */
    const choose = async (mode) => {
      const popup = await openPopup(browser, browser.tab());
      await popup.page.waitFor(() => document.querySelector("#modes:not([hidden])"));
      await popup.page.click(`#modes input[value="${mode}"]`);
      // Chromium takes a moment to change its rules, and decides by the old ones until then.
      await until(
        async () => {
          const state = await popup.state();
          return state.mode === mode && state.problems.rules === "";
        },
        { what: `mode ${mode}` },
      );
      await popup.close();
    };

    /** @returns {Promise<Tab>} the report of the patient's tab */
    const openReport = async () => {
      const page = await browser.extensionPage(`ui/report.html?tab=${await browser.tabId(browser.tab())}`);
      await page.setViewport(1280, 900);
      await page.waitFor(stands, { what: "the report" });
      return page;
    };

    /** Starts a visit of its own. @param {string} path */
    const patient = async (path) => {
      await browser.tab().open("about:blank");
      await visit(browser.tab(), world.demo.site + path);
    };

    it("while nothing is stopped, has every request that others received, and who learns what", async () => {
      await visit(browser.tab(), `${world.demo.site}/`);
      await choose("watch");
      await world.demo.reset();
      await patient(SEARCH);
      const { recipients, needs } = await world.demo.settled();
      const page = await openReport();
      const received = [...recipients, ...needs].flatMap(({ requests }) => requests).filter(({ from }) => from === "browser");
      assert.ok(received.length > 10, `${received.length} received`);
      const told = received.map(({ url }) => url).toSorted();
      // What the site itself is asked for is its own.
      const others = () =>
        page.evaluate(addresses).then((all) => all.filter((address) => !address.startsWith(world.demo.site)).toSorted());
      await until(async () => (await others()).length >= told.length, { what: "all requests" });
      assert.deepEqual(await others(), told);

      assert.equal(await page.evaluate(() => document.querySelector("#head")?.getAttribute("data-verdict")), "Watch");
      const words = await page.evaluate(() => document.querySelector("#words")?.textContent ?? "");
      for (const party of recipients) {
        const took = party.requests.filter(({ from }) => from === "browser");
        if (took.length === 0) continue;
        assert.ok(words.includes(party.name), `${party.name} is not told of`);
        const takes = took.some(({ url }) => decodeURIComponent(url).includes("/oncologist/paris"));
        if (takes) assert.match(words, new RegExp(`${party.name}[^]*?Learnt[^]*?oncologist/paris`));
      }
      await page.close();
    });

    it("the picture fits a narrow window at once", async () => {
      const page = await openReport();
      const over = await page.evaluate(() => {
        const picture = /** @type {HTMLElement} */ (document.querySelector("#picture"));
        /** @type {HTMLElement} */ (document.querySelector("#who")).style.width = "288px";
        return picture.scrollWidth - picture.clientWidth;
      });
      assert.equal(over, 0);
      await page.close();
    });

    it("narrows by name, filter and search, sorts, and opens a row", async () => {
      const page = await openReport();
      const count = () => page.evaluate(() => Number(document.querySelector("#table")?.getAttribute("aria-rowcount")) - 1);
      const all = await count();
      await page.click('#picture [data-spot="telling Plaza Ads"]');
      let rows = await page.evaluate(lines);
      assert.ok(rows.length > 0 && rows.every(({ recipient }) => recipient === "Plaza Ads"), JSON.stringify(rows));
      assert.equal(await page.evaluate(() => document.querySelector('[data-spot="telling Plaza Ads"]')?.getAttribute("aria-pressed")), "true");
      await page.click("#filter-clear");
      assert.equal(await count(), all);

      await page.click("#filter-told");
      rows = await page.evaluate(lines);
      assert.ok(rows.length > 0 && rows.length < all && rows.every(({ told }) => told !== ""));
      await page.click("#filter-told");

      await page.type("#filter-words", "analytics collect");
      rows = await page.evaluate(lines);
      assert.ok(rows.length > 0 && rows.every(({ host }) => host === "analytics.localhost"), JSON.stringify(rows));
      await page.click(".opener");
      const detail = await page.evaluate(() => document.querySelector("tr.detail")?.textContent ?? "");
      assert.match(detail, /\|\|analytics\.localhost\^/);
      assert.match(detail, /oncologist\/paris/);
      await page.click("#filter-clear");

      await page.click('#table-head [data-column="recipient"] button');
      const names = await page.evaluate(lines).then((some) => some.map(({ recipient }) => recipient));
      assert.deepEqual(names, names.toSorted(new Intl.Collator().compare));
      assert.equal(await page.evaluate(() => document.querySelector('[data-column="recipient"]')?.getAttribute("aria-sort")), "ascending");
      assert.equal(await page.evaluate(() => document.getAnimations().length + Number(!matchMedia("(prefers-reduced-motion)").matches)), 0);
      await page.close();
    });

    it("is used by keyboard alone", async () => {
      const page = await openReport();
      const at = () => page.evaluate(() => document.activeElement?.id || /** @type {HTMLElement} */ (document.activeElement)?.dataset?.spot || document.activeElement?.className || "");
      /** @param {(where: string) => boolean} isThere */
      const tabTo = async (isThere) => {
        for (let i = 0; i < 60; i++) {
          await page.press("Tab");
          if (isThere(await at())) return;
        }
        assert.fail(`the keyboard does not get there, but to ${await at()}`);
      };
      await page.evaluate(() => document.body.focus());
      await tabTo((where) => where.startsWith("telling"));
      const first = await at();
      await page.press("ArrowDown");
      const second = await at();
      assert.notEqual(second, first);
      await page.press("Enter");
      const recipient = second.replace(/^\w+ /, "");
      assert.ok((await page.evaluate(lines)).every((line) => line.recipient === recipient));
      await tabTo((where) => where === "filter-words");
      await page.press("x", "y", "z", "q");
      await page.waitFor(() => document.querySelector("#table-none:not([hidden])"));
      await tabTo((where) => where === "filter-clear");
      await page.press("Enter");
      await tabTo((where) => where === "opener");
      await page.press("Enter");
      await page.waitFor(() => document.querySelector("tr.detail"));
      assert.equal(await at(), "opener");
      await page.press("Enter");
      assert.equal(await page.evaluate(() => document.querySelector("tr.detail")), null);
      await page.close();
    });

    it("follows the visit, and says when it is over", async () => {
      await choose("protect");
      await patient(SEARCH);
      const page = await openReport();
      assert.equal(await page.evaluate(() => document.querySelector("#head")?.getAttribute("data-verdict")), "Stopped");
      assert.equal(await page.evaluate(() => document.querySelectorAll("#time-pages li").length), 1);
      await visit(browser.tab(), `${world.demo.site}/doctor/camille-aubert?motive=breast-lump&insurance=private`);
      await page.front();
      await page.waitFor(() => document.querySelectorAll("#time-pages li").length === 2, { what: "the second page" });
      await browser.tab().open("about:blank");
      await page.front();
      await page.waitFor(() => document.querySelector("#notice:not([hidden])")?.textContent?.includes("over"), { what: "the end" });
      assert.ok((await page.evaluate(lines)).length > 5);
      await page.close();
    });

    it("what is saved is a HAR, and opens again as the same report", async () => {
      await patient(SEARCH);
      const page = await openReport();
      const shown = () =>
        page.evaluate(() => ({
          words: document.querySelector("#words")?.textContent,
          picture: document.querySelector("#picture")?.textContent,
          first: document.querySelector("#head-words")?.textContent,
          rows: Array.from(document.querySelectorAll("#table-body tr"), (row) => row.textContent),
        }));
      await world.demo.settled();
      const before = await until(async () => {
        const once = await shown();
        await page.evaluate(() => chrome.runtime.sendMessage({ type: "lists" }));
        return JSON.stringify(once) === JSON.stringify(await shown()) && once;
      });
      const har = await page.evaluate(saved, "#save-har");
      assert.match(har.name, /^paravent-booking\.localhost-\d{4}-\d\d-\d\d\.har$/);
      assert.deepEqual(schemaProblems(har.text), []);
      const inspection = JSON.parse((await page.evaluate(saved, "#save-inspection")).text);
      assert.ok(inspection.hosts.requests.thirdParty.includes("analytics.localhost"), JSON.stringify(inspection.hosts));
      const csv = await page.evaluate(saved, "#save-csv");
      assert.match(csv.name, /\.csv$/);
      assert.match(csv.text, /analytics\.localhost/);

      await page.evaluate(give, har.name, har.text, true);
      await page.waitFor(() => document.querySelector("#source")?.textContent?.includes("file"), { what: "the file" });
      assert.match(await page.evaluate(() => document.querySelector("#notice")?.textContent ?? ""), /not this browser’s own visit/);
      assert.deepEqual(await shown(), before);
      await page.close();
    });

    it("a letter can be printed of it", async () => {
      const page = await openReport();
      const letter = await browser.newTab(await page.evaluate(() => /** @type {HTMLAnchorElement} */ (document.querySelector("#print")).href));
      await letter.waitFor(() => document.querySelector("#letter:not([hidden])"), { what: "the letter" });
      const text = await letter.evaluate(() => document.body.innerText);
      for (const said of ["booking.localhost", "Northlight Analytics", "United States", "oncologist", "Would have", "Mozilla/5.0"]) {
        assert.ok(text.includes(said), `the letter does not say ${said}`);
      }
      await letter.close();
      await page.close();
    });

    it("a hostile file is read as text, and a broken one is refused by its field", async () => {
      const page = await browser.extensionPage("ui/report.html");
      await page.waitFor(() => document.querySelector("main:not([aria-busy])"));
      const script = "<img src=x onerror=document.title='run'><script>document.title='run'</script>";
      const requests = [
        { url: "https://booking.localhost/oncologist/paris" },
        { url: `https://${"a".repeat(60)}.example/${script}?q=${encodeURIComponent(script)}&u=javascript:document.title='run'` },
        { url: `https://long.example/${"x".repeat(100_000)}` },
        { url: "javascript:document.title='run'" },
        { url: `data:text/html,${script}` },
        { url: "https://xn--.example/\u202e\u0000", method: script },
        { url: "nonsense", postData: { mimeType: script, text: script } },
      ];
      await page.evaluate(give, `${script}.har`, archive(requests), false);
      await page.waitFor(stands, { what: "the file" });
      await page.evaluate(() => document.querySelectorAll(".opener").forEach((opener) => /** @type {HTMLElement} */ (opener).click()));
      const odd = () =>
        page.evaluate(() => ({
          title: document.title.includes("run") && !document.title.includes("<"),
          elements: document.querySelectorAll("main :is(script, iframe, img, object, [onerror], [href^=javascript])").length,
        }));
      assert.deepEqual(await odd(), { title: false, elements: 0 });
      assert.match(await page.evaluate(() => document.querySelector("#table")?.textContent ?? ""), /<img src=x/);

      /** @param {string} text @param {RegExp} words */
      const refused = async (text, words) => {
        await page.evaluate(give, "bad.har", text, false);
        const said = () => page.evaluate(() => document.querySelector("#trouble:not([hidden])")?.textContent ?? "");
        await until(async () => words.test(await said()), { what: `${words}` }).catch(async (error) => assert.fail(`${error.message}, but ${await said()}`));
      };
      await refused("no JSON", /bad\.har.*cannot be read/);
      await refused("{}", /log\.entries/);
      await refused('{"log": {"entries": {}}}', /entries: want an array/);
      await refused('{"log": {"entries": [{"request": {"url": 5}}]}}', /entries\[0\].*url/);
      await refused('{"log": {"entries": [{"request": {"url": "https://a.example/"', /too early/);
      await page.evaluate(() => {
        const input = /** @type {HTMLInputElement} */ (document.querySelector("#file"));
        const huge = Object.defineProperty(new File(["{}"], "huge.har"), "size", { value: (200 << 20) + 1 });
        Object.defineProperty(input, "files", { value: [huge], configurable: true });
        input.dispatchEvent(new Event("change"));
        delete (/** @type {any} */ (input).files);
      });
      assert.match(await page.evaluate(() => document.querySelector("#trouble")?.textContent ?? ""), /200 MB/);

      const many = Array.from({ length: 5000 }, (_, i) => ({ url: `https://t${i % 40}.example/e?i=${i}` }));
      await page.evaluate(give, "many.har", archive(many), false);
      await page.waitFor(() => document.querySelector("#table")?.getAttribute("aria-rowcount") === "5001", { what: "5,000 rows" });
      assert.ok((await page.evaluate(lines)).length <= 50);
      await page.click("#pager-on");
      assert.equal(await page.evaluate(() => document.querySelector("#table-body tr")?.getAttribute("aria-rowindex")), "52");
      await page.close();
    });

    it("without a tab, says which visits there are", async () => {
      await patient("/");
      const id = await browser.tabId(browser.tab());
      const page = await browser.extensionPage("ui/report.html");
      await page.waitFor(() => document.querySelector("#visits-list a"), { what: "a visit" });
      assert.deepEqual(
        await page.evaluate(() => Array.from(document.querySelectorAll("#visits-list a"), (link) => [link.textContent, link.getAttribute("href")])),
        [["booking.localhost", `report.html?tab=${id}`]],
      );
      await page.close();
    });
  });
}
