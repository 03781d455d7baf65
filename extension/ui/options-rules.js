/** The section about rules of one's own: a text that is looked through while it is written. */

import { errorText } from "../background/api.js";
import { act, lock, onSettings } from "./options-page.js";
import { ask, byId, put } from "./page.js";
import { say, sayCount } from "./words.js";

/** @typedef {import("./options-page.js").Settings} Settings */
/** @typedef {Settings["rules"]["problems"][number]} Problem */

/** How long nothing is typed before the text is looked through, in milliseconds. */
const PAUSE_MS = 400;
/** After so many milliseconds a wait is said to be one. */
const LONG_MS = 500;
/** More are not shown at once. */
const MAX_PROBLEMS = 50;

const area = /** @type {HTMLTextAreaElement} */ (byId("rules-text"));
const save = /** @type {HTMLButtonElement} */ (byId("rules-save"));

/** What the background has. */
let kept = "";
/** Whether the text that was looked through last can be kept: all of it is, or nothing. */
let isGood = true;
let isLocked = false;
/** The last text that was asked about: answers to others come too late. */
let asked = "";
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

onSettings(({ rules, locked }) => {
  const isUntouched = area.value === kept;
  kept = rules.text;
  isLocked = locked.includes("rules");
  lock("rules", isLocked, "rules-fields");
  if (isUntouched) {
    area.value = kept;
    showLint(rules.count, rules.problems);
  }
  showState(rules.state);
});

/** @param {string} state "", "building", or what went wrong */
function showState(state = "") {
  const isKept = area.value === kept;
  let words = "";
  if (state === "building") words = say("settingsRulesBuilding");
  else if (state !== "") words = say("settingsRulesFailed", state);
  else if (!isKept) words = say("settingsRulesUnsaved");
  else if (kept.trim() !== "") words = say("settingsRulesInForce");
  byId("rules-state").className = state !== "" && state !== "building" ? "error" : "quiet";
  if (byId("rules-state").textContent !== words) byId("rules-state").textContent = words;
  save.disabled = isLocked || isKept || !isGood;
}

/**
 * @param {number} count of good rules
 * @param {Problem[]} problems
 */
function showLint(count, problems) {
  isGood = problems.length === 0;
  const words = [area.value.trim() === "" ? "" : sayCount("settingsRulesGood", count), isGood ? "" : sayCount("settingsRulesBad", problems.length)];
  said(words.filter((text) => text !== "").join(" "), !isGood);
  area.setAttribute("aria-invalid", String(!isGood));
  byId("rules-problems").hidden = problems.length === 0;
  byId("rules-problems").replaceChildren(...problems.slice(0, MAX_PROBLEMS).map(problemItem));
}

/**
 * @param {string} words
 * @param {boolean} isError
 */
function said(words, isError) {
  const element = byId("rules-said");
  element.className = isError ? "error" : "hint";
  if (element.textContent !== words) element.textContent = words;
}

/** @param {Problem} problem */
function problemItem({ line, text, problem }) {
  const item = document.createElement("li");
  const go = document.createElement("button");
  go.type = "button";
  go.className = "plain";
  go.textContent = say("settingsRulesLine", String(line));
  go.addEventListener("click", () => select(line));
  const rule = document.createElement("span");
  rule.className = "technical";
  rule.textContent = text;
  const why = document.createElement("span");
  why.classList.add("error", "small");
  // Of the linter, which speaks to maintainers.
  why.lang = "en";
  why.textContent = problem;
  item.append(go, rule, why);
  return item;
}

/**
 * Brings the caret to a line, and the line into view.
 * @param {number} line from 1
 */
function select(line) {
  const before = area.value.split("\n").slice(0, line - 1);
  const start = before.reduce((sum, text) => sum + text.length + 1, 0);
  const end = area.value.indexOf("\n", start);
  area.focus();
  area.setSelectionRange(start, end < 0 ? area.value.length : end);
  const height = Number.parseFloat(getComputedStyle(area).lineHeight);
  area.scrollTop = Math.max(0, (line - 3) * height);
}

async function lint() {
  const text = area.value;
  asked = text;
  const slow = setTimeout(() => said(say("settingsRulesLooking"), false), LONG_MS);
  try {
    const { count, problems } = await ask({ type: "lintRules", text });
    if (asked === text) showLint(count, problems);
    showState();
  } catch (error) {
    if (asked === text) said(errorText(error), true);
  } finally {
    clearTimeout(slow);
  }
}

area.addEventListener("input", () => {
  isGood = false;
  showState();
  clearTimeout(timer);
  timer = setTimeout(() => void lint(), PAUSE_MS);
});

byId("rules-form").addEventListener("submit", (event) => {
  event.preventDefault();
  clearTimeout(timer);
  const text = area.value;
  const slow = setTimeout(() => put(byId("rules-state"), say("settingsRulesBuilding")), LONG_MS);
  void act(() => ask({ type: "rules", text }), say("settingsRulesSaved")).then(() => {
    clearTimeout(slow);
    void lint();
  });
});

addEventListener("beforeunload", (event) => {
  if (area.value !== kept && !isLocked) event.preventDefault();
});
