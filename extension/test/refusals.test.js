/**
 * The vectors of what a reader takes and refuses, in real browsers: the
 * background of the extension polls a list server that gives each answer, and
 * the list that was in force stays so.
 */

/* global chrome */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { compiled, openDesk } from "../tools/modules.js";
import { releases } from "../tools/releases.js";
import { list as readList } from "../tools/vectors.js";
import * as chromium from "./drive/chromium.js";
import { assemble } from "./drive/demo.js";
import * as firefox from "./drive/firefox.js";
import { startHost } from "./drive/host.js";
import { installed } from "./popup.js";

/** @typedef {import("../background/store.js").ListInfo} ListInfo */
/** @typedef {import("../background/updates.js").UpdateState} UpdateState */
/** @typedef {import("../background/lists-state.js").ListsState} ListsState */

const DRIVERS = { chromium, firefox };

/** Nobody polls but the test. */
const pollSeconds = 24 * 60 * 60;

/** Any trust text will do: the vectors bring theirs with what is remembered. */
const TRUST = "threshold 1\nmaintainer any\nlog any\nquorum none\n";

/** @param {Uint8Array} data */
const digest = (data) => ({ size: data.length, sha256: createHash("sha256").update(data).digest("hex") });

const { answers, changes, wholes } = await releases();
const desk = await openDesk();

/** @type {string} */
let dir;
/** What the list server has. @type {Map<string, Uint8Array>} */
let objects = new Map();
/** @type {import("./drive/host.js").Host} */
let server;
/** What the packaged list is, as the background keeps it. @type {ListInfo} */
let packaged;

