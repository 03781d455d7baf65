/**
 * The workshop: a script of steps for a trainer, and a stage on which the room
 * sees who learns what while somebody books a doctor, without Paravent and with
 * it.
 *
 *   workshop.html?tab=ID   the visit of that tab, as it goes on
 *   workshop.html?example  the packaged example: no network, no other window
 *   workshop.html          asks which
 *
 * A step's name behind # begins there, with all that was to be seen by then.
 */

import { errorText } from "../background/api.js";
import { ask, byId, put } from "./page.js";
import { Stage } from "./stage.js";
import { STEPS } from "./steps.js";
import { peopleOf } from "./workshop-people.js";
import { Example, Live } from "./workshop-source.js";
import { country, say, sayAll } from "./words.js";

/** @typedef {import("./workshop-source.js").Shown} Shown */

const REFRESH_MS = 1000;

const MODES = /** @type {const} */ ({ watch: "workshopModeWatch", protect: "workshopModeProtect", off: "workshopModeOff" });

const notes = /** @type {HTMLButtonElement} */ (byId("notes"));
const full = /** @type {HTMLButtonElement} */ (byId("full"));
const back = /** @type {HTMLButtonElement} */ (byId("back"));
const next = /** @type {HTMLButtonElement} */ (byId("next"));

const stage = new Stage();
let at = Math.max(0, STEPS.findIndex(({ name }) => `#${name}` === location.hash));
/** Whether what there is comes at once: who begins in the middle has seen it come. */
let isLate = at > 0;
/** @type {Live | Example | null} */
let source = firstSource();
/** @type {Shown | null} */
let shown = null;
/** Whether the site's mode was changed here, and is to be put back. */
let hasChosen = false;
/** A problem of the last thing that was tried. */
let failure = "";
/** The visits that are offered, as JSON. */
let offered = "";

function firstSource() {
  const asked = new URLSearchParams(location.search);
  if (asked.has("example")) return new Example();
  const tab = asked.get("tab");
  return tab !== null && /^\d+$/.test(tab) ? new Live(Number(tab)) : null;
}

/** @param {number} to */
function go(to) {
  at = Math.min(Math.max(to, 0), STEPS.length - 1);
  isLate = false;
  byId("done").hidden = true;
  history.replaceState(null, "", `#${step().name}`);
  render();
  byId("title").focus();
  scrollTo(0, 0);
  if (source?.isExample && step().mode !== "") void act(() => choose(/** @type {"watch" | "protect"} */ (step().mode)));
}

function step() {
  return /** @type {import("./steps.js").Step} */ (STEPS[at]);
}

function render() {
  const { name, stage: sides, photos, others } = step();
  document.body.dataset["stage"] = sides;
  document.body.dataset["step"] = name;
  if (photos) document.body.dataset["photos"] = "";
  else delete document.body.dataset["photos"];
  put(byId("place"), say("workshopPlace", String(at + 1), String(STEPS.length)));
  put(byId("title"), say(`workshopStep_${name}`));
  put(byId("text"), say(`workshopText_${name}`));
  put(byId("note-text"), say(`workshopNote_${name}`));
  document.title = say("workshopTitle");
  back.disabled = at === 0;
  next.disabled = at === STEPS.length - 1;
  for (const [i, dot] of [...byId("dots").children].entries()) {
    dot.toggleAttribute("data-now", i === at);
    dot.toggleAttribute("data-seen", i <= at);
  }
  renderDeeds();
  byId("stage").hidden = sides === "";
  byId("others").hidden = !others;
  renderShown();
  put(byId("trouble"), failure);
}

function renderDeeds() {
  const { name, mode } = step();
  const isLive = source !== null && !source.isExample && shown !== null;
  byId("listen").hidden = !(isLive && mode === "watch" && shown?.mode !== "watch");
  byId("protect").hidden = !(isLive && mode === "protect" && shown?.mode !== "protect");
  byId("handout").hidden = name !== "Yourself";
  byId("deeds").hidden = [...byId("deeds").children].every((deed) => /** @type {HTMLElement} */ (deed).hidden);
}

function renderShown() {
  const mode = byId("mode");
  const { stage: sides, others } = step();
  if (source?.isExample) {
    put(mode, say("workshopExample"));
    mode.dataset["tone"] = "care";
  } else {
    put(mode, shown ? say(MODES[shown.mode]) : "");
    mode.dataset["tone"] = shown?.mode === "protect" ? "good" : "care";
  }
  byId("choose").hidden = source !== null || (at > 0 && sides === "");
  const cast = shown ? peopleOf(shown.sides, shown.known) : { people: [], needed: [] };
  if (sides !== "" && shown) stage.show(cast.people, shown.domain, sides === "both" ? ["before", "after"] : ["before"], isLate);
  put(byId("waiting"), sides === "" || source === null || !stage.isEmpty ? "" : waitingWords());
  byId("dropped").hidden = !shown?.dropped;
  if (others) {
    named("needed", cast.needed);
    named("carriers", shown?.carriers ?? []);
  }
}

