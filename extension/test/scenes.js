/**
 * What there is to look at: every page of the extension, in every state that
 * looks different, on the demo. Shared by those who take pictures and by those
 * who judge what they see.
 */

/* global chrome */
import { installed, openPopup, wantPhotos } from "./popup.js";
import { visit } from "./walk.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */
/** @typedef {import("./drive/driver.js").Tab} Tab */
/** @typedef {import("./world.js").World} World */

/**
 * @typedef {object} Scene
 * @property {string} name
 * @property {number[]} widths in CSS pixels, that people have it in
 * @property {(stage: Stage) => Promise<string>} open leads to it and says its
 *   address within the extension, or a whole one
 * @property {string} ready selector of what is there when it can be looked at
 */

/**
 * @typedef {object} Stage
 * @property {Browser} browser
 * @property {World} world
 * @property {Tab} tab where the patient is
 */

const SHOWN = "main:not([aria-busy])";
const POPUP = [320, 400];
const PAGE = [320, 1280];
const ROOM = [320, 1280, 3840];
const WIDE = [320, 1280, 2560];
const REPORTED = "#report:not([hidden])";

/** @param {string} mode @returns {Scene["open"]} */
const inMode = (mode) => async ({ browser, world, tab }) => {
  await choose(browser, tab, mode);
  return popupOn({ browser, world, tab }, "/oncologist/paris");
};

/**
 * @param {Stage} stage
 * @param {string} path on the booking site
 */
async function popupOn({ browser, world, tab }, path) {
  await tab.front();
  await tab.open(`${world.demo.site}${path}`);
  return `ui/popup.html?tab=${await browser.tabId(tab)}`;
}

/**
 * @param {Stage} stage
 * @param {string[]} paths of pages on the booking site, one after another
 */
async function reportOn({ browser, world, tab }, paths) {
  await tab.front();
  await tab.open("about:blank");
  for (const path of paths) await visit(tab, world.demo.site + path);
  return `ui/report.html?tab=${await browser.tabId(tab)}`;
}

/**
 * @param {Browser} browser
 * @param {Tab} tab
 * @param {string} mode
 */
async function choose(browser, tab, mode) {
  const popup = await openPopup(browser, tab);
  await popup.page.waitFor((ready) => document.querySelector(ready), { args: [SHOWN], what: "the popup" });
  await popup.page.click(`#modes input[value="${mode}"]`);
  await popup.page.waitFor((wanted) => document.querySelector(`#modes input[value="${wanted}"]:checked`), { args: [mode], what: `mode ${mode}` });
  await popup.close();
}

/** In an order in which each leaves what the next needs. @type {Scene[]} */
export const SCENES = [
  { name: "popup-protected", widths: POPUP, ready: SHOWN, open: (stage) => popupOn(stage, "/oncologist/paris") },
  {
    name: "popup-photos",
    widths: POPUP,
    ready: SHOWN,
    open: async (stage) => {
      await wantPhotos(stage.browser, `${stage.world.demo.site}/oncologist/paris`);
      return popupOn(stage, "/oncologist/paris");
    },
  },
  { name: "popup-strict", widths: POPUP, ready: SHOWN, open: inMode("strict") },
  { name: "popup-watch", widths: POPUP, ready: SHOWN, open: inMode("watch") },
  { name: "report-watch", widths: WIDE, ready: REPORTED, open: (stage) => reportOn(stage, ["/oncologist/paris?insurance=private"]) },
  { name: "popup-off", widths: POPUP, ready: SHOWN, open: inMode("off") },
  {
    name: "popup-unlisted",
    widths: POPUP,
    ready: SHOWN,
    open: async ({ browser, world, tab }) => {
      await choose(browser, tab, "protect");
      await tab.open(world.demo.board);
      return `ui/popup.html?tab=${await browser.tabId(tab)}`;
    },
  },
  {
    name: "broken",
    widths: PAGE,
    ready: SHOWN,
    open: async (stage) => {
      await stage.tab.open(`${stage.world.demo.site}/oncologist/paris`);
      return `ui/broken.html?tab=${await stage.browser.tabId(stage.tab)}`;
    },
  },
  {
    name: "report-protected",
    widths: WIDE,
    ready: REPORTED,
    open: (stage) => reportOn(stage, ["/oncologist/paris", "/doctor/camille-aubert?motive=breast-lump", "/book/camille-aubert?motive=breast-lump"]),
  },
  {
    name: "report-print",
    widths: PAGE,
    ready: "#letter:not([hidden])",
    open: async ({ browser, tab }) => {
      const report = await browser.extensionPage(`ui/report.html?tab=${await browser.tabId(tab)}`);
      await report.waitFor((ready) => document.querySelector(ready), { args: [REPORTED], what: "the report" });
      return `ui/${await report.evaluate(() => document.querySelector("#print")?.getAttribute("href"))}`;
    },
  },
  { name: "report-visits", widths: PAGE, ready: "#visits-list a", open: async () => "ui/report.html" },
  ...["sites", "scope", "lists", "rules", "photos", "backup", "privacy"].map((section) => ({
    name: `options-${section}`,
    widths: PAGE,
    ready: `${SHOWN} #${section}:not([hidden])`,
    open: async () => `ui/options.html#${section}`,
  })),
  { name: "welcome", widths: PAGE, ready: SHOWN, open: async () => "ui/welcome.html" },
  { name: "workshop", widths: ROOM, ready: SHOWN, open: async () => "ui/workshop.html?example" },
  { name: "workshop-visits", widths: PAGE, ready: "#choose-visits button", open: async () => "ui/workshop.html" },
  ...["Before", "Photos", "After", "Compare"].map((step) => ({ name: `workshop-${step.toLowerCase()}`, widths: ROOM, ready: ".person", open: async () => `ui/workshop.html?example#${step}` })),
  { name: "workshop-limits", widths: ROOM, ready: "#needed li", open: async () => "ui/workshop.html?example#Limits" },
  { name: "workshop-yourself", widths: PAGE, ready: SHOWN, open: async () => "ui/workshop.html?example#Yourself" },
  { name: "handout", widths: PAGE, ready: "h1:not(:empty)", open: async () => "ui/handout.html" },
  {
    name: "server",
    widths: PAGE,
    ready: "main",
    // Without a window Chromium asks for English pages, whatever its own language.
    open: async ({ browser, world }) => `${world.demo.lists}/?lang=${await browser.extension(() => chrome.i18n.getMessage("language"))}`,
  },
];

/**
 * Leads a browser with the extension through the scenes.
 *
 * @param {Pick<Stage, "browser" | "world">} on
 * @param {(scene: Scene, page: Tab) => Promise<void>} look
 */
export async function play({ browser, world }, look) {
  await installed(browser);
  const tab = browser.tab();
  for (const scene of SCENES) {
    await tab.front();
    const address = await scene.open({ browser, world, tab });
    const page = await (address.startsWith("http") ? browser.newTab(address) : browser.extensionPage(address));
    await page.waitFor((ready) => document.querySelector(ready), { args: [scene.ready], what: scene.name });
    await look(scene, page);
    await page.close();
  }
}
