/**
 * The demo as a trainer serves it to a room of laptops: browsers that follow
 * its proxy auto-configuration reach it under names of its own, with the
 * package that everybody gets, and each has a record of its own.
 */

import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "node:test";
import { runInNewContext } from "node:vm";
import { openBackground } from "./background.js";
import { ROOT, assemble, startRoom } from "./drive/demo.js";
import { until } from "./drive/driver.js";
import { installed } from "./popup.js";
import { visit } from "./walk.js";
import { BROWSERS, DRIVERS } from "./world.js";

/** @typedef {import("./drive/demo.js").Board} Board */

const PAGE = "http://booking.test/oncologist/paris?insurance=private";

/** @type {import("./drive/demo.js").Room} */
let room;
/** @type {string} */
let dir;
before(async () => {
  room = await startRoom(path.join(ROOT, "dist"));
  dir = await mkdtemp(path.join(tmpdir(), "paravent-room-"));
});
after(async () => {
  await room.close();
  await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
});

/**
 * What a board shows to a participant whose browser is none of those here.
 * @returns {Promise<Board>}
 */
function boardOfAnother() {
  const { hostname, port } = new URL(room.start);
  return new Promise((done, failed) => {
    const asking = request({ hostname, port, path: "http://board.test/api/record?lang=en", headers: { host: "board.test" } }, async (answer) => {
      let text = "";
      for await (const part of answer.setEncoding("utf8")) text += part;
      done(JSON.parse(text));
    });
    asking.on("error", failed).end();
  });
}

it("sends the demo's names to the room, and nothing else", async () => {
  const answer = await fetch(room.pac);
  assert.equal(answer.headers.get("content-type"), "application/x-ns-proxy-autoconfig");
  const text = await answer.text();
  const proxy = `PROXY ${new URL(room.pac).host}`;
  for (const [url, host, wanted] of /** @type {const} */ ([
    ["http://booking.test/", "booking.test", proxy],
    ["http://BOOKING.test/", "BOOKING.test", proxy],
    ["https://booking.test/", "booking.test", proxy],
    ["http://metrics.booking.test/t.js", "metrics.booking.test", proxy],
    ["http://board.test/", "board.test", proxy],
    ["http://photos.test/x.jpg", "photos.test", proxy],
    ["http://lists.test/", "lists.test", "DIRECT"],
    ["http://other.booking.test/", "other.booking.test", "DIRECT"],
    ["http://booking.test.example/", "booking.test.example", "DIRECT"],
    ["http://constructor/", "constructor", "DIRECT"],
    ["https://example.com/?booking.test", "example.com", "DIRECT"],
    ["http://127.0.0.1/", "127.0.0.1", "DIRECT"],
  ])) {
    assert.equal(runInNewContext(`${text}\nFindProxyForURL(url, host)`, { url, host }), wanted, url);
  }
});

for (const name of BROWSERS) {
  describe(name, () => {
    it("books in the room: told to everybody in mode watch, to nobody in mode protect, and to no one else's board", async () => {
      const extension = await assemble({ browser: name, out: path.join(dir, name), list: path.join(ROOT, "dist", "lists"), servers: null });
      const browser = await DRIVERS[name].launch({ extension, pac: room.pac });
      try {
        await installed(browser);
        const background = await openBackground(browser);
        const board = await browser.newTab("http://board.test/?lang=en");
        /** @returns {Promise<Board>} */
        const record = () => board.evaluate(async () => (await fetch("/api/record?lang=en")).json());
        const tab = browser.tab();

        await visit(tab, PAGE);
        await tab.waitFor(() => document.querySelector("#consent") !== null, { what: "the question about cookies, which the booking needs" });
        const protectedBoard = await record();
        assert.deepEqual(protectedBoard.recipients.filter(({ requests }) => requests.length > 0).map(({ key }) => key), []);
        assert.ok(protectedBoard.needs.some(({ key, requests }) => key === "consent" && requests.length > 0));

        await background.ask({ type: "mode", site: "booking.test", mode: "watch" });
        await visit(tab, PAGE);
        const known = await until(
          async () => {
            const { recipients } = await record();
            const learnt = recipients.filter((party) => party.learnt.length > 0).map(({ key }) => key);
            return ["photos", "analytics", "metrics", "stream", "ads", "errors", "widgets"].every((key) => learnt.includes(key)) ? recipients : null;
          },
          { what: "the recipients to know" },
        );
        assert.ok(known.find(({ key }) => key === "photos")?.learnt.includes("so looked for an oncologist in Paris"));

        const other = await boardOfAnother();
        assert.deepEqual([...other.recipients, ...other.needs].filter(({ requests, learnt }) => requests.length + learnt.length > 0), []);
        const overview = await (await fetch(`${room.trainer}api/record?lang=en`)).json();
        const seat = overview.seats.find((/** @type {any} */ one) => one.browser === (name === "firefox" ? "Firefox" : "Chromium"));
        assert.ok(seat.recipients.some((/** @type {any} */ one) => one.key === "photos" && one.learnt.length > 0));

        // What tells participants how to take part knows that this browser does.
        const start = await browser.newTab(room.start);
        await start.waitFor(() => /** @type {HTMLElement} */ (document.querySelector("#state")).dataset["state"] === "here", { what: "the start page to find the demo" });
        assert.match(await start.evaluate(() => document.body.innerText), /paravent-chromium\.zip[^]*paravent-firefox\.xpi/);
      } finally {
        await browser.close();
      }
    });
  });
}
