import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";

/** What the browser keeps for as long as it runs. @type {Map<string, string>} */
const session = new Map();
/** How many bytes were written. */
let written = 0;

Object.assign(globalThis, {
  chrome: {
    runtime: { getURL: () => "chrome-extension://own/" },
    storage: {
      session: {
        get: async (/** @type {string | string[]} */ keys) => {
          const found = [keys].flat().filter((key) => session.has(key));
          return Object.fromEntries(found.map((key) => [key, JSON.parse(session.get(key) ?? "")]));
        },
        set: async (/** @type {Record<string, unknown>} */ entries) => {
          for (const [key, value] of Object.entries(entries)) {
            const text = JSON.stringify(value);
            written += text.length;
            session.set(key, text);
          }
        },
        remove: async (/** @type {string[]} */ keys) => {
          for (const key of keys) session.delete(key);
        },
      },
    },
  },
});

/** @typedef {typeof import("./visits.js")} Visits */

let wakes = 0;
/** @returns {Promise<Visits>} the module as a new background has it, which knows nothing but what storage holds */
async function wake() {
  const visits = /** @type {Visits} */ (await import(`./visits.js?${++wakes}`));
  await visits.readVisits();
  return visits;
}

const PAGE = "https://www.booking.example/oncologist/paris?insurance=private";
const start = { url: PAGE, domain: "booking.example", mode: "protect", allow: [] };

/** @type {(url: string, more?: Partial<import("./visits.js").Seen>) => import("./visits.js").Seen} */
const seen = (url, more) => ({
  url, type: "image", method: "GET", page: PAGE, time: Date.now(), outcome: "block", reason: "listed", rule: "||tracker.example^",
  told: [], body: undefined, referer: "", ...more,
});

/** A number that looks like one and is the same in every run. @param {number} i */
const id = (i) => Math.imul(i + 1, 0x9e3779b1).toString(36).replace("-", "z");

/** @returns {number} bytes in storage */
const stored = () => [...session].reduce((sum, [key, text]) => sum + key.length + Buffer.byteLength(text), 0);

beforeEach(() => {
  session.clear();
  written = 0;
});

describe("a visit", () => {
  it("is what a tab did, page after page", async () => {
    const visits = await wake();
    visits.expectDocument(1, { url: PAGE, method: "GET", timeStamp: 1000 });
    visits.noteCarriers(1, [{ name: "Cloudflare", country: "US", evidence: "cf-ray" }]);
    visits.beginPage(1, start);
    visits.noteRequest(1, seen("https://tracker.example/1", { time: 1010.4 }));
    visits.movePage(1, { ...start, url: `${PAGE}&motive=pain` });
    visits.noteRequest(1, seen("https://tracker.example/2", { time: 1020, page: `${PAGE}&motive=pain` }));
    visits.noteRequest(1, seen("https://tracker.example/3", { time: 1030, page: `${PAGE}#top` }));
    visits.noteRequest(2, seen("https://tracker.example/4"));
    const part = await visits.visitOf(1, 0);
    assert.deepEqual(part?.requests.map(({ page, at, url, type }) => [page, at, url, type]), [
      [0, 0, PAGE, "main_frame"],
      [0, 10, "https://tracker.example/1", "image"],
      [1, 20, "https://tracker.example/2", "image"],
      [0, 30, "https://tracker.example/3", "image"],
    ]);
    assert.deepEqual(part?.visit.carriers.map(({ name }) => name), ["Cloudflare"]);
    assert.equal(part?.visit.started, 1000);
    assert.deepEqual((await visits.visitOf(1, 2))?.requests, part?.requests.slice(2));
    assert.equal(await visits.visitOf(2, 0), null);
    assert.deepEqual(visits.allVisits(), [{ tabId: 1, domain: "booking.example", started: 1000, requests: 4 }]);
  });

  it("ends when the tab goes elsewhere or is closed, and leaves nothing", async () => {
    const visits = await wake();
    for (const end of [
      () => visits.beginPage(1, { ...start, url: "https://news.example/", domain: "", mode: "off" }),
      () => visits.endVisit(1),
      () => visits.forgetVisits(),
    ]) {
      visits.beginPage(1, start);
      for (let i = 0; i < 250; i++) visits.noteRequest(1, seen(`https://tracker.example/${i}`));
      await visits.written();
      assert.equal(session.size, 4, "the visit, two packs and who has one");
      end();
      assert.equal(await visits.visitOf(1, 0), null);
      await visits.written();
      assert.deepEqual([...session], [["visited", "[]"]]);
    }
  });

  it("goes on when the background was stopped in between", async () => {
    let visits = await wake();
    visits.beginPage(1, start);
    for (let i = 0; i < 250; i++) visits.noteRequest(1, seen(`https://tracker.example/${i}`));
    await visits.written();
    const before = await visits.visitOf(1, 0);

    visits = /** @type {Visits} */ (await import(`./visits.js?${++wakes}`));
    // The browser tells this to a background that has read nothing yet.
    visits.beginPage(1, { ...start, url: "https://www.booking.example/doctor/martin" });
    await visits.readVisits();
    visits.noteRequest(1, seen("https://tracker.example/last", { page: "https://www.booking.example/doctor/martin" }));
    const after = await visits.visitOf(1, 0);
    assert.equal(after?.visit.started, before?.visit.started);
    assert.deepEqual(after?.requests.slice(0, 250), before?.requests);
    assert.deepEqual([after?.total, after?.requests.at(-1)?.page, after?.visit.pages.length], [251, 1, 2]);
  });

  it("is closed with its tab while the background is stopped", async () => {
    let visits = await wake();
    visits.beginPage(1, start);
    await visits.written();
    visits = /** @type {Visits} */ (await import(`./visits.js?${++wakes}`));
    visits.endVisit(1);
    await visits.readVisits();
    await visits.written();
    assert.deepEqual([visits.allVisits(), [...session.keys()]], [[], ["visited"]]);
  });
});

