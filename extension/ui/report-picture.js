/**
 * The picture of who gets what: the site in the middle, on one side those who
 * should learn nothing, behind the screen that keeps them out, on the other
 * those who were let through. Names are buttons; the lines between them are
 * drawn for eyes alone, because each button says what its line shows.
 */

import { drawing, element } from "./page.js";
import { fatesOf } from "./report-data.js";
import { countLabel } from "./report-signs.js";
import { country, listed, say, sayCount } from "./words.js";

/**
 * @typedef {import("./report-data.js").Fate} Fate
 * @typedef {import("./report-data.js").Group} Group
 * @typedef {{side: "telling" | "passed", fate: Fate, fates: {fate: Fate, count: number}[], group: Group}} Spot
 */

/** More recipients than these on a side, and each has a single line. */
const ROOMY = 9;
/** So many stand on a side; there are all of them in words. */
const MOST = 40;

export class Picture {
  #root;
  #choose;
  #svg = drawing("svg", { class: "lines", "aria-hidden": "true" });
  #site = element("p", { classes: ["site"] });
  #sides = { telling: sideOf("telling"), passed: sideOf("passed") };
  /** @type {{spot: Spot, button: HTMLButtonElement}[]} */
  #drawn = [];
  /** @type {Group[]} */
  #groups = [];
  #shown = "";

