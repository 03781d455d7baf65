/**
 * The engine's decisions beside those of real Chromium with the rules that are
 * written from the same bundle: every page's site counts as protected, and
 * every request is put to chrome.declarativeNetRequest.testMatchOutcome. The
 * extension's own code tells Chromium of every page, and to stop the like of a
 * leak that got through, as it does when it sees one leave.
 *
 *   node bench/dnr.js --corpus FILE [--bundle FILE] [--json FILE]
 *
 * --corpus  recorded requests, {"url","page","type"} a line, perhaps gzip
 * --bundle  the list; else the built one
 * --json    where all differences go, with the rules on both sides
 *
 * It fails when fewer than 99 of 100 answers are the same.
 */

/* global chrome */
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { hostOf, registrable } from "../background/domains.js";
import { formsOf } from "../background/leaks.js";
import { launch } from "../test/drive/chromium.js";
import { openDesk, openEngine } from "../tools/modules.js";
import { readCorpus } from "./corpus.js";

/** @typedef {import("../test/drive/driver.js").Tab} Tab */
/** @typedef {import("./requests.js").Request} Request */
/** @typedef {chrome.declarativeNetRequest.Rule} Rule */

/**
 * @typedef {object} Difference
 * @property {string} why
 * @property {Request} request
 * @property {Said} engine
 * @property {{action: string, rule: Rule | null}} chromium
 *
 * @typedef {{action: string, reason: string, rule: string}} Said what the engine says
 */

/** So many sites are protected at a time: every rule names all of them. */
const SITES = 60;
/** Below this share of same answers it fails. */
const ENOUGH = 0.99;
const PLACEHOLDER = "/placeholder.svg";
/** What tells Chromium of leaks is in there, with all that it stands on. */
const BACKGROUND = new URL("../background/", import.meta.url);

const { values } = parseArgs({
  options: {
    corpus: { type: "string" },
    bundle: { type: "string", default: fileURLToPath(new URL("../../dist/lists/list.bundle", import.meta.url)) },
    json: { type: "string" },
  },
});
if (!values.corpus) throw new Error("say --corpus FILE: recorded requests, a JSON object a line");
const { requests } = await readCorpus(values.corpus);
const bundle = await readFile(values.bundle);
const engine = await openEngine(bundle);

