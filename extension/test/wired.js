/**
 * What tests stand on that are about hosts with any name: the vectors' list,
 * the extension with it, and the other side of everything it asks for.
 */

import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { openDesk } from "../tools/modules.js";
import { bundleSHA256, list } from "../tools/vectors.js";
import * as chromium from "./drive/chromium.js";
import { assemble } from "./drive/demo.js";
import * as firefox from "./drive/firefox.js";
import { startWire } from "./drive/wire.js";
import { installed } from "./popup.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */

const DRIVERS = { chromium, firefox };

/**
 * @typedef {object} Wired
 * @property {import("./drive/wire.js").Wire} wire
 * @property {Set<string>} domains that the list protects
 * @property {(name: "chromium" | "firefox", prefs?: Record<string, boolean>) => Promise<Browser>} launch
 *   with the extension, ready
 * @property {() => Promise<void>} close
 */

/** @param {Uint8Array} bytes */
const named = (bytes) => ({ size: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") });

/** @returns {Promise<Wired>} */
export async function createWired() {
  const dir = await mkdtemp(path.join(tmpdir(), "paravent-wired-"));
  const wire = await startWire();
  const sha256 = await bundleSHA256();
  const desk = await openDesk();
  const text = await list();
  const bundle = desk.compile(text, sha256);
  const about = desk.describe(bundle);
  await mkdir(path.join(dir, "list"));
  await writeFile(path.join(dir, "list", "list.bundle"), bundle);
  await writeFile(path.join(dir, "list", "about.json"), JSON.stringify({ list: named(text), bundle: named(bundle), ...about }));
  return {
    wire,
    domains: new Set(about.sites.map(({ domain }) => domain)),
    launch: async (name, prefs = {}) => {
      const extension = await assemble({ browser: name, out: path.join(dir, name), list: path.join(dir, "list"), servers: null });
      const browser = await DRIVERS[name].launch({ extension, proxy: wire.address, anyCertificate: true, prefs });
      await installed(browser);
      return browser;
    },
    close: async () => {
      await wire.close();
      await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}
