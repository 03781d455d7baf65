/** How it stands with the list in force and with its server: what the options show. */

import { defaults, isDemo } from "./defaults.js";
import { Desk } from "./desk.js";
import { ready, state } from "./state.js";
import { pollDue, remembered, updateState } from "./updates.js";

/** @typedef {Awaited<ReturnType<typeof listsState>>} ListsState */

export async function listsState() {
  const [, settings, updates, due] = await Promise.all([ready(), defaults(), updateState(), pollDue()]);
  const list = state.list;
  return {
    list: list && { sites: list.sites.length, counts: list.counts, release: list.release },
    server: settings.listServer,
    trust: settings.listServer === "" ? null : await trusted(settings),
    updates: { checked: updates.checked, tried: updates.tried, error: updates.error, due },
    problem: state.listError,
    demo: isDemo(settings),
  };
}

/** Whom a trust names, and what it was asked with: the desk is large. @type {{of: string, trust: Promise<import("./desk.js").Trust | null>} | undefined} */
let named;

/** @param {import("./defaults.js").Defaults} settings */
async function trusted(settings) {
  const client = await remembered(settings);
  const of = JSON.stringify([settings.trust, client]);
  // One that cannot be read has an error at every poll.
  if (named?.of !== of) named = { of, trust: Desk.use((desk) => desk.trust(settings.trust, client)).catch(() => null) };
  return named.trust;
}