const scratch = await mkdtemp(path.join(tmpdir(), "paravent-dnr-"));
/** @type {Difference[]} */
const differences = [];
/** @type {Record<string, number>} */
let unsaid = {};
try {
  const browser = await launch({ extension: await emptyExtension(path.join(scratch, "extension")) });
  try {
    const page = await browser.extensionPage("page.html");
    const batches = bySites();
    for (const [i, { sites, asked }] of batches.entries()) {
      process.stderr.write(`\r${i + 1} of ${batches.length} groups of sites`);
      const rules = await tell(page, sites);
      const said = asked.map(decide);
      const outcomes = await match(page, asked, said);
      asked.forEach((request, j) => compare(request, said[j], outcomes[j].map((id) => rules.get(id) ?? null)));
    }
    process.stderr.write("\n");
  } finally {
    await browser.close();
  }
} finally {
  await rm(scratch, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}
print();
if (values.json) await writeFile(values.json, `${JSON.stringify({ requests: requests.length, unsaid, differences }, null, 1)}\n`);
if (differences.length > requests.length * (1 - ENOUGH)) process.exitCode = 1;

/**
 * An extension that may only match rules.
 * @param {string} folder
 */
async function emptyExtension(folder) {
  await mkdir(folder);
  const manifest = {
    manifest_version: 3,
    name: "Rules to be tested",
    version: "1",
    permissions: ["declarativeNetRequest", "declarativeNetRequestFeedback"],
    host_permissions: ["<all_urls>"],
  };
  await writeFile(path.join(folder, "manifest.json"), JSON.stringify(manifest));
  await writeFile(path.join(folder, "page.html"), "<!doctype html><title>Rules to be tested</title>");
  await cp(BACKGROUND, folder, { recursive: true });
  return folder;
}

/**
 * The requests in groups, each with the sites of its pages.
 * @returns {{sites: string[], asked: Request[]}[]}
 */
function bySites() {
  /** @type {Map<string, Request[]>} */
  const of = new Map();
  for (const request of requests) {
    const site = registrable(hostOf(request.page));
    const those = of.get(site);
    if (those) those.push(request);
    else of.set(site, [request]);
  }
  const sites = [...of.keys()];
  return Array.from({ length: Math.ceil(sites.length / SITES) }, (_, i) => {
    const some = sites.slice(i * SITES, (i + 1) * SITES);
    return { sites: some, asked: some.flatMap((site) => of.get(site) ?? []) };
  });
}

/**
 * Tells the browser the rules for some sites.
 * @param {Tab} page
 * @param {string[]} sites
 * @returns {Promise<Map<number, Rule>>} what it was told
 */
async function tell(page, sites) {
  const scope = sites.map((domain) => ({ domain, own: domain, listed: true, mode: /** @type {const} */ ("protect"), allow: [] }));
  const made = (await openDesk()).rules({ everywhere: "off", sites: scope, placeholder: PLACEHOLDER, inline: "data:image/svg+xml," }, bundle);
  unsaid = made.counts.unsaid;
  const refused = await page.evaluate(async (rules) => {
    const dnr = chrome.declarativeNetRequest;
    /** @type {number[]} */
    const ids = [];
    for (const { id, condition } of rules) {
      const { regexFilter: regex, isUrlFilterCaseSensitive: isCaseSensitive = false } = condition;
      if (regex !== undefined && !(await dnr.isRegexSupported({ regex, isCaseSensitive })).isSupported) ids.push(id);
    }
    const old = (await dnr.getDynamicRules()).map(({ id }) => id);
    await dnr.updateDynamicRules({ removeRuleIds: old, addRules: rules.filter(({ id }) => !ids.includes(id)) });
    return ids;
  }, made.large);
  if (refused.length > 0) unsaid["regular expressions that the browser refuses"] = refused.length;
  return new Map(made.large.map((rule) => [rule.id, rule]));
}

/**
 * @param {Request} request
 * @returns {Said}
 */
function decide({ url, page, type }) {
  const { action, reason } = engine.decide(url, page, type, "protect", { leaks: true });
  return { action, reason, rule: engine.explain() };
}

/**
 * @param {Tab} page
 * @param {Request[]} asked
 * @param {Said[]} said
 * @returns {Promise<number[][]>} the ids of the rules that match each; a rule for a leak has the id 0
 */
function match(page, asked, said) {
  const all = asked.map(({ url, page: topUrl, type }, i) => ({
    details: { url, topUrl, type, initiator: new URL(topUrl).origin },
    site: registrable(hostOf(topUrl)),
    leaks: said[i].reason === "leak",
    // The engine's word on what it is asked about a page.
    probes: formsOf(topUrl).map(({ text }) => `https://probe.invalid/?q=${text}`).filter((probe) => decide({ url: probe, page: topUrl, type: "image" }).reason === "leak"),
  }));
  return page.evaluate(async (requests) => {
    const dnr = chrome.declarativeNetRequest;
    await dnr.updateSessionRules({ removeRuleIds: (await dnr.getSessionRules()).map(({ id }) => id) });
    const { guardPage, readLeaks, stopLeak } = await import(`${location.origin}/leaks.js`);
    const { ALL_TABS } = await import(`${location.origin}/private-tabs.js`);
    await readLeaks();
    /** @type {number[][]} */
    const ids = [];
    for (const { details, site, leaks, probes } of requests) {
      await guardPage(site, details.topUrl, (/** @type {string} */ probe) => probes.includes(probe), ALL_TABS);
      const { matchedRules } = await dnr.testMatchOutcome(/** @type {any} */ (details));
      const stopped = matchedRules.some(({ rulesetId }) => rulesetId === dnr.SESSION_RULESET_ID);
      ids.push(stopped ? [0] : matchedRules.map(({ ruleId }) => ruleId));
      if (leaks && !stopped) await stopLeak(site, details.url, "", ALL_TABS);
    }
    return ids;
  }, all);
}

/**
 * @param {Request} request
 * @param {Said} said
 * @param {(Rule | null)[]} rules that Chromium goes by
 */
function compare(request, said, rules) {
  const rule = rules.find((one) => one?.action.type !== "modifyHeaders");
  const action = rule === undefined ? "allow" : actionOf(rule);
  if (action === said.action) return;
  differences.push({ why: reasonOf(request, said, action), request, engine: said, chromium: { action, rule: rule ?? null } });
}

/**
 * @param {Rule | null} rule null: one for a leak
 * @returns {string}
 */
function actionOf(rule) {
  if (rule === null || rule.action.type === "block") return "block";
  return rule.action.type === "redirect" ? "relay" : "allow";
}

/**
 * Why the two differ, where it is known.
 * @param {Request} request
 * @param {Said} said
 * @param {string} action Chromium's
 */
function reasonOf({ url }, said, action) {
  const { pathname, port } = new URL(url);
  if (said.reason === "leak") return "a leak is seen when it leaves: the first of its kind is let through";
  if (said.reason === "unlisted" && action === "block" && url.length <= 2048) return "the like of it has leaked before, or it names the page otherwise";
  if (action === "block" && url.length > 2048) return "rules see 2,048 bytes of an address, Chromium's see all of it";
  if (url.includes("#")) return "Chromium's rules see the fragment of an address";
  if (/%(2[DE]|3\d|[46][1-9A-F]|[57][0-9A]|5F|7E)/i.test(pathname)) return "Chromium's rules see escapes that need not be";
  if (port !== "") return "Chromium's rules for a host and a path hold on the scheme's own port";
  return "not known";
}

function print() {
  const same = requests.length - differences.length;
  console.log(`same answers     ${same} of ${requests.length} (${((100 * same) / requests.length).toFixed(2)} %)`);
  /** @type {Map<string, Difference[]>} */
  const reasons = new Map();
  for (const difference of differences) reasons.set(difference.why, [...(reasons.get(difference.why) ?? []), difference]);
  for (const [why, those] of [...reasons].sort(([, a], [, b]) => b.length - a.length)) {
    console.log(`${String(those.length).padStart(6)}  ${why}`);
    for (const { request, engine: { action, rule }, chromium } of those.slice(0, 3)) {
      const { id = "", condition = null } = chromium.rule ?? {};
      const told = condition && { ...condition, topDomains: undefined, requestDomains: condition.requestDomains?.length };
      console.log(`          ${request.type} ${request.url.slice(0, 100)} on ${request.page.slice(0, 60)}`);
      console.log(`            engine ${action} ${rule}; Chromium ${chromium.action} ${id} ${told ? JSON.stringify(told) : ""}`);
    }
  }
  for (const [why, count] of Object.entries(unsaid)) console.log(`rules left out   ${count}: ${why}`);
}
