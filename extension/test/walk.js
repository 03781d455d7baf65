/**
 * A patient's way through the demo's booking site: looks for an oncologist in
 * Paris, scrolls through the results, opens a doctor's page, books. The patient
 * is asked at the end what there was to see; what the recipients got is asked
 * from them.
 */

import { decode, distance, look } from "./drive/png.js";
import { PATIENCE, until } from "./drive/driver.js";

/** @typedef {import("./drive/driver.js").Tab} Tab */

/**
 * @typedef {object} Photo
 * @property {string} page "results", "doctor", "form" or "confirmed"
 * @property {string} slug of the doctor
 * @property {boolean} shown whether there is a picture, and the expected one if
 *   it is known how it looks
 * @property {number[]} look see png.js
 *
 * @typedef {object} Walked
 * @property {Photo[]} photos
 * @property {Record<string, boolean>} needs whether each of the third parties
 *   that the form needs answered
 * @property {boolean} booked
 */

/**
 * Two looks closer than this are the same picture: text drawn over it or a
 * rounding of its place move it by less, another face by more.
 */
const SAME = 4;

const WIDTH = 1280;
const HEIGHT = 900;

/**
 * @param {Tab} tab
 * @param {string} site origin of the booking site
 * @param {object} [options]
 * @param {"" | "/strict" | "/offline"} [options.base] which of its variants
 * @param {Photo[]} [options.expected] how the photos looked to the same browser
 *   on an earlier walk
 * @param {number} [options.patience] how long to wait for photos and third
 *   parties, in milliseconds: shorter where they are expected to be missing
 * @param {(what: string) => void} [options.progress]
 * @param {(page: string) => Promise<void>} [options.onPage] called when a page
 *   has loaded all that it will
 * @returns {Promise<Walked>}
 */
export async function walk(tab, site, options = {}) {
  const { base = "", expected, patience = PATIENCE, progress = () => {}, onPage = async () => {} } = options;
  /** @type {Photo[]} */
  const photos = [];
  /** @param {string} page */
  const arrived = async (page) => {
    await ready(tab, page);
    if (base === "/offline") await controlled(tab);
    photos.push(...(await photosOn(tab, page, patience, expected)));
    await onPage(page);
  };

  await tab.front(); // a tab behind another one loads lazily and draws never
  await tab.setViewport(WIDTH, HEIGHT);
  progress("looks for an oncologist in Paris");
  await tab.open(`${site}${base}/`);
  await ready(tab, "home");
  if (base === "/offline") {
    await controlled(tab);
    await tab.reload(); // this time the worker fetches everything
    await ready(tab, "home");
  }
  if (base !== "/strict") await acceptCookies(tab, patience);
  await tab.evaluate(choose, { specialty: "oncologist", city: "paris", insurance: "private" });
  await tab.click("form[data-search] button");
  await tab.waitFor(() => location.pathname.endsWith("/oncologist/paris"));
  await ready(tab, "results");
  await tab.evaluate(choose, { motive: "chemotherapy-follow-up" });
  await tab.click("form[data-search] button");
  await tab.waitFor(() => location.search.includes("motive="));

  progress("scrolls through the results");
  await arrived("results");
  progress("opens a doctor's page");
  await tab.click(".results a[href*='/doctor/']");
  await arrived("doctor");
  progress("fills the booking form");
  await tab.click("a[data-book]");
  await ready(tab, "book");
  await tab.type("#firstname", "Jeanne");
  await tab.type("#lastname", "Martin");
  await tab.type("#message", "lump in the left breast");
  const needs = await working(tab, patience);
  await arrived("book");
  progress("sends it");
  await tab.click("#send");
  const booked = await tab
    .waitFor(() => document.querySelector("[data-confirmed]") !== null, { timeout: patience })
    .then(() => true, () => false);
  if (booked) await arrived("confirmed");
  return { photos, needs, booked };
}

/**
 * Opens a page of the booking site by its address.
 *
 * @param {Tab} tab
 * @param {string} address
 */
export async function visit(tab, address) {
  await tab.front();
  await tab.open(address);
  await tab.waitFor(() => document.documentElement.dataset["ready"] === "yes", { what: `${address} to be ready` });
}

/**
 * Waits until the page's own script has done all it does.
 *
 * @param {Tab} tab
 * @param {string} page
 */
async function ready(tab, page) {
  await tab.waitFor(
    (kind) => document.documentElement.dataset["page"] === kind && document.documentElement.dataset["ready"] === "yes",
    { args: [page], what: `the page "${page}" to be ready` },
  );
}