before(async () => {
  dir = await mkdtemp(path.join(tmpdir(), "paravent-refusals-"));
  server = await startHost("lists.localhost", (request, response) => {
    const data = objects.get((request.url ?? "").slice(1));
    if (data) response.end(data);
    else response.writeHead(404).end();
  });
  const text = await readList();
  const bundle = compiled(desk, text);
  const about = desk.describe(bundle);
  await mkdir(path.join(dir, "list"));
  await writeFile(path.join(dir, "list", "list.bundle"), bundle);
  await writeFile(path.join(dir, "list", "about.json"), JSON.stringify({ list: digest(text), bundle: digest(bundle), ...about }));
  packaged = { sha256: digest(bundle).sha256, list: digest(text).sha256, ...about, release: null };
});
after(async () => {
  await server?.close();
  await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

for (const name of /** @type {const} */ (["chromium", "firefox"])) {
  describe(name, () => {
    /** @type {import("./drive/driver.js").Browser} */
    let browser;
    /** A page of the extension. @type {import("./drive/driver.js").Tab} */
    let page;
    /** What decides before any of this. */
    let unchanged = "";

    before(async () => {
      const servers = { lists: server.origin, trust: TRUST, pollSeconds };
      const extension = await assemble({ browser: name, out: path.join(dir, name), list: path.join(dir, "list"), servers });
      browser = await DRIVERS[name].launch({ extension });
      await installed(browser);
      page = await browser.extensionPage("ui/options.html");
      unchanged = await inForce();
    });
    after(() => browser?.close());

    /** What the engine, the browser's rules and the next wake go by. */
    const inForce = () =>
      page.evaluate(async () => {
        /** @type {ListsState} */
        const { list, problem } = await chrome.runtime.sendMessage({ type: "lists" });
        const rules = (await chrome.declarativeNetRequest?.getDynamicRules?.()) ?? [];
        return JSON.stringify([list, problem, rules.length, rules.find(({ id }) => id === 2_000_000_000)]);
      });

    /** Lets the background remember this. @param {string} client */
    const remember = (client) => {
      const release = { server: server.origin, trust: TRUST, trustNow: TRUST, client, noteSha256: "", index: 0 };
      return page.evaluate(
        (info) =>
          new Promise((resolve, reject) => {
            const opening = indexedDB.open("paravent", 1);
            opening.onupgradeneeded = () => opening.result.createObjectStore("list");
            opening.onerror = () => reject(opening.error);
            opening.onsuccess = () => {
              const putting = opening.result.transaction("list", "readwrite");
              putting.objectStore("list").put(info, "info");
              putting.oncomplete = () => {
                opening.result.close();
                resolve(null);
              };
            };
          }),
        { ...packaged, release },
      );
    };

    /** @returns {Promise<string>} what the background remembers */
    const remembered = () =>
      page.evaluate(
        () =>
          new Promise((resolve) => {
            const opening = indexedDB.open("paravent", 1);
            opening.onsuccess = () => {
              const getting = opening.result.transaction("list").objectStore("list").get("info");
              getting.onsuccess = () => {
                opening.result.close();
                resolve(getting.result.release.client);
              };
            };
          }),
      );

    for (const { name: what, client, answer, resources, taken, expect, code } of answers) {
      it(`${what}: ${taken ? "is believed" : "is refused"}`, async () => {
        objects = new Map([...resources, ["v1/release", answer]]);
        await remember(client);
        /** @type {UpdateState} */
        const { error } = await page.evaluate(() => chrome.runtime.sendMessage({ type: "update" }));
        if (taken) {
          // Its list is nowhere: all else was right, if that is asked for.
          assert.equal(error?.code, "status", error?.detail);
          assert.match(error.detail, /\/v1\/blob\/[0-9a-f]{64} answered 404$/);
        } else {
          assert.equal(error?.code, code, error?.detail);
          assert.ok(error.detail.includes(expect), error.detail);
        }
        assert.equal(await inForce(), unchanged);
        assert.equal(await remembered(), client);
      });
    }

    for (const { name: what, old, delta, want, expect } of changes) {
      it(`${what}: ${expect === "" ? "is applied" : "is refused"}`, async () => {
        const got = await page.evaluate(
          async (bundle, change, blob) => {
            const own = "/";
            await import(`${own}vendor/wasm_exec.js`);
            const { Desk } = await import(`${own}background/desk.js`);
            try {
              /** @type {Uint8Array} */
              const text = await Desk.use((/** @type {import("../background/desk.js").Desk} */ one) => one.patch(new Uint8Array(bundle), new Uint8Array(change), blob));
              return { text: [...text], error: "" };
            } catch (error) {
              return { text: [], error: String(error) };
            }
          },
          [...compiled(desk, old)],
          [...delta],
          want,
        );
        if (expect === "") assert.deepEqual(digest(Uint8Array.from(got.text)), want, got.error);
        else assert.ok(got.error.includes(expect), got.error);
      });
    }

    for (const { name: what, list, want, bundle, expect } of wholes) {
      it(`${what}: ${expect === "" ? "is taken" : "is refused"}`, async () => {
        objects = new Map([["v1/release", Buffer.from("a note\n")], [`v1/blob/${want.sha256}`, list]]);
        const blob = bundle ?? (expect === "" ? digest(compiled(desk, list)) : digest(list));
        // The extension's own pages may not ask the list server: the background does.
        const error = await browser.extension(
          async (address, text, compiledTo) => {
            const own = "/";
            await import(`${own}vendor/wasm_exec.js`);
            const { Desk } = await import(`${own}background/desk.js`);
            /** @type {typeof import("../background/release.js")} */
            const { fetchRelease } = await import(`${own}background/release.js`);
            const said = {
              index: 1, issued: "", expires: "", minWaitSeconds: 900, signers: [], witnesses: [], relays: [], trust: "", client: "",
              list: text, bundle: compiledTo,
            };
            try {
              await fetchRelease({
                server: address, trust: "", client: "", again: false, noteSha256: "",
                inForce: { list: "", hosts: 0, bundle: () => Promise.reject(new Error("there is none")) },
                useDesk: (job) =>
                  Desk.use((/** @type {import("../background/desk.js").Desk} */ one) =>
                    job({
                      verify: () => ({ taken: said }),
                      text: (...args) => one.text(...args),
                      patch: (...args) => one.patch(...args),
                      compile: (...args) => one.compile(...args),
                      describe: (...args) => one.describe(...args),
                    }),
                  ),
              });
              return "";
            } catch (why) {
              return String(why);
            }
          },
          server.origin,
          want,
          blob,
        );
        const [words = ""] = expect.split("its ").slice(-1);
        if (expect === "") assert.equal(error, "");
        else assert.match(error, words.startsWith("size") ? /size: the list has/ : new RegExp(words));
      });
    }
  });
}
