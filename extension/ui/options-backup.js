/** The section that saves the settings to a file, and puts them back from one, once it is said what that changes. */

import { errorText } from "../background/api.js";
import { act, lock, onSettings, refresh, report } from "./options-page.js";
import { ask, byId, put } from "./page.js";
import { say, sayCount } from "./words.js";

/** @typedef {import("./options-page.js").Settings} Settings */
/** @typedef {import("../background/backup.js").Backup} Backup */

/** Modes by the name of their sentence. @type {Record<string, string>} */
const NAMES = { off: "modeOff", watch: "modeWatch", protect: "modeProtect", strict: "modeStrict" };
/** More changes are counted, not named. */
const MAX_CHANGES = 40;

const file = /** @type {HTMLInputElement} */ (byId("backup-file"));
const preview = byId("backup-preview");

/** @type {Settings | undefined} */
let current;
/** What was chosen to be restored. */
let chosen = "";

onSettings((settings) => {
  current = settings;
  lock("backup", settings.locked.includes("backup"), "backup-save", "backup-fields");
});

byId("backup-save").addEventListener("click", () => {
  void act(async () => {
    const text = await ask({ type: "backup" });
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    link.download = `paravent-${new Date().toISOString().slice(0, 10)}.json`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }, say("settingsBackupSaved"));
});

file.addEventListener("change", async () => {
  hide();
  fail("");
  const [picked] = file.files ?? [];
  if (!picked) return;
  try {
    const text = await picked.text();
    await refresh();
    const settings = current;
    if (!settings) return;
    // It knows the format, and is needed here alone.
    const { readBackup } = await import("../background/backup.js");
    const read = readBackup(text, { isListed: (domain) => settings.sites.some((site) => site.listed && site.domain === domain) });
    chosen = text;
    show(changes(read, settings));
  } catch (error) {
    fail(errorText(error));
  }
});

/** @param {string} problem names the field that is wrong, "" for none */
function fail(problem) {
  put(byId("backup-error"), problem && say("settingsRestoreNot"));
  put(byId("backup-error-detail"), problem);
  file.setAttribute("aria-invalid", String(problem !== ""));
}

/** @param {string[]} lines */
function show(lines) {
  const title = byId("backup-preview-title");
  put(title, lines.length > 0 ? say("settingsChanges") : say("settingsChangesNone"));
  const more = lines.length - MAX_CHANGES;
  const said = more > 0 ? [...lines.slice(0, MAX_CHANGES), sayCount("settingsChangesMore", more)] : lines;
  byId("backup-changes").replaceChildren(
    ...said.map((line) => {
      const item = document.createElement("li");
      item.textContent = line;
      return item;
    }),
  );
  byId("backup-changes").hidden = lines.length === 0;
  byId("backup-restore").hidden = lines.length === 0;
  preview.hidden = false;
  title.focus();
}

/**
 * What would be otherwise after a restore; what an administrator has set stays.
 * @param {Backup} to
 * @param {Settings} from
 * @returns {string[]} a sentence a change
 */
function changes(to, from) {
  const isFree = (/** @type {Settings["locked"][number]} */ name) => !from.locked.includes(name);
  const lines = isFree("modes") ? siteChanges(to, from) : [];
  if (isFree("scope") && to.scope !== from.scope) lines.push(say(to.scope === "all" ? "settingsChangeScopeAll" : "settingsChangeScopeSites"));
  if (isFree("keep") && to.keep !== from.keep) lines.push(say(to.keep === "day" ? "settingsKeepNowDay" : "settingsKeepNowTab"));
  if (isFree("relay") && JSON.stringify(to.ownRelay) !== JSON.stringify(from.ownRelay)) {
    lines.push(to.ownRelay ? say("settingsChangeRelay", to.ownRelay.name, to.ownRelay.url) : say("settingsRelayRemoved"));
  }
  if (isFree("rules") && to.rules !== from.rules.text) {
    lines.push(to.rules === "" ? say("settingsChangeRulesNone") : sayCount("settingsChangeRules", to.rules.trim().split("\n").length));
  }
  return lines;
}

/**
 * @param {Backup} to
 * @param {Settings} from
 */
function siteChanges({ modes, allowed }, { sites }) {
  const lines = [];
  const before = new Map(sites.map((site) => [site.domain, site]));
  for (const domain of [...new Set([...before.keys(), ...Object.keys(modes), ...Object.keys(allowed)])].toSorted()) {
    const site = before.get(domain);
    if (site?.locked) continue;
    const mode = modes[domain] ?? (site?.listed ? "protect" : null);
    const name = say(NAMES[mode ?? ""] ?? "");
    if (!site) lines.push(say("settingsChangeAdded", domain, name));
    else if (mode === null) lines.push(say("settingsChangeRemoved", domain));
    else if (mode !== site.mode) lines.push(say("settingsChangeMode", domain, name, say(NAMES[site.mode] ?? "")));
    const hosts = allowed[domain] ?? [];
    if (mode === null || hosts.join() === (site?.allow ?? []).join()) continue;
    lines.push(hosts.length > 0 ? say("settingsChangeAllowed", domain, hosts.join(", ")) : say("settingsChangeAllowedNone", domain));
  }
  return lines;
}

function hide() {
  preview.hidden = true;
  put(byId("backup-preview-title"), "");
}

function leave() {
  hide();
  file.value = "";
  file.focus();
}

byId("backup-leave").addEventListener("click", leave);

byId("backup-restore").addEventListener("click", async () => {
  try {
    await ask({ type: "restore", text: chosen });
  } catch (error) {
    fail(errorText(error));
    leave();
    return;
  }
  await refresh();
  report(say("settingsRestored"), "");
  leave();
});
