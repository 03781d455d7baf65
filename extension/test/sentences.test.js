/**
 * What the popup says that each organisation would have learnt, or learnt, held
 * against what that organisation's own server received: of the same page
 * without Paravent for what was stopped, of this very visit for what was not.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { contacted } from "./drive/demo.js";
import { until } from "./drive/driver.js";
import { installed, openPopup } from "./popup.js";
import { visit } from "./walk.js";
import { BROWSERS, createWorld } from "./world.js";

/** @typedef {import("../ui/sentences.js").Claim} Claim */
/** @typedef {import("./drive/demo.js").Board} Board */
/** @typedef {import("./drive/demo.js").Party} Party */

/**
 * What the popup knows and says of one organisation.
 * @typedef {object} Told
 * @property {string} name
 * @property {string[]} hosts
 * @property {Claim[]} claims
 * @property {string[]} sentences
 */

/** @type {import("./world.js").World} */
let world;
before(async () => {
  world = await createWorld();
});
after(() => world.close());

const results = () => `${world.demo.site}/oncologist/paris?insurance=private&motive=breast-lump`;

/**
 * All that a party received, unwrapped, in small letters.
 * @param {Party} party
 */
function received({ requests }) {
  const texts = requests.flatMap(({ url, body = "", headers, decoded = "" }) => [url, body, decoded, headers["referer"] ?? ""]);
  return texts.map((text) => unescaped(unescaped(text)).toLowerCase()).join("\n");
}

/** @param {string} text */
function unescaped(text) {
  return text.replaceAll("+", " ").replaceAll(/(%[0-9a-f]{2})+/gi, (run) => {
    try {
      return decodeURIComponent(run);
    } catch {
      return run;
    }
  });
}

/** What must be so for a claim to be true. @type {Record<Claim["key"], (claim: Claim, party: Party) => boolean>} */
const TRUE_IF = {
  photos: ({ count }, { requests }) => new Set(requests.filter(({ url }) => url.endsWith(".jpg")).map(({ url }) => url)).size >= count,
  address: ({ slots }, party) => slots.every((slot) => received(party).includes(slot.toLowerCase())),
  words: ({ slots }, party) => slots.every((slot) => received(party).includes(slot.toLowerCase())),
  asked: ({ slots }, party) => slots.every((slot) => received(party).includes(slot.toLowerCase())),
  code: () => false, // nobody on the demo digests anything
  script: (_, { requests }) => requests.some(({ type }) => type === "script"),
  presence: ({ slots: [site = ""] }, { requests }) =>
    requests.some(({ headers }) => [headers["referer"], headers["origin"]].some((from) => from && new URL(from).hostname === site)),
};

/**
 * @param {Told[]} told
 * @param {Board} board
 * @returns {string[]} what is said and is not so
 */
function untrue(told, board) {
  const parties = [...board.recipients, ...board.needs];
  return told.flatMap(({ name, hosts, claims, sentences }) => {
    const party = parties.find(({ origin }) => hosts.includes(new URL(origin).hostname));
    if (!party) return [`${name} is nobody of the demo`];
    return claims.flatMap((claim, i) => (TRUE_IF[claim.key](claim, party) ? [] : [`${name}: ${sentences[i]}`]));
  });
}

