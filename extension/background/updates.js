/**
 * Polls the list server, and puts a release in force once every part of the
 * extension can work with it. Whatever goes wrong, what is in force stays, the
 * error is remembered in words, and a later poll tries again.
 *
 * What is remembered of a release to verify the next one lies beside its list,
 * and is replaced with it in one transaction. The browser may stop all this at
 * any point: before a poll begins it is written down as one that was stopped,
 * and when the next is due.
 */

import { api, errorText } from "./api.js";
import { stayAwake } from "./awake.js";
import { inTurn } from "./choices.js";
import { defaults } from "./defaults.js";
import { Desk } from "./desk.js";
import { Engine } from "./engine.js";
import { registerContent } from "./injection.js";
import { fetchRelease, Refusal } from "./release.js";
import { writeRules } from "./rules.js";
import { managed } from "./managed.js";
import { combine, keepCombined, ownRules } from "./own-rules.js";
import { CHOICES, Sites } from "./sites.js";
import { bundle, decider, putInForce, ready, state } from "./state.js";
import { isOwn, listInfo, storedInfo, storeList } from "./store.js";

/**
 * @typedef {object} UpdateState
 * @property {number} checked when the server last gave an answer that is right, milliseconds since 1970
 * @property {number} tried when it was last asked
 * @property {number} failures polls since then that came to nothing
 * @property {{code: import("./release.js").Code, detail: string} | null} error of the last poll
 */

const ALARM = "poll";
const MIN_SECONDS = 15 * 60;
const MAX_SECONDS = 24 * 60 * 60;

/** @type {UpdateState} */
const NEVER = { checked: 0, tried: 0, failures: 0, error: null };

/** What the last poll left, if storage would not keep it. @type {UpdateState | null} */
let unkept = null;
/** What the poll before left, while one is under way. @type {UpdateState | null} */
let before = null;

/** @returns {Promise<UpdateState>} how the last poll went */
export async function updateState() {
  if (before || unkept) return /** @type {UpdateState} */ (before ?? unkept);
  const { updates } = await api.storage.local.get("updates");
  return isUpdateState(updates) ? updates : NEVER;
}

/**
 * @param {any} stored what is damaged says nothing: from it no poll could be scheduled
 * @returns {stored is UpdateState}
 */
function isUpdateState(stored) {
  if (typeof stored !== "object" || stored === null) return false;
  const { checked, tried, failures, error } = stored;
  return [checked, tried, failures].every((number) => Number.isFinite(number) && number >= 0) && (error === null || typeof error?.code === "string");
}

/** @param {UpdateState} updates */
async function keep(updates) {
  try {
    await api.storage.local.set({ updates });
    unkept = null;
  } catch {
    unkept = updates;
  }
}

/**
 * How long to wait for the next poll: as long as both sides ask for, within
 * bounds that neither a server nor a mistake can move, and twice as long after
 * each failure. Chance spreads the clients of a server that comes back. A demo's
 * own, shorter wait holds as it is.
 * @param {number} pollSeconds of this build
 * @param {number} minWaitSeconds of the release
 * @param {number} failures in a row
 * @param {number} chance from 0 to 1
 * @returns {number} seconds
 */
export function waitSeconds(pollSeconds, minWaitSeconds, failures, chance) {
  const isDemo = pollSeconds < MIN_SECONDS;
  const usual = isDemo ? pollSeconds : Math.min(Math.max(pollSeconds, minWaitSeconds, MIN_SECONDS), MAX_SECONDS);
  if (failures === 0) return usual * (1 + chance / 10);
  return Math.min(usual * 2 ** failures, MAX_SECONDS) * (1 - chance / 2);
}

/** Makes sure that a poll is due some time; a build without a list server has none. */
export async function schedulePolls() {
  const { listServer } = await defaults();
  if (listServer === "") {
    await api.alarms.clear(ALARM);
    return;
  }
  await ready();
  const alarm = await api.alarms.get(ALARM);
  // A clock that was years ahead, and no longer is, leaves an alarm years ahead.
  const latest = Date.now() + 1.1 * 1000 * MAX_SECONDS;
  if (!alarm || alarm.scheduledTime > latest) await nextPoll((await updateState()).failures);
}

/** @param {number} failures */
async function nextPoll(failures) {
  const { pollSeconds } = await defaults();
  const seconds = waitSeconds(pollSeconds, state.list?.release?.minWaitSeconds ?? 0, failures, Math.random());
  await api.alarms.create(ALARM, { delayInMinutes: seconds / 60 });
}

/** @returns {Promise<number>} when the next poll is due, milliseconds since 1970, 0 for never */
export async function pollDue() {
  return (await api.alarms.get(ALARM))?.scheduledTime ?? 0;
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
  polling ??= stayAwake(pollOnce()).finally(() => {
    polling = undefined;
  });
  return polling;
}