describe("of 5,000 requests", () => {
  it("a visit takes less than a megabyte, and is written once", async () => {
    const visits = await wake();
    visits.beginPage(1, start);
    const told = [{ what: "address", place: "url", encoding: "percent", field: "dl", text: "www.booking.example/oncologist/paris?insurance=private" }];
    for (let i = 0; i < 5000; i++) {
      const url = `https://${id(i % 40)}.tracker.example/g/collect?v=2&cid=${id(i)}.${id(i * 7)}&sid=${id(i * 3)}&dl=${encodeURIComponent(PAGE)}&ul=fr-fr&sr=1280x900&_et=${i}`;
      visits.noteRequest(1, seen(url, { told: i % 3 === 0 ? told : [] }));
      // As pages do it, and not all at once.
      if (i % 500 === 499) await visits.written();
    }
    await visits.written();
    const part = await visits.visitOf(1, 0);
    assert.deepEqual([part?.total, part?.requests.length, part?.visit.dropped], [5000, 5000, 0]);
    assert.ok(stored() <= 1_000_000, `${stored()} bytes`);
    assert.ok(written < 2 * stored(), `${written} bytes were written for ${stored()}`);
    // What a wake reads, and the popup.
    assert.ok((session.get("visit:1")?.length ?? Infinity) < 100_000);
  });

  it("it takes no more when its addresses and bodies are as long as they can be", async () => {
    const visits = await wake();
    visits.beginPage(1, start);
    const told = [{ what: "address", place: "body", encoding: "plain", field: "", text: PAGE }];
    for (let i = 0; i < 5000; i++) {
      let noise = "";
      for (let n = 0; noise.length < 4000; n++) noise += id(i * 1000 + n);
      visits.noteRequest(1, seen(`https://tracker.example/${noise}`, { told, body: PAGE + noise.repeat(20) }));
      visits.movePage(1, { ...start, url: `${PAGE}&${noise}` });
    }
    await visits.written();
    const part = await visits.visitOf(1, 0);
    assert.ok(stored() <= 1_000_000, `${stored()} bytes`);
    assert.ok(part && part.visit.dropped > 0);
    assert.equal(part.total + part.visit.dropped, 5000);
    assert.ok(part.requests.every(({ url, body }) => url.length <= 2048 && body.length <= 22_000));
    assert.ok(part.requests.reduce((sum, { body }) => sum + body.length, 0) <= 300_000);
  });
});
