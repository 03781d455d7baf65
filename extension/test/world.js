/**
 * What a file of tests stands on: a built list, a signed release of it, the
 * demo with everybody who listens, and the extension that trusts them, all in a
 * temporary folder of its own.
 */

import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import * as chromium from "./drive/chromium.js";
import * as firefox from "./drive/firefox.js";
import { ROOT, assemble, buildList, startDemo, startKeepers, startPhotos, startWorker } from "./drive/demo.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */
/** @typedef {import("./drive/driver.js").LaunchOptions} LaunchOptions */
/** @typedef {import("./drive/demo.js").Demo} Demo */
/** @typedef {"chromium" | "firefox"} Name */

/** @type {readonly Name[]} */
export const BROWSERS = ["chromium", "firefox"];

export const DRIVERS = { chromium, firefox };

/**
 * @typedef {object} World
 * @property {string} dir the temporary folder
 * @property {string} sources a copy of the demo's list sources, to change
 * @property {string} list the built list
 * @property {() => Promise<void>} publish builds the list again and puts it in force
 * @property {Demo} demo
 * @property {string} store folder of its list server
 * @property {import("../background/relay.js").Relay} relay that photos are asked through
 * @property {string} worker origin of a further list server, a Worker, whose log is the same; "" when there is none
 * @property {(browser: Name, servers?: Partial<import("./drive/demo.js").Servers> | null) => Promise<string>} extension
 *   assembles the extension in a folder of its own; servers are the demo's but
 *   for those that are given, null gives it a stock build's, which are none
 * @property {(browser: Name, options?: LaunchOptions) => Promise<Browser>} launch
 *   a browser that is ended with the world, if not before
 * @property {() => Promise<void>} close
 */

/**
 * @param {object} [options]
 * @param {boolean} [options.whole] with the list that patients get, not only
 *   the demo's own few rules
 * @param {boolean} [options.worker] with a second list server, in workerd
 * @returns {Promise<World>}
 */
export async function createWorld({ whole = false, worker = false } = {}) {
  const dir = await mkdtemp(path.join(tmpdir(), "paravent-world-"));
  /** @type {(() => Promise<unknown>)[]} */
  const ends = [() => rm(dir, { recursive: true, force: true })];
  const close = async () => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const at = (/** @type {string} */ name) => path.join(dir, name);
    await cp(path.join(ROOT, "lists", "demo"), at("sources"), { recursive: true });
    const sources = whole ? [path.join(ROOT, "lists"), at("sources")] : [at("sources")];
    const keepers = await startKeepers(at("keepers"));
    ends.push(keepers.close);
    const demo = await startDemo({ store: at("store"), keepers });
    ends.push(demo.close);
    const photos = await startPhotos(at("photos"), at("store"));
    ends.push(photos.close);
    const second = worker ? await startWorker(keepers) : null;
    if (second) ends.push(second.close);
    const lists = second ? [demo.lists, second.lists] : [demo.lists];
    const publish = async () => {
      await buildList(at("list"), sources);
      await keepers.publish({ lists, list: at("list"), sources });
    };
    await publish();
    let count = 0;
    return {
      dir,
      sources: at("sources"),
      list: at("list"),
      publish,
      demo,
      store: at("store"),
      relay: photos.relay,
      worker: second?.lists ?? "",
      extension: (browser, servers = {}) =>
        assemble({
          browser,
          out: at(`${browser}-${++count}`),
          list: at("list"),
          servers: servers && { lists: demo.lists, relays: [photos.relay], trust: keepers.trust, tryOn: demo.site, ...servers },
        }),
      launch: async (name, options) => {
        const browser = await DRIVERS[name].launch(options);
        let open = true;
        void browser.closed.then(() => (open = false));
        ends.push(async () => {
          if (open) await browser.kill();
        });
        return browser;
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
