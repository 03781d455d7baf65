/**
 * Polls the list server, and puts a release in force once every part of the
 * extension can work with it. Whatever goes wrong, what is in force stays, the
 * error is remembered in words, and the next poll tries again.
 */

import { api, errorText } from "./api.js";
import { defaults } from "./defaults.js";
import { Desk } from "./desk.js";
import { Engine } from "./engine.js";
import { registerContent } from "./injection.js";
import { fetchRelease, Refusal } from "./release.js";
import { writeRules } from "./rules.js";
import { CHOICES, Sites } from "./sites.js";
import { bundle, putInForce, ready, state } from "./state.js";
import { listInfo, storeList } from "./store.js";

/**
 * @typedef {object} UpdateState
 * @property {number} index of the newest release ever taken
 * @property {string} noteSha256 of its note's signed text
 * @property {number} minWaitSeconds that it asks for
 * @property {number} checked when the server last answered, milliseconds since 1970
 * @property {number} tried when it was last asked
 * @property {{code: string, detail: string} | null} error of the last poll
 */

const ALARM = "poll";
const MIN_SECONDS = 15 * 60;
const MAX_SECONDS = 24 * 60 * 60;

/** @type {UpdateState} */
const NEVER = { index: 0, noteSha256: "", minWaitSeconds: 0, checked: 0, tried: 0, error: null };

/** @returns {Promise<UpdateState>} */
export async function updateState() {
  const { updates } = await api.storage.local.get("updates");
  return { ...NEVER, .../** @type {object} */ (updates ?? {}) };
}

/**
 * How long to wait for the next poll: as long as both sides ask for, within
 * bounds that neither a server nor a mistake can move. A demo's own, shorter
 * wait holds as it is.
 * @param {number} pollSeconds of this build
 * @param {number} minWaitSeconds of the release
 * @returns {number} seconds
 */
export function waitSeconds(pollSeconds, minWaitSeconds) {
  if (pollSeconds < MIN_SECONDS) return pollSeconds;
  return Math.min(Math.max(pollSeconds, minWaitSeconds, MIN_SECONDS), MAX_SECONDS);
}

/** Makes sure that a poll is due some time; a build without a list server has none. */
export async function schedulePolls() {
  const { listServer } = await defaults();
  if (listServer === "") {
    await api.alarms.clear(ALARM);
  } else if (!(await api.alarms.get(ALARM))) {
    await nextPoll();
  }
}

async function nextPoll() {
  const { pollSeconds } = await defaults();
  const { minWaitSeconds } = await updateState();
  // Spread over a tenth, so that a server's clients do not come all at once.
  const seconds = waitSeconds(pollSeconds, minWaitSeconds) * (1 + Math.random() / 10);
  await api.alarms.create(ALARM, { delayInMinutes: seconds / 60 });
}

/** @param {chrome.alarms.Alarm} alarm */
export function onAlarm(alarm) {
  if (alarm.name === ALARM) void poll();
}

/** @type {Promise<UpdateState> | undefined} */
let polling;

/**
 * Asks the list server now; never rejects.
 * @returns {Promise<UpdateState>} how it went
 */
export function poll() {
  polling ??= pollOnce().finally(() => {
    polling = undefined;
  });
  return polling;
}

async function pollOnce() {
  const { listServer, trust } = await defaults();
  let updates = await updateState();
  if (listServer === "") return updates;
  const now = Date.now();
  try {
    await ready();
    const inForce = state.list?.release?.index === updates.index && updates.index > 0;
    const taken = await fetchRelease({
      server: listServer,
      trust,
      // When its list got lost, the newest release may be taken once more.
      noteSha256: inForce ? updates.noteSha256 : "",
      have: inForce ? updates.index : Math.max(updates.index - 1, 0),
      hosts: state.list?.counts.hosts ?? 0,
      useDesk: Desk.use,
    });
    updates = { ...updates, checked: now, tried: now, error: null };
    if (taken) {
      await take(taken, listServer, trust);
      const { index, minWaitSeconds } = taken.note;
      updates = { ...updates, index, minWaitSeconds, noteSha256: taken.noteSha256 };
    }
  } catch (error) {
    const { code, detail } = error instanceof Refusal ? error : new Refusal("store", errorText(error));
    updates = { ...updates, tried: now, error: { code, detail } };
  }
  try {
    await api.storage.local.set({ updates });
  } finally {
    await nextPoll();
  }
  return updates;
}

/**
 * Puts a checked release in force: first everything that can refuse it, then
 * the swap.
 * @param {import("./release.js").Taken} taken
 * @param {string} server
 * @param {string} trust
 */
async function take({ note, about, bundle: bytes }, server, trust) {
  const { index, issued, expires } = note;
  const info = listInfo(note.bundle.sha256, about, { server, trust, index, issued, expires });
  const engine = await Engine.open(bytes).catch((error) => {
    throw new Refusal("engine", errorText(error));
  });
  const choices = await api.storage.local.get(CHOICES);
  const scope = new Sites(about.sites.map((site) => site.domain), choices).scope();
  await writeRules({ list: info.sha256, bundle: async () => bytes, scope }).catch((error) => {
    throw new Refusal("rules", errorText(error));
  });
  try {
    await storeList(info, bytes);
  } catch (error) {
    // The browser's rules must not be those of a list that the next wake will not find.
    const before = state.list;
    if (before && state.sites) {
      await writeRules({ list: before.sha256, bundle, scope: state.sites.scope() }).catch(() => {});
    }
    throw new Refusal("store", errorText(error));
  }
  await putInForce(info, engine);
  await registerContent(scope);
}
