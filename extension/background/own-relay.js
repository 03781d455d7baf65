/**
 * The relay that a user has named instead of those of the signed release. It
 * stands in no public log: whoever gave it out can know its users by its key,
 * so it is checked here and shown as what it is, the user's own.
 */

import { api } from "./api.js";
import { managed, refuseLocked } from "./managed.js";
import { checkRelay } from "./relay-checks.js";

/** @typedef {import("./relay-checks.js").OwnRelay} OwnRelay */

const KEY = "ownRelay";

/** @returns {Promise<OwnRelay | null>} null when there is none, or an administrator's stand instead */
export async function ownRelay() {
  const [stored, { values }] = await Promise.all([api.storage.local.get(KEY), managed()]);
  if (values.relays) return null;
  try {
    return stored[KEY] ? checkRelay(stored[KEY]) : null;
  } catch {
    // What was stored damaged is no relay; the release's stand.
    return null;
  }
}

/**
 * @param {unknown} relay null: the release's again
 * @returns {Promise<{}>} rejects with the field that is wrong
 */
export async function setOwnRelay(relay) {
  await refuseLocked("relay");
  if (relay === null) await api.storage.local.remove(KEY);
  else await api.storage.local.set({ [KEY]: checkRelay(relay) });
  return {};
}
