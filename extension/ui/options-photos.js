/** The section about photos: whether they are wanted, through whom they come, and how long they are kept. */

import { answerConsent } from "../background/consent.js";
import { checkRelay } from "../background/relay-checks.js";
import { errorText } from "../background/api.js";
import { act, lock, onSettings } from "./options-page.js";
import { ask, byId, put } from "./page.js";
import { say } from "./words.js";

/** @typedef {import("./options-page.js").Settings} Settings */

const keep = byId("photos-keep");
const own = /** @type {HTMLDetailsElement} */ (byId("relay-own"));
/** @type {readonly (keyof import("../background/relay-checks.js").OwnRelay)[]} */
const FIELDS = ["name", "url", "key"];
/** @type {Record<string, string>} What is wanted in each. */
const WANTED = { name: "settingsRelayNameWanted", url: "settingsRelayUrlWanted", key: "settingsRelayKeyWanted" };

/** What stands in the fields by the background, as JSON: what is typed over it stays. */
let filled = "";

onSettings((settings) => {
  const { relays, consent, locked } = settings;
  renderConsent(relays.length > 0, consent);
  for (const input of keep.querySelectorAll("input")) input.checked = input.value === settings.keep;
  byId("relays-none").hidden = relays.length > 0;
  byId("relays").hidden = relays.length === 0;
  byId("relays").replaceChildren(...relays.flatMap(relayFact));
  renderOwn(settings.ownRelay);
  const isLocked = locked.includes("relay");
  lock("photos", isLocked || locked.includes("keep"), "photos-keep", "relay-fields");
  /** @type {HTMLFieldSetElement} */ (keep).disabled = locked.includes("keep");
  /** @type {HTMLFieldSetElement} */ (byId("relay-fields")).disabled = isLocked;
});

/**
 * @param {boolean} isPossible
 * @param {Settings["consent"]} consent
 */
function renderConsent(isPossible, consent) {
  const status = byId("photos-status");
  const isWanted = isPossible && consent === "granted";
  if (isWanted) status.dataset.tone = "good";
  else delete status.dataset.tone;
  let state = "None";
  if (isPossible) state = { granted: "Granted", refused: "Refused", unasked: "Unasked" }[consent];
  put(byId("photos-verdict"), say(`settingsPhotos${state}`));
  put(byId("photos-detail"), say(`settingsPhotosDetail${state}`));
  byId("photos-yes").hidden = !isPossible || consent === "granted";
  byId("photos-no").hidden = !isPossible || consent === "refused";
}

/** @param {Settings["relays"][number]} relay */
function relayFact({ name, url, isOwn }) {
  const term = document.createElement("dt");
  term.textContent = name;
  const about = document.createElement("dd");
  const address = document.createElement("span");
  address.textContent = url;
  about.append(address);
  if (isOwn) {
    const note = document.createElement("p");
    note.classList.add("small", "quiet");
    note.textContent = say("photosOwn");
    about.append(note);
  }
  return [term, about];
}

/** @param {Settings["ownRelay"]} relay */
function renderOwn(relay) {
  byId("relay-remove").hidden = relay === null;
  const text = JSON.stringify(relay);
  if (text === filled) return;
  filled = text;
  for (const field of FIELDS) inputOf(field).value = relay?.[field] ?? "";
  if (relay) own.open = true;
}

/** @param {string} field */
function inputOf(field) {
  return /** @type {HTMLInputElement} */ (byId(`relay-${field}`));
}

/** @param {string} wrong the field that is, "" for none */
function markWrong(wrong) {
  for (const field of FIELDS) {
    inputOf(field).setAttribute("aria-invalid", String(field === wrong));
    put(byId(`relay-${field}-error`), field === wrong ? say(WANTED[field] ?? "") : "");
  }
  if (wrong) inputOf(wrong).focus();
}

for (const [id, wanted] of /** @type {const} */ ([["photos-yes", true], ["photos-no", false]])) {
  byId(id).addEventListener("click", () => {
    // At once: Firefox asks only from a click.
    const answered = answerConsent(wanted);
    void act(() => answered);
  });
}

keep.addEventListener("change", (event) => {
  const { value } = /** @type {HTMLInputElement} */ (event.target);
  void act(() => ask({ type: "keep", keep: value }), say(value === "day" ? "settingsKeepNowDay" : "settingsKeepNowTab"));
});

byId("relay-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const relay = { name: inputOf("name").value.trim(), url: inputOf("url").value.trim(), key: inputOf("key").value.trim() };
  try {
    checkRelay(relay);
  } catch (error) {
    markWrong(/^(\w+):/.exec(errorText(error))?.[1] ?? "name");
    return;
  }
  markWrong("");
  void act(() => ask({ type: "ownRelay", relay }), say("settingsRelaySaved"));
});

byId("relay-remove").addEventListener("click", () => {
  markWrong("");
  void act(() => ask({ type: "ownRelay", relay: null }), say("settingsRelayRemoved")).then(() => own.querySelector("summary")?.focus());
});
