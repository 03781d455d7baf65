import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import test from "node:test";
import { verdict } from "./verdict.js";

/** @typedef {Parameters<typeof verdict>[0]} State */

/** @param {number} missed @param {string} [reason] */
const record = (missed, reason = "listed") =>
  /** @type {State["record"]} */ (
    /** @type {unknown} */ ({ total: { missed }, hosts: { "ads.example": { missed, reason } } })
  );

/** Everything that can be wrong, first as it should be. @type {Record<string, unknown[]>} */
const CHOICES = {
  restricted: [false, true],
  listed: [true, false],
  list: [{}, null],
  holds: [true, false],
  stale: [false, true],
  record: [record(0), record(2), record(1, "leak")],
  access: [false, true],
  settings: ["", "unreadable"],
  engine: ["", "broken"],
  listProblem: ["", "damaged"],
  rules: ["", "pending", "unsupported", "failed", "lost"],
  prediction: [false, true],
};

/** What says nothing against protection, whatever it is. */
const NEUTRAL = ["listed", "holds"];

/** @returns {Generator<{state: State, wrong: string[]}>} */
function* combinations() {
  const keys = Object.keys(CHOICES);
  const total = keys.reduce((product, key) => product * (CHOICES[key]?.length ?? 1), 1);
  for (let number = 0; number < total; number++) {
    /** @type {Record<string, any>} */
    const picked = {};
    /** @type {string[]} */
    const wrong = [];
    let rest = number;
    for (const key of keys) {
      const choices = CHOICES[key] ?? [];
      const at = rest % choices.length;
      rest = Math.floor(rest / choices.length);
      picked[key] = choices[at];
      if (at > 0 && !NEUTRAL.includes(key)) wrong.push(key);
    }
    const { access, settings, engine, listProblem, rules, prediction, ...state } = picked;
    const problems = { access, settings, engine, list: listProblem, rules, rulesDetail: "", unsaid: 0, prediction };
    yield { state: /** @type {State} */ (/** @type {unknown} */ ({ ...state, problems })), wrong };
  }
}

test("it says protected only when nothing speaks against, and then it does", () => {
  let count = 0;
  for (const { state, wrong } of combinations()) {
    for (const mode of /** @type {const} */ (["protect", "strict", "watch", "off", "unknown", null])) {
      const { key, tone } = verdict({ ...state, mode });
      const isGood = (mode === "protect" || mode === "strict") && wrong.length === 0;
      const saysSo = tone === "good" || key === "Protected" || key === "Strict";
      if (saysSo !== isGood) assert.fail(`${mode}, wrong: ${wrong.join(" ")}: ${key}, ${tone}`);
      count++;
    }
  }
  assert.ok(count > 50_000, `${count} combinations`);
});

test("what is broken on a page that should be protected is never calm, and says what mends it", () => {
  for (const { state, wrong } of combinations()) {
    const { tone, mend } = verdict({ ...state, mode: "protect" });
    if (wrong.length > 0 && !state.restricted) assert.ok(tone === "bad" || tone === "care", wrong.join(" "));
    for (const [problem, button] of /** @type {const} */ ([["access", "access"], ["settings", "settings"], ["engine", "engine"], ["prediction", "prediction"], ["stale", "reload"]])) {
      if (wrong.length === 1 && wrong[0] === problem) assert.equal(mend, button);
    }
    if (wrong.length === 1 && (wrong[0] === "list" || wrong[0] === "listProblem")) assert.equal(mend, "list");
    if (wrong.length === 1 && (state.problems.rules === "failed" || state.problems.rules === "lost")) assert.equal(mend, "rules");
  }
});

test("every verdict has its two sentences, every button its word", async () => {
  const source = await readFile(new URL("verdict.js", import.meta.url), "utf8");
  const keys = new Set([...source.matchAll(/(?<=(?:plain|care|bad)\([^)]*|key:[^}]*)"([A-Z]\w+)"/g)].map(([, key]) => key ?? ""));
  assert.ok(keys.size > 18, [...keys].join(" "));
  const mends = [.../@typedef \{(.*)\} Mend/.exec(source)?.[1]?.matchAll(/"(\w+)"/g) ?? []].map(([, mend]) => mend ?? "");
  for (const language of await readdir(new URL("../_locales/", import.meta.url))) {
    const messages = JSON.parse(await readFile(new URL(`../_locales/${language}/messages.json`, import.meta.url), "utf8"));
    for (const key of keys) for (const head of ["verdict", "detail"]) assert.ok(messages[head + key], `${language}: ${head}${key}`);
    for (const mend of mends) assert.ok(messages[`mend_${mend}`], `${language}: mend_${mend}`);
  }
});