for (const name of BROWSERS) {
  describe(name, () => {
    /** What everybody receives of the page without Paravent. @type {Board} */
    let without;
    /** @type {import("./world.js").Browser} */
    let browser;

    before(async () => {
      const bare = await world.launch(name);
      await bare.tab().setViewport(1280, 900);
      await world.demo.reset();
      await visit(bare.tab(), results());
      without = await world.demo.settled();
      await bare.close();
      browser = await world.launch(name, { extension: await world.extension(name) });
      await installed(browser);
      await browser.tab().setViewport(1280, 900);
    });
    after(() => browser?.close());

    /**
     * @param {import("./popup.js").Popup} popup
     * @returns {Promise<Told[]>} what its sentences stand on, about everybody that it names
     */
    const told = async (popup) => {
      const state = await popup.state();
      return popup.page.evaluate(
        async (recipients, where) => {
          const own = "/";
          /** @type {typeof import("../ui/sentences.js")} */
          const { claimsOf, learntBy } = await import(`${own}ui/sentences.js`);
          return recipients.map((one) => ({
            name: one.name,
            hosts: one.hosts.map(({ host }) => host),
            claims: claimsOf(one, where),
            sentences: learntBy(one, where),
          }));
        },
        state.recipients,
        { domain: state.record?.domain ?? "", mode: state.record?.mode ?? "" },
      );
    };

    /** What a person reads there. @param {import("./popup.js").Popup} popup */
    const onScreen = (popup) => popup.page.evaluate(() => document.body.innerText);

    it("on a protected page each sentence is true of what was received without Paravent", async () => {
      await world.demo.reset();
      await visit(browser.tab(), results());
      const board = await world.demo.settled();
      assert.deepEqual(contacted(board), []);
      const popup = await openPopup(browser, browser.tab());
      await popup.page.waitFor(() => !document.querySelector("[aria-busy]"));
      const all = await told(popup);
      const stopped = all.filter(({ claims }) => claims.some(({ fate }) => fate !== "Left"));
      assert.deepEqual(untrue(stopped, without), []);
      assert.ok(stopped.every(({ claims }) => claims.every(({ fate }) => fate === "Stopped")), JSON.stringify(stopped));
      assert.deepEqual(untrue(all.filter((one) => !stopped.includes(one)), board), []);
      const keys = new Set(stopped.flatMap(({ claims }) => claims.map(({ key }) => key)));
      for (const key of /** @type {const} */ (["photos", "address", "script", "presence"])) assert.ok(keys.has(key), `nothing is said of ${key}`);

      // Whoever was told something is named, and so what, two clicks from the page.
      const learnt = without.recipients.filter(({ learnt: facts, requests }) => facts.length > 0 && requests.length > 0);
      assert.ok(learnt.length >= 6, JSON.stringify(learnt.map(({ key }) => key)));
      await popup.page.click("#others summary");
      await until(async () => stopped.every(({ sentences: [first = ""] }) => first !== ""), { what: "sentences" });
      const text = await onScreen(popup);
      for (const { name: who, sentences: [first = "?"] } of stopped) {
        assert.ok(text.includes(who) && text.includes(first), `${who}: "${first}" is not in\n${text}`);
      }
      for (const { name: company, origin } of learnt) {
        assert.ok(stopped.some(({ hosts }) => hosts.includes(new URL(origin).hostname)), `${company} is not named`);
      }
      await popup.close();
    });

    it("on a page that is only watched each is true of what was received on this visit", async () => {
      const choosing = await openPopup(browser, browser.tab());
      await choosing.page.waitFor(() => document.querySelector("#modes:not([hidden])") !== null);
      await choosing.page.click("label:has(input[value=watch])");
      // Chromium takes a moment to change its rules, and stops by the old ones until then.
      await until(
        async () => {
          const { mode, problems } = await choosing.state();
          return mode === "watch" && problems.rules === "";
        },
        { what: "mode watch" },
      );
      await choosing.close();
      await world.demo.reset();
      await visit(browser.tab(), results());
      const board = await world.demo.settled();
      const popup = await openPopup(browser, browser.tab());
      await popup.page.waitFor(() => !document.querySelector("[aria-busy]"));
      const all = await told(popup);
      assert.deepEqual(untrue(all, board), []);
      assert.ok(all.every(({ claims }) => claims.every(({ fate }) => fate === "Left")));
      for (const { name: company, origin, requests } of board.recipients) {
        if (requests.length > 0) assert.ok(all.some(({ hosts }) => hosts.includes(new URL(origin).hostname)), `${company} is not named`);
      }
      // Plaza Ads is told the whole story; the popup must not be shy about it.
      const ads = all.find(({ hosts }) => hosts.includes("ads.localhost"));
      assert.ok(ads?.claims.some(({ key, slots }) => key === "address" && slots.some((slot) => slot.includes("/oncologist/paris"))), JSON.stringify(ads));
      await popup.close();
    });
  });
}