/**
 * Waits until the site's service worker has taken the page over.
 *
 * @param {Tab} tab
 */
async function controlled(tab) {
  await tab.waitFor(() => navigator.serviceWorker.controller?.state === "activated", {
    what: "the service worker to control the page",
  });
}

/**
 * Answers the question about cookies, unless an earlier visit has.
 *
 * @param {Tab} tab
 * @param {number} patience milliseconds
 */
async function acceptCookies(tab, patience) {
  const asked = () => tab.evaluate(() => document.querySelector("#consent-accept") !== null);
  const answered = () => tab.evaluate(() => localStorage.getItem("accord") !== null);
  await until(async () => (await asked()) || (await answered()), { timeout: patience }).catch(() => {});
  if (!(await asked())) return; // if nobody asked, the form will say that consent does not work
  await tab.click("#consent-accept");
  await tab.waitFor(() => document.querySelector("#consent") === null);
}

/**
 * Runs in the page: makes a choice in drop-down lists.
 *
 * @param {Record<string, string>} choices value by the list's name
 */
function choose(choices) {
  for (const [name, value] of Object.entries(choices)) {
    const list = /** @type {HTMLSelectElement | null} */ (document.querySelector(`form[data-search] select[name=${name}]`));
    if (!list) throw new Error(`there is no choice of ${name} on ${location.href}`);
    list.value = value;
    list.dispatchEvent(new Event("input", { bubbles: true }));
    list.dispatchEvent(new Event("change", { bubbles: true }));
  }
}

/**
 * Waits until every third party that the page needs has answered.
 *
 * @param {Tab} tab
 * @param {number} patience milliseconds
 * @returns {Promise<Record<string, boolean>>}
 */
async function working(tab, patience) {
  const states = () =>
    tab.evaluate(() => {
      const all = Array.from(document.querySelectorAll("[data-need]"), (element) => {
        const { need = "", state } = /** @type {HTMLElement} */ (element).dataset;
        return /** @type {const} */ ([need, state === "working"]);
      });
      return Object.fromEntries(all);
    });
  await until(async () => Object.values(await states()).every(Boolean), { timeout: patience }).catch(() => {});
  return states();
}

/**
 * Scrolls through the page and looks at every doctor's photo.
 *
 * @param {Tab} tab
 * @param {string} page
 * @param {number} patience milliseconds
 * @param {Photo[]} [expected]
 * @returns {Promise<Photo[]>}
 */
async function photosOn(tab, page, patience, expected) {
  await tab.evaluate(scrollThrough);
  /** @type {Photo[]} */
  let photos = [];
  const look = async () => {
    photos = await photosNow(tab, page, expected);
    return photos.every(({ shown }) => shown);
  };
  await until(look, { timeout: patience, every: 300 }).catch(() => {});
  return photos;
}

/**
 * @param {Tab} tab
 * @param {string} page
 * @param {Photo[]} [expected]
 * @returns {Promise<Photo[]>}
 */
async function photosNow(tab, page, expected) {
  const places = await tab.evaluate(photoPlaces);
  const picture = decode(await tab.screenshot({ full: true }));
  const scale = picture.width / WIDTH;
  const looks = places.map(({ slug, loaded, x, y, width, height }) => ({
    page,
    slug,
    loaded,
    look: look(picture, { x: x * scale, y: y * scale, width: width * scale, height: height * scale }),
  }));
  return looks.map((photo) => {
    const known = expected?.find((other) => other.page === page && other.slug === photo.slug);
    // Nobody has seen this photo yet: it is one if it loaded and no other looks like it.
    const shown = known
      ? distance(photo.look, known.look) < SAME
      : looks.every((other) => other === photo || distance(photo.look, other.look) >= SAME);
    return { page, slug: photo.slug, shown: shown && photo.loaded && photo.look.length > 0, look: photo.look };
  });
}

/** Runs in the page. */
async function scrollThrough() {
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 30)));
  for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight / 2) {
    scrollTo({ top: y, behavior: "instant" });
    await frame();
  }
  scrollTo({ top: 0, behavior: "instant" });
}

/** Runs in the page: where its photos are, those too that are still to come. */
function photoPlaces() {
  return Array.from(document.querySelectorAll("img[data-photo], [data-late]"), (element) => {
    const box = element.getBoundingClientRect();
    const image = element instanceof HTMLImageElement ? element : null;
    return {
      slug: image?.dataset["photo"] ?? "",
      loaded: Boolean(image?.complete && image.naturalWidth > 1),
      x: box.x + scrollX,
      y: box.y + scrollY,
      width: box.width,
      height: box.height,
    };
  });
}