  /**
   * @param {HTMLElement} root
   * @param {(recipient: string) => void} choose called when a recipient is chosen, or with "" when it is no longer
   */
  constructor(root, choose) {
    this.#root = root;
    this.#choose = choose;
    root.append(this.#svg, this.#sides.telling.section, this.#site, this.#sides.passed.section);
    root.addEventListener("keydown", (event) => this.#walk(event));
    new ResizeObserver(() => this.#draw()).observe(root);
  }

  /**
   * @param {Group[]} groups
   * @param {string} site
   * @param {string} chosen recipient
   */
  show(groups, site, chosen) {
    if (groups !== this.#groups || site !== this.#site.textContent) {
      this.#groups = groups;
      const all = groups.flatMap(spotsOf);
      const spots = ["telling", "passed"].flatMap((name) => all.filter(({ side }) => side === name).slice(0, MOST));
      const text = JSON.stringify([site, all.length, spots]);
      if (text !== this.#shown) this.#build(all, spots, site);
      this.#shown = text;
    }
    for (const { spot, button } of this.#drawn) button.setAttribute("aria-pressed", String(spot.group.name === chosen));
  }

  /**
   * @param {Spot[]} all
   * @param {Spot[]} spots those that are shown
   * @param {string} site
   */
  #build(all, spots, site) {
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.spot : undefined;
    this.#site.replaceChildren(screenSign(), element("span", { text: site }));
    this.#drawn = spots.map((spot) => ({ spot, button: this.#buttonFor(spot) }));
    for (const [name, { section, title, list }] of Object.entries(this.#sides)) {
      const here = this.#drawn.filter(({ spot }) => spot.side === name);
      section.hidden = here.length === 0;
      section.dataset.roomy = String(here.length <= ROOMY);
      title.textContent = titleOf(here.map(({ spot }) => spot));
      list.replaceChildren(...here.map(({ button }) => element("li", {}, button)));
      const more = all.filter(({ side }) => side === name).length - here.length;
      if (more > 0) list.append(element("li", { classes: ["more"], text: sayCount("reportPictureMore", more) }));
    }
    this.#root.dataset.sides = [...new Set(spots.map(({ side }) => side))].join(" ");
    const back = this.#drawn.find(({ button }) => button.dataset.spot === focused);
    for (const { button } of this.#drawn) button.tabIndex = -1;
    const first = (back ?? this.#drawn[0])?.button;
    if (first) first.tabIndex = 0;
    back?.button.focus();
    this.#draw();
  }

  /** @param {Spot} spot */
  #buttonFor(spot) {
    const { group, fate, fates, side } = spot;
    const button = element("button", {
      attributes: { type: "button", "aria-pressed": "false" },
      data: { fate, spot: `${side} ${group.name}` },
    });
    const name = element("span", { classes: ["name"], text: group.name });
    if (group.country) name.append(element("span", { classes: ["country"], text: country(group.country) }));
    button.append(name, element("span", { classes: ["counts"] }, ...fates.map(({ fate, count }) => countLabel(fate, count))));
    const told = toldWords(group);
    if (told) button.append(element("span", { classes: ["told"], text: told }));
    button.addEventListener("click", () => this.#choose(button.getAttribute("aria-pressed") === "true" ? "" : group.name));
    return button;
  }

  /**
   * Arrows go from name to name, so that a tab leaves the picture at once.
   * @param {KeyboardEvent} event
   */
  #walk(event) {
    const at = this.#drawn.findIndex(({ button }) => button === document.activeElement);
    const to = { ArrowDown: at + 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowLeft: at - 1, Home: 0, End: this.#drawn.length - 1 }[event.key];
    const next = to === undefined || at < 0 ? undefined : this.#drawn[Math.max(0, Math.min(this.#drawn.length - 1, to))];
    if (!next) return;
    event.preventDefault();
    for (const { button } of this.#drawn) button.tabIndex = -1;
    next.button.tabIndex = 0;
    next.button.focus();
  }

  /** Draws the lines to where the names stand now. */
  #draw() {
    const { width, height, left, top } = this.#root.getBoundingClientRect();
    if (width === 0) return;
    // The style sheet knows whether the sides stand one below the other.
    const isNarrow = getComputedStyle(this.#root).getPropertyValue("--narrow") !== "";
    const box = (/** @type {Element} */ of) => {
      const { x, y, width: w, height: h } = of.getBoundingClientRect();
      return { left: x - left, right: x - left + w, top: y - top, bottom: y - top + h, middle: y - top + h / 2 };
    };
    const site = box(this.#site);
    const drawn = this.#drawn.map(({ spot, button }) => ({ spot, to: box(button) }));
    const lines = isNarrow ? drawn.map((one) => branch(site, one)) : drawn.map((one, _, all) => curve(site, one, all));
    const screens = isNarrow ? [] : [screen(site, drawn)];
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#svg.replaceChildren(...screens.flat(), ...lines.flat());
  }
}

/**
 * A recipient of whom some requests were stopped and others let through stands on both sides.
 * @param {Group} group
 * @returns {Spot[]}
 */
function spotsOf(group) {
  const fates = fatesOf(group);
  const telling = fates.filter(({ fate }) => fate !== "passed");
  const passed = fates.filter(({ fate }) => fate === "passed");
  /** @type {Spot[]} */
  const spots = [];
  if (telling[0]) spots.push({ side: "telling", fate: telling[0].fate, fates: telling, group });
  if (passed[0]) spots.push({ side: "passed", fate: "passed", fates: passed, group });
  return spots;
}

/** @param {"telling" | "passed"} name */
function sideOf(name) {
  const title = element("h3");
  const list = element("ul");
  return { section: element("div", { classes: ["side"], data: { side: name } }, title, list), title, list };
}

/** @param {Spot[]} spots of one side */
function titleOf(spots) {
  const { side = "passed" } = spots[0] ?? {};
  if (side === "passed") return say("reportSidePassed");
  if (spots.every(({ fate }) => fate === "stopped" || fate === "held")) return say("reportSideStopped");
  return say(spots.every(({ fate }) => fate === "would") ? "reportSideWould" : "reportSideMixed");
}

/**
 * In a few words, what a recipient was told or would have been.
 * @param {Group} group
 */
function toldWords({ learnt, photos }) {
  const kinds = [...new Set(learnt.map(({ what }) => what))].map((what) => say(`reportWhat_${what}`));
  if (photos > 0) kinds.unshift(sayCount("reportPhotos", photos));
  return kinds.length > 0 ? listed(kinds) : "";
}

/** The folding screen of the icon. */
function screenSign() {
  return drawing(
    "svg",
    { viewBox: "0 0 24 24", class: "screen-sign", "aria-hidden": "true" },
    drawing("path", { d: "M1 5l7-2.6v16.2l-7 2.6z", class: "light" }),
    drawing("path", { d: "M8.6 2.4l6.8 2.6v16.2l-6.8-2.6z", class: "deep" }),
    drawing("path", { d: "M16 5l7-2.6v16.2l-7 2.6z", class: "light" }),
  );
}

/**
 * @typedef {{left: number, right: number, top: number, bottom: number, middle: number}} Box
 * @typedef {{spot: Spot, to: Box}} Drawn
 */

/**
 * @param {Spot} spot
 * @param {number} most as wide as a line may be
 */
function widthOf({ fates }, most) {
  const count = fates.reduce((sum, { count }) => sum + count, 0);
  return Math.min(most, 1.2 + Math.log2(count) * 0.12 * most);
}

/**
 * A line across, from the site's edge to a name.
 * @param {Box} site
 * @param {Drawn} one
 * @param {Drawn[]} all
 */
function curve(site, { spot, to }, all) {
  const most = all.length > 2 * ROOMY ? 2.2 : 5;
  const same = all.filter(({ spot: { side } }) => side === spot.side);
  const at = same.findIndex(({ spot: { group } }) => group === spot.group);
  const spread = Math.min(site.bottom - site.top - 24, same.length * 7);
  const from = site.middle + (same.length > 1 ? (at / (same.length - 1) - 0.5) * spread : 0);
  const isLeft = spot.side === "telling";
  const x0 = isLeft ? site.left : site.right;
  const x1 = isLeft ? to.right : to.left;
  const y = to.middle;
  const stops = screenAt(site, all);
  const ends = isLeft ? stops + 9 : x1 - 7;
  const line = (/** @type {number} */ end) => {
    const bend = (x0 + end) / 2;
    return `M${x0} ${from}C${bend} ${from} ${bend} ${y} ${end} ${y}`;
  };
  if (!isLeft) return [path(spot, line(ends), most), arrow(spot, x1 - 2, y, 1)];
  if (spot.fate === "would" || spot.fate === "left") return [path(spot, line(x1 + 7), most), arrow(spot, x1 + 2, y, -1)];
  return [
    path(spot, line(ends), most),
    drawing("path", { d: `M${ends} ${y - 5}v10`, class: "bar", "data-fate": spot.fate }),
    drawing("path", { d: `M${stops - 9} ${y}H${x1 + 3}`, class: "never", "data-fate": spot.fate }),
  ];
}

/**
 * Where the screen stands, between the site and those behind it.
 * @param {Box} site
 * @param {Drawn[]} all
 */
function screenAt(site, all) {
  const edge = Math.max(...all.filter(({ spot }) => spot.side === "telling").map(({ to }) => to.right));
  return edge + (site.left - edge) * 0.38;
}

/**
 * The screen: panels that fold, as high as the names behind it.
 * @param {Box} site
 * @param {Drawn[]} all
 */
function screen(site, all) {
  const behind = all.filter(({ spot }) => spot.fate === "stopped" || spot.fate === "held");
  if (behind.length === 0) return [];
  const x = screenAt(site, all);
  const top = Math.min(...behind.map(({ to }) => to.top)) - 4;
  const bottom = Math.max(...behind.map(({ to }) => to.bottom)) + 4;
  const panels = Math.max(2, Math.min(9, Math.round((bottom - top) / 70)));
  const height = (bottom - top) / panels;
  return Array.from({ length: panels }, (_, i) => {
    const from = top + i * height;
    const lean = i % 2 === 0 ? 4 : -4;
    const d = `M${x - 4 - lean} ${from}L${x - 4 + lean} ${from + height}h8L${x + 4 - lean} ${from}z`;
    return drawing("path", { d, class: i % 2 === 0 ? "panel" : "fold" });
  });
}

/**
 * A line down from the site, and a branch to a name.
 * @param {Box} site
 * @param {Drawn} one
 */
function branch(site, { spot, to }) {
  const x = site.left + (spot.side === "telling" ? 22 : 10);
  const y = to.middle;
  const isStopped = spot.fate === "stopped" || spot.fate === "held";
  const end = to.left - (isStopped ? 6 : 7);
  const d = `M${x} ${site.bottom}V${y - 8}Q${x} ${y} ${Math.min(x + 8, end)} ${y}H${end}`;
  if (!isStopped) return [path(spot, d, 3), arrow(spot, to.left - 2, y, 1)];
  return [path(spot, d, 3), drawing("path", { d: `M${end} ${y - 5}v10`, class: "bar", "data-fate": spot.fate })];
}

/** @param {Spot} spot @param {string} d @param {number} most as wide as the line may be */
function path(spot, d, most) {
  return drawing("path", { d, class: "line", "data-fate": spot.fate, "stroke-width": widthOf(spot, most).toFixed(2) });
}

/**
 * @param {Spot} spot
 * @param {number} x of its point
 * @param {number} y
 * @param {1 | -1} way
 */
function arrow(spot, x, y, way) {
  return drawing("path", { d: `M${x} ${y}l${-way * 9} -5v10z`, class: "arrow", "data-fate": spot.fate });
}
