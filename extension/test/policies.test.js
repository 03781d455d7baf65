/** What an administrator decides by the browser's policies: it is applied, said to be so, and refused to be changed. */

import assert from "node:assert/strict";
import { readFile, realpath } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { openBackground } from "./background.js";
import { extensionId } from "./drive/chromium.js";
import { until } from "./drive/driver.js";
import { startHost } from "./drive/host.js";
import { chromiumPolicies, firefoxPolicies, mayWriteChromium } from "./drive/policies.js";
import { installed } from "./popup.js";
import { BROWSERS, createWorld } from "./world.js";

/** @type {import("./world.js").World} */
let world;
before(async () => {
  world = await createWorld();
});
after(() => world.close());

for (const name of BROWSERS) {
  describe(name, async () => {
    const skip = name === "chromium" && !(await mayWriteChromium()) ? "only an administrator may write Chromium's policies" : false;
    /** @type {(() => Promise<unknown>)[]} */
    const ends = [];
    after(async () => {
      for (const end of ends.splice(0).reverse()) await end();
    });

    it("values are applied, shown and refused to be changed", { skip }, async () => {
      const stranger = await startHost("stranger.localhost", (_, response) => response.end());
      ends.push(stranger.close);
      const news = await startHost("news.localhost", (_, response) => {
        response.setHeader("Content-Type", "text/html");
        response.end(`<!doctype html><title>News</title><img src="/own.gif"><img src="${stranger.origin}/plain.gif">`);
      });
      ends.push(news.close);

      // A stock build, which knows nobody: whom it talks to is the administrator's affair.
      const { trust } = JSON.parse(await readFile(path.join(await world.extension(name), "defaults.json"), "utf8"));
      const extension = await world.extension(name, null);
      const values = {
        scope: "all",
        mode: "strict",
        sites: { "portal.clinic.example": "watch" },
        listServer: world.demo.lists,
        trust,
        relays: [world.relay],
        skipWelcome: true,
        locked: ["rules", "backup"],
        // Chromium holds policies to the schema, and leaves out what does not fit.
        keep: "year",
      };
      const firefox = name === "firefox" ? await firefoxPolicies("paravent@paravent.example") : null;
      const policies = firefox ?? (await chromiumPolicies(await extensionId(await realpath(extension))));
      ends.push(policies.remove);
      await policies.set(values);
      const browser = await world.launch(name, { extension, ...(firefox ? { program: firefox.program } : {}) });
      await installed(browser);
      const background = await openBackground(browser);
      const settings = await background.settings();
      assert.equal(settings.managed, true);
      assert.deepEqual(settings.locked, ["backup", "lists", "modes", "relay", "rules", "scope", "welcome"]);
      assert.deepEqual(settings.managedProblems.map(({ field }) => field), name === "firefox" ? ["keep"] : []);
      assert.equal(settings.scope, "all");
      assert.deepEqual(settings.lists, { server: world.demo.lists, trust, own: true });
      assert.deepEqual(settings.relays, [{ name: world.relay.name, url: world.relay.url, isOwn: true }]);
      const clinic = settings.sites.find(({ domain }) => domain === "portal.clinic.example");
      assert.deepEqual([clinic?.mode, clinic?.locked], ["watch", true]);
      assert.ok(settings.sites.every(({ domain, mode }) => mode === "strict" || domain === "portal.clinic.example"));

      for (const message of [
        { type: "scope", scope: "sites" },
        { type: "mode", site: "news.localhost", mode: "off" },
        { type: "mode", site: "clinic.example", mode: "off" },
        { type: "allow", site: "news.localhost", host: "stranger.localhost", allow: true },
        { type: "ownRelay", relay: null },
        { type: "rules", text: "@@||stranger.localhost^" },
        { type: "backup" },
        { type: "restore", text: "{}" },
      ]) {
        await assert.rejects(background.ask(message), /set by an administrator/, message.type);
      }
      assert.deepEqual(await background.settings(), settings);

      // Strict, on a page of no site.
      await browser.tab().open(`${news.origin}/`);
      await until(() => news.asked.some((line) => line.includes("/own.gif")), { what: "the page's own image" });
      await world.demo.settled();
      assert.deepEqual(stranger.asked, []);

      const { error } = await background.ask({ type: "update" });
      assert.equal(error, null, JSON.stringify(error));
      assert.ok((await background.ask({ type: "lists" })).list.release, "no release was taken from the administrator's server");

      if (firefox) return; // reads its policies when it starts
      await policies.set({ scope: "sites", sites: { "news.localhost.example": "off" } });
      await until(async () => (await background.settings()).scope === "sites", { what: "the changed policies" });
      const changed = await background.settings();
      assert.deepEqual(changed.locked, ["scope"]);
      assert.deepEqual(changed.lists, { server: "", trust: "", own: false });
      await background.ask({ type: "mode", site: "news.localhost", mode: "watch" });
      await policies.remove();
      await until(async () => !(await background.settings()).managed, { what: "the policies to be gone" });
      await background.ask({ type: "scope", scope: "all" });
      assert.equal((await background.settings()).scope, "all");
    });
  });
}