function waitingWords() {
  if (source?.isExample) return say("workshopReading");
  return say(shown?.ended ? "workshopEnded" : "workshopWaiting");
}

/**
 * @param {"needed" | "carriers"} id
 * @param {{name: string, country: string}[]} all
 */
function named(id, all) {
  byId(id).hidden = all.length === 0;
  byId(`${id}-names`).replaceChildren(
    ...all.map(({ name, country: code }) => {
      const item = document.createElement("li");
      item.textContent = name;
      if (code !== "") {
        const where = document.createElement("small");
        where.textContent = country(code);
        item.append(where);
      }
      return item;
    }),
  );
}

/** @param {"watch" | "protect"} mode */
async function choose(mode) {
  if (!source) return;
  await source.choose(mode);
  if (!source.isExample) hasChosen = mode !== "protect";
  shown = await source.read();
}

/** What can be looked at: the visits that go on, and the example. */
async function offer() {
  if (source) return;
  /** @type {{tabId: number, domain: string, started: number}[]} */
  const visits = await ask({ type: "visits" });
  const now = JSON.stringify(visits.map(({ tabId, domain }) => [tabId, domain]));
  if (now === offered) return;
  offered = now;
  byId("choose-none").hidden = visits.length > 0;
  byId("choose-visits").replaceChildren(
    ...visits.map(({ tabId, domain }) => offerButton(say("workshopChooseVisit", domain), "", () => new Live(tabId))),
    offerButton(say("workshopChooseExample"), visits.length > 0 ? "secondary" : "", () => new Example()),
  );
}

/**
 * @param {string} words
 * @param {string} style
 * @param {() => Live | Example} make
 */
function offerButton(words, style, make) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = style;
  button.textContent = words;
  button.addEventListener("click", () => {
    source = make();
    void refresh().then(() => go(at));
  });
  return button;
}

async function refresh() {
  await act(async () => {
    await offer();
    const now = source ? await source.read() : null;
    if (source) shown = now;
  });
}

/** @param {() => Promise<void>} job */
async function act(job) {
  const before = JSON.stringify([failure, offered]);
  const had = shown;
  try {
    await job();
    failure = "";
  } catch (error) {
    failure = errorText(error);
  }
  // Nothing is rewritten, or read aloud, without need.
  if (had !== shown || before !== JSON.stringify([failure, offered])) render();
}

/** For the next participant: nothing of the last one is left, and the site is protected again. */
async function reset() {
  await act(async () => {
    if (hasChosen) await choose("protect");
    hasChosen = false;
    if (source) await source.forget();
    else await ask({ type: "forget" });
    shown = null;
    stage.clear();
  });
  go(0);
  put(byId("done"), say("workshopResetDone"));
}

function toggleNotes() {
  const isOpen = notes.getAttribute("aria-expanded") === "true";
  notes.setAttribute("aria-expanded", String(!isOpen));
  byId("note").hidden = isOpen;
}

async function toggleFull() {
  try {
    if (document.fullscreenElement) await document.exitFullscreen();
    else await document.documentElement.requestFullscreen();
  } catch (error) {
    failure = errorText(error);
    render();
  }
}

/** @type {Record<string, () => void>} */
const KEYS = {
  ArrowRight: () => go(at + 1),
  PageDown: () => go(at + 1),
  " ": () => go(at + 1),
  ArrowLeft: () => go(at - 1),
  PageUp: () => go(at - 1),
  Home: () => go(0),
  n: toggleNotes,
  f: () => void toggleFull(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  const isOnControl = event.target instanceof HTMLElement && event.target.closest("button, a") !== null;
  // What has the focus keeps the keys that press it.
  if (isOnControl && event.key === " ") return;
  const deed = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!deed) return;
  event.preventDefault();
  deed();
});

document.addEventListener("fullscreenchange", () => put(full, say(document.fullscreenElement ? "workshopFullLeave" : "workshopFull")));
notes.addEventListener("click", toggleNotes);
full.addEventListener("click", () => void toggleFull());
back.addEventListener("click", () => go(at - 1));
next.addEventListener("click", () => go(at + 1));
byId("reset").addEventListener("click", () => void reset());
for (const [id, mode] of /** @type {const} */ ([["listen", "watch"], ["protect", "protect"]])) {
  byId(id).addEventListener("click", async () => {
    await act(() => choose(mode));
    // The button is gone, and the focus must not go with it.
    if (byId(id).hidden) byId("title").focus();
  });
}
addEventListener("pagehide", () => source?.end());

sayAll();
byId("dots").append(...STEPS.map(() => document.createElement("li")));
render();
await refresh();
document.querySelector("main")?.removeAttribute("aria-busy");
for (;;) {
  await new Promise((done) => setTimeout(done, REFRESH_MS));
  await refresh();
}
