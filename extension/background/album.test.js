import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";

/** Who waits for the disk. @type {(() => void)[]} */
const waiting = [];

// A disk that is slow to say that it cannot be read.
const indexedDB = {
  open: () => {
    const opening = { error: new Error("no disk"), onerror: () => {} };
    waiting.push(() => opening.onerror());
    return opening;
  },
};
Object.assign(globalThis, { chrome: { runtime: { getURL: () => "chrome-extension://own/" }, storage: { local: { get: async () => ({}) } } }, indexedDB });
const { obtain, forgetTab } = await import("./album.js");

/** @typedef {import("./relay.js").Photo} Photo */

/** @type {(id: number, incognito?: boolean) => chrome.tabs.Tab} */
const tab = (id, incognito = false) => /** @type {any} */ ({ id, incognito });
const turn = () => new Promise((done) => setImmediate(done));

let count = 0;
let url = "";
/** @type {import("./album.js").Keep} */
let keep = "tab";
/** Addresses that were asked for. @type {string[]} */
let asked = [];
/** @type {(photo: Photo) => void} */
let arrive;
/** @type {(error: Error) => void} */
let fail;
/** @param {string} address @returns {Promise<Photo>} */
const bring = (address) => {
  asked.push(address);
  return new Promise((done, failed) => {
    arrive = done;
    fail = failed;
  });
};
const photo = { type: "image/png", bytes: new Uint8Array([1, 2, 3]) };

beforeEach(() => {
  url = `https://photos.example/${++count}.jpg`;
  asked = [];
  keep = "tab";
});

describe("a photo that two ask for", () => {
  it("is brought once when they ask together", async () => {
    const both = Promise.all([obtain(url, tab(1), keep, bring), obtain(url, tab(1), keep, bring)]);
    await turn();
    arrive(photo);
    assert.deepEqual(await both, [photo, photo]);
    assert.deepEqual(asked, [url]);
  });

  it("is brought once when it arrives while the second still looks for it on disk", async () => {
    const first = obtain(url, tab(1), keep, bring);
    await turn();
    keep = "day";
    const second = obtain(url, tab(1), keep, bring);
    await turn();
    arrive(photo);
    await first;
    for (const go of waiting.splice(0)) go();
    await turn();
    assert.deepEqual(asked, [url]);
    assert.deepEqual(await second, photo);
  });

  it("is brought for each, when one of them is private", async () => {
    const ordinary = obtain(url, tab(1), keep, bring);
    await turn();
    arrive(photo);
    await ordinary;
    void obtain(url, tab(2, true), keep, bring);
    await turn();
    arrive(photo);
    await turn();
    forgetTab(1);
    void obtain(url, tab(3), keep, bring);
    await turn();
    assert.equal(asked.length, 3);
  });

  it("is one address whatever stands behind its #", async () => {
    const both = Promise.all([obtain(url, tab(1), keep, bring), obtain(`${url}#face`, tab(1), keep, bring)]);
    await turn();
    arrive(photo);
    await both;
    assert.equal(asked.length, 1);
  });

  it("is kept until the last of their tabs is closed", async () => {
    const both = Promise.all([obtain(url, tab(1), keep, bring), obtain(url, tab(2), keep, bring)]);
    await turn();
    arrive(photo);
    await both;
    forgetTab(1);
    await obtain(url, tab(3), keep, bring);
    forgetTab(2);
    forgetTab(3);
    assert.equal(asked.length, 1);
    void obtain(url, tab(4), keep, bring);
    await turn();
    assert.equal(asked.length, 2);
  });

  it("is not kept when its tab was closed while it was on its way", async () => {
    const late = obtain(url, tab(8), keep, bring);
    await turn();
    forgetTab(8);
    arrive(photo);
    assert.deepEqual(await late, photo);
    void obtain(url, tab(9), keep, bring);
    await turn();
    assert.equal(asked.length, 2);
  });

  it("is asked for again after it failed, but not at once", async (t) => {
    t.mock.timers.enable({ apis: ["setTimeout"] });
    const first = obtain(url, tab(1), keep, bring);
    await turn();
    fail(new Error("no relay"));
    await assert.rejects(first, /no relay/);
    await assert.rejects(obtain(url, tab(1), keep, bring), /no relay/);
    t.mock.timers.tick(1000);
    const again = obtain(url, tab(1), keep, bring);
    await turn();
    arrive(photo);
    assert.deepEqual(await again, photo);
    assert.equal(asked.length, 2);
  });
});