async function pollOnce() {
  const settings = await defaults();
  const last = await updateState().catch(() => NEVER);
  if (settings.listServer === "") return last;
  const now = Date.now();
  // Nobody is to blame while there is no network: that is looked for again soon.
  const failures = last.failures + Number(navigator.onLine !== false);
  /** @type {UpdateState} */
  let updates = { ...last, tried: now, failures, error: { code: "stopped", detail: "" } };
  before = last;
  try {
    await ready();
    await keep(updates);
    await nextPoll(failures);
    await pollServer(settings);
    updates = { checked: now, tried: now, failures: 0, error: null };
  } catch (error) {
    const { code, detail } = error instanceof Refusal ? error : new Refusal("store", errorText(error));
    updates = { ...updates, error: { code, detail } };
  }
  await keep(updates);
  before = null;
  await nextPoll(updates.failures).catch(() => {});
  return updates;
}

/**
 * @param {import("./defaults.js").Defaults} settings
 * @throws {Refusal}
 */
async function pollServer(settings) {
  const { listServer: server, trust } = settings;
  const [client, stored] = await Promise.all([remembered(settings), ownStored(settings)]);
  // Its list may have got lost, and is then taken once more.
  const isInForce = stored !== null && stored.sha256 === state.list?.sha256;
  const taken = await fetchRelease({
    server,
    trust,
    client,
    again: !isInForce,
    noteSha256: isInForce ? stored.release.noteSha256 : "",
    inForce: { list: state.list?.list ?? "", hosts: state.list?.counts.hosts ?? 0, bundle },
    useDesk: Desk.use,
  });
  // What is chosen meanwhile follows, or it would be undone by what was read before.
  if (taken) await inTurn(() => take(taken, server, trust));
}

/**
 * @param {import("./defaults.js").Defaults} settings
 * @returns {Promise<import("./store.js").ListInfo & {release: import("./store.js").Release} | null>}
 */
async function ownStored(settings) {
  const stored = await storedInfo().catch(() => undefined);
  return stored?.release && isOwn(stored.release, settings) ? { ...stored, release: stored.release } : null;
}

/**
 * What is known of the last release that was taken. Browsers that run out of
 * room throw away databases before they touch an extension's settings: so it
 * lies there too, or a server could begin again with a release of long ago.
 * @param {import("./defaults.js").Defaults} settings
 * @returns {Promise<string>} "" when none was taken
 */
export async function remembered(settings) {
  const stored = await ownStored(settings);
  if (stored) return stored.release.client;
  const { client } = await api.storage.local.get("client");
  const copy = /** @type {import("./store.js").Release | undefined} */ (client);
  return copy && isOwn(copy, settings) && typeof copy.client === "string" ? copy.client : "";
}

/**
 * Puts a checked release in force: first everything that can refuse it, then
 * the swap.
 * @param {import("./release.js").Taken} taken
 * @param {string} server
 * @param {string} trust
 */
async function take({ noteSha256, said, about, bundle: bytes }, server, trust) {
  const { index, issued, expires, minWaitSeconds, signers, witnesses, relays, trust: trustNow, client } = said;
  const release = { server, trust, trustNow, client, noteSha256, index, issued, expires, minWaitSeconds, signers, witnesses, relays };
  const info = listInfo(said.bundle.sha256, said.list.sha256, about, release);
  const made = await combine({ sha256: info.sha256, bundle: async () => bytes }, await ownRules()).catch((error) => {
    throw new Refusal("own", errorText(error));
  });
  const deciding = await made.decider.bundle();
  const engine = await Engine.open(deciding).catch((error) => {
    throw new Refusal("engine", errorText(error));
  });
  const [choices, { values }] = await Promise.all([api.storage.local.get(CHOICES), managed()]);
  const scope = new Sites(about.sites.map((site) => site.domain), choices, values).scope();
  /** @type {import("./release.js").Code} */
  let failing = "rules";
  try {
    await writeRules({ list: made.decider.sha256, bundle: made.decider.bundle, scope });
    failing = "store";
    await storeList(info, bytes);
  } catch (error) {
    // The browser's rules must not be those of a list that the next wake will not find.
    if (state.list && state.sites) {
      const old = await decider();
      await writeRules({ list: old.sha256, bundle: old.bundle, scope: state.sites.scope() }).catch(() => {});
    }
    throw new Refusal(failing, errorText(error));
  }
  // What is lost of this is made again at the next wake.
  await keepCombined(made).catch(() => {});
  await putInForce(info, { decider: made.decider, engine });
  // It is in force: what fails from here on is made up for at a later wake.
  await Promise.allSettled([registerContent(scope), api.storage.local.set({ client: release })]);
}
