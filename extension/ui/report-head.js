/** The head of a report: in two sentences, what the visit told whom. */

import { byId, put } from "./page.js";
import { toldOf } from "./report-data.js";
import { country, listed, moment, say, sayCount } from "./words.js";

/** @typedef {import("./report-data.js").Group} Group */

/**
 * What is shown.
 * @typedef {object} About
 * @property {import("./report-desk.js").Header} visit
 * @property {Group[]} groups of the whole visit
 * @property {string} name of the site
 */

/** @param {About} about */
export function showHead(about) {
  const { visit, groups } = about;
  const { key, tone } = verdictOf(groups, visit.mode);
  const head = byId("head");
  if (tone === "") delete head.dataset.tone;
  else head.dataset.tone = tone;
  head.dataset.verdict = key;
  put(byId("head-site"), whereAndWhen(about));
  const [first = "", second = ""] = headWords(about);
  put(byId("head-words"), first);
  put(byId("head-others"), second);
  put(byId("head-carriers"), carriersWords(visit));
  put(byId("head-dropped"), visit.dropped > 0 ? sayCount("reportDropped", visit.dropped) : "");
}

/** @param {About} about */
function whereAndWhen({ name, visit: { domain, started } }) {
  const site = name && name !== domain ? `${name} · ${domain}` : domain;
  return started > 0 ? `${site} · ${moment(started)}` : site;
}

/**
 * @param {About} about
 * @returns {string[]} what was told whom, and whom else the site asked
 */
export function headWords({ visit, groups }) {
  const { key, count } = verdictOf(groups, visit.mode);
  return [key === "Nobody" ? say("reportHeadNobody") : sayCount(`reportHead${key}`, count), others(groups)];
}

/** @param {import("./report-desk.js").Header} visit */
export function carriersWords({ carriers }) {
  const names = carriers.map(({ name, country: code }) => (code === "" ? name : say("reportCarrier", name, country(code))));
  return names.length > 0 ? say("reportCarriers", listed(names)) : "";
}

/**
 * What the first sentence says, and of how many.
 * @param {Group[]} groups
 * @param {string} mode "" when Paravent was not there
 */
export function verdictOf(groups, mode) {
  const slipped = groups.filter(({ counts }) => counts.missed > 0).length;
  if (slipped > 0) return { key: "Left", tone: "bad", count: slipped };
  const told = groups.filter(({ counts }) => counts.would > 0).length;
  if (told > 0) return { key: mode === "" ? "File" : "Watch", tone: "care", count: told };
  const stopped = groups.filter((group) => toldOf(group) > 0).length;
  if (stopped > 0) return { key: "Stopped", tone: "good", count: stopped };
  return { key: "Nobody", tone: mode === "watch" || mode === "" ? "" : "good", count: 0 };
}

/** @param {Group[]} groups */
function others(groups) {
  const passed = groups.filter(({ counts }) => counts.allow > 0);
  // What it was told went with requests that passed only if there are no others.
  const told = passed.filter((group) => group.learnt.length > 0 && toldOf(group) === 0);
  if (told.length > 0) return sayCount("reportHeadOthersTold", told.length);
  return passed.length > 0 ? sayCount("reportHeadOthers", passed.length) : say("reportHeadAlone");
}
