/**
 * How much longer a page's photos take by relay and gateway than from their
 * host itself: the same page in turns, in a browser without the extension and
 * in one with it, with hosts at several distances. No photo is shown twice, so
 * that nothing is in any cache. Between two pages there is the time that a
 * person takes at the least: what a browser does after a page, or ahead of the
 * next, neither helps nor hinders the other.
 */

import path from "node:path";
import { newGatewayKey, startGateway, startRelay } from "../test/drive/demo.js";
import { sleep } from "../test/drive/driver.js";
import { startHost } from "../test/drive/host.js";
import { startPhotoHost } from "../test/drive/photo-host.js";
import { installed, wantPhotos } from "../test/popup.js";
import { BROWSERS, createWorld } from "../test/world.js";
import { quantile, turns } from "./measure.js";

/** @typedef {import("../test/drive/driver.js").Browser} Browser */

const COUNT = 50;
/** How long the photo host takes for an answer, in milliseconds: on this machine, in this country, further away. */
const DISTANCES = [0, 30, 100];
const WARM = 2;
const ROUNDS = 9;
const PAUSE_MS = 1000;

/**
 * @typedef {object} PhotoFigures milliseconds from the page's own start until all its photos are there
 * @property {string} browser
 * @property {number} distance_ms
 * @property {number} direct_ms the median
 * @property {number} relayed_ms the median
 * @property {number} ratio the median of the rounds' own
 */

/** @returns {Promise<PhotoFigures[]>} */
export async function measurePhotos() {
  const world = await createWorld();
  const dir = path.join(world.dir, "bench");
  const key = await newGatewayKey(dir);
  const gateway = await startGateway(dir, world.store);
  // Nobody looks at so many pages in a minute.
  const relay = await startRelay(gateway.url, 1_000_000);
  const relays = [{ name: "bench", url: relay.url, keys: [key] }];
  const host = await startPhotoHost(0);
  let body = "";
  const site = await startHost("booking.localhost", (_, response) => response.setHeader("Content-Type", "text/html").end(body));
  let next = 0;
  /** The page notes by itself when the last one has come. A placeholder is narrower. */
  const turnPage = () => {
    const urls = Array.from({ length: COUNT }, () => host.url(next++));
    body = `<!doctype html><title></title><link rel="icon" href="data:,"><script>
      let left = ${COUNT};
      document.addEventListener("load", ({ target }) => {
        if (target.naturalWidth >= 200 && !target.done) { target.done = true; left--; }
        if (left === 0) document.title = performance.now();
      }, true);
    </script>${urls.map((url) => `<img src="${url}">`).join("")}`;
  };
  /** @param {Browser} browser */
  const timed = async (browser) => {
    turnPage();
    await sleep(PAUSE_MS);
    const tab = browser.tab();
    await tab.front();
    await tab.open(`${site.origin}/oncologist/paris`);
    await tab.waitFor(() => Number(document.title) > 0, { what: "all photos" });
    return tab.evaluate(() => Number(document.title));
  };
  try {
    /** @type {PhotoFigures[]} */
    const figures = [];
    for (const name of BROWSERS) {
      const direct = await world.launch(name, {});
      const relayed = await world.launch(name, { extension: await world.extension(name, { relays }) });
      const browsers = { direct, relayed };
      await installed(relayed);
      turnPage();
      await wantPhotos(relayed, `${site.origin}/oncologist/paris`);
      for (const distance of DISTANCES) {
        host.stand(distance);
        /** @type {{direct: number, relayed: number}[]} */
        const rounds = [];
        for (let round = 0; round < WARM + ROUNDS; round++) {
          const times = { direct: 0, relayed: 0 };
          for (const way of /** @type {(keyof typeof browsers)[]} */ (turns(["direct", "relayed"], round))) times[way] = await timed(browsers[way]);
          if (round >= WARM) rounds.push(times);
        }
        const median = (/** @type {(times: typeof rounds[0]) => number} */ of) => quantile(rounds.map(of).sort((a, b) => a - b), 0.5);
        figures.push({
          browser: name,
          distance_ms: distance,
          direct_ms: median((times) => times.direct),
          relayed_ms: median((times) => times.relayed),
          ratio: median((times) => times.relayed / times.direct),
        });
      }
      await direct.kill();
      await relayed.kill();
    }
    return figures;
  } finally {
    await site.close();
    await host.close();
    await relay.close();
    await gateway.close();
    await world.close();
  }
}
