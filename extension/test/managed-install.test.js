/**
 * An administrator's policies install the signed package in Chromium. There the
 * extension may hold requests: the engine decides each before it leaves, and
 * the browser's own rules lie beneath.
 */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash, generateKeyPairSync } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { signed, updateManifest } from "../tools/crx.js";
import { contacted } from "./drive/demo.js";
import { program, until } from "./drive/driver.js";
import { startHost } from "./drive/host.js";
import { chromiumPolicies, mayWriteChromium } from "./drive/policies.js";
import { installed, openPopup, wantPhotos } from "./popup.js";
import { broken } from "./promises.js";
import { walk } from "./walk.js";
import { createWorld } from "./world.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */
/** @typedef {import("./drive/host.js").Host} Host */

const skip = (await mayWriteChromium()) ? false : "only an administrator may write Chromium's policies";

describe("installed by policy", { skip }, () => {
  /** @type {import("./world.js").World} */
  let world;
  /** @type {Browser} */
  let browser;
  /** Nobody's list names it. @type {Host} */
  let stranger;
  /** @type {(() => Promise<unknown>)[]} */
  const ends = [];
  before(async () => {
    world = await createWorld({ whole: true });
    ends.push(world.close);
    stranger = await startHost("stranger.localhost", (_, response) => {
      response.writeHead(204, { "access-control-allow-origin": "*", "access-control-allow-headers": "*" }).end();
    });
    ends.push(stranger.close);
  });
  after(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  /** A page says its address, in a way that no rule could foresee, then something else. @param {Browser} in_ */
  const leak = async (in_) => {
    const url = `${world.demo.site}/oncologist/paris?motive=second-opinion`;
    await in_.tab().open(url);
    stranger.asked.splice(0);
    const hash = createHash("sha256").update(url).digest("hex");
    await in_.tab().evaluate(
      async (origin, hashed, address) => {
        await fetch(`${origin}/hashed?a=${hashed}`).catch(() => {});
        await fetch(`${origin}/body`, { method: "POST", body: JSON.stringify({ visited: btoa(`${address}#`) }) }).catch(() => {});
        await fetch(`${origin}/nothing`);
      },
      stranger.origin,
      hash,
      url,
    );
    await until(() => stranger.asked.includes("GET /nothing"), { what: "the harmless request" });
    return stranger.asked.map((line) => line.replace(/\?.*/, ""));
  };

  it("from a package that is, byte for byte, what Chromium itself would have signed", async () => {
    const folder = await world.extension("chromium");
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pem = String(privateKey.export({ type: "pkcs8", format: "pem" }));
    const key = path.join(world.dir, "key.pem");
    await writeFile(key, pem);
    await promisify(execFile)(program("CHROMIUM", "chromium"), [
      ...["--headless=new", "--no-sandbox", `--user-data-dir=${path.join(world.dir, "packer")}`],
      ...[`--pack-extension=${folder}`, `--pack-extension-key=${key}`],
    ]);
    const theirs = await readFile(`${folder}.crx`);
    const { crx, id } = signed(theirs.subarray(12 + theirs.readUInt32LE(8)), pem);
    assert.ok(crx.equals(theirs), "the packages differ");

    const manifest = JSON.parse(await readFile(path.join(folder, "manifest.json"), "utf8"));
    const server = await startHost("updates.localhost", (request, response) => {
      const address = `${server.origin}/paravent.crx`;
      response.end(request.url === "/paravent.crx" ? crx : updateManifest({ id, address, crx, manifest }));
    });
    ends.push(server.close);
    const policies = await chromiumPolicies(id);
    ends.push(policies.remove);
    await policies.set({ skipWelcome: true }, {
      ExtensionSettings: { [id]: { installation_mode: "force_installed", update_url: `${server.origin}/update.xml`, override_update_url: true } },
      DeveloperToolsAvailability: 1,
    });
    browser = await world.launch("chromium", { installed: id });
    await installed(browser);
    assert.ok(server.asked.includes("GET /paravent.crx"));
  });

  it("from a store, the first leak that no rule foresaw escapes", async () => {
    const other = await world.launch("chromium", { extension: await world.extension("chromium") });
    await installed(other);
    assert.deepEqual(await leak(other), ["GET /hashed", "POST /body", "GET /nothing"]);
    await other.close();
  });

  it("the engine stops it before it leaves", async () => {
    assert.deepEqual(await leak(browser), ["GET /nothing"]);
    const popup = await openPopup(browser, browser.tab());
    const { holds, record } = await popup.state();
    await popup.close();
    assert.equal(holds, true);
    assert.equal(record?.total.missed, 0);
    assert.ok((record?.total.block ?? 0) >= 2, JSON.stringify(record));
  });

  it("also when its background has been asleep", async () => {
    await browser.tab().open("about:blank");
    await browser.stopBackground();
    assert.deepEqual(await leak(browser), ["GET /nothing"]);
  });

  it("and by its list, a patient books unseen, with photos", async () => {
    await wantPhotos(browser, `${world.demo.site}/oncologist/paris`);
    await browser.tab().open("about:blank");
    await world.demo.settled();
    await world.demo.reset();
    const walked = await walk(browser.tab(), world.demo.site, { base: "" });
    await browser.tab().open("about:blank");
    assert.deepEqual(broken({ protected: true, walked, board: await world.demo.settled() }), []);
  });

  it("says the same of a visit as it does elsewhere", async () => {
    const url = `${world.demo.site}/oncologist/paris?insurance=private`;
    const other = await world.launch("chromium", { extension: await world.extension("chromium") });
    await installed(other);
    await wantPhotos(other, `${world.demo.site}/oncologist/paris`);
    const said = [];
    for (const one of [browser, other]) {
      const tab = one.tab();
      await tab.open("about:blank");
      await tab.open(url);
      await tab.waitFor(() => document.documentElement.dataset["ready"] === "yes", { what: "the results" });
      await world.demo.settled();
      const popup = await openPopup(one, tab);
      const { record } = await popup.state();
      await popup.close();
      // How often a page asks is its own affair.
      const hosts = Object.entries(record?.hosts ?? {}).map(([host, { block, relay, missed, allow }]) => `${host} ${[block, relay, missed, allow].map(Boolean)}`);
      said.push(hosts.sort());
    }
    assert.ok(said[0].length > 5);
    assert.deepEqual(said[0], said[1]);
    assert.deepEqual(contacted(await world.demo.settled()), []);
    await other.close();
  });
});
