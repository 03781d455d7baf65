/**
 * A rule's whole way, with the programs and browsers of real people: two
 * maintainers sign, a witness looks on, a list server has it, native or as a
 * Worker in workerd, and browsers that run already block the new host. What
 * they fetch for it is a delta; and a server that would like to know them again
 * learns nothing.
 */

import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { appendFile } from "node:fs/promises";
import path from "node:path";
import { after, before, it } from "node:test";
import { until } from "./drive/driver.js";
import { ask, startHost } from "./drive/host.js";
import { installed, openPopup } from "./popup.js";
import { visit } from "./walk.js";
import { BROWSERS, createWorld } from "./world.js";

const KINDS = /** @type {const} */ (["native", "worker"]);

/** More than a release's note, proof and delta ever have. */
const FEW_BYTES = 2500;

/** @typedef {Awaited<ReturnType<typeof startMirror>>} Mirror */

/** @type {import("./world.js").World} */
let world;
/** A host that answers everything, also under names that the list comes to know. @type {import("./drive/host.js").Host} */
let novelty;
/** @type {Record<typeof KINDS[number], {browser: typeof BROWSERS[number], mirror: Mirror, extension: string}[]>} */
const installs = { native: [], worker: [] };

before(async () => {
  world = await createWorld({ worker: true });
  novelty = await startHost("novelty.localhost", (_, response) => response.end());
  // All packages have the list of release 0, whenever they are installed.
  for (const kind of KINDS) {
    for (const browser of BROWSERS) {
      const mirror = await startMirror(kind === "native" ? world.demo.lists : world.worker);
      installs[kind].push({ browser, mirror, extension: await world.extension(browser, { lists: mirror.origin }) });
    }
  }
});
after(async () => {
  await world?.close();
  for (const { mirror } of Object.values(installs).flat()) await mirror.close();
  await novelty?.close();
});

/**
 * A list server under another name, which gives every answer another ETag and
 * keeps what it was told and what it gave.
 *
 * @param {string} origin
 */
async function startMirror(origin) {
  /** @type {{path: string, known: string | undefined, status: number, bytes: number, text: string}[]} */
  const seen = [];
  const host = await startHost("mirror.localhost", async (request, response) => {
    const known = request.headers["if-none-match"];
    const answer = await ask(origin + request.url, known ? { headers: { "If-None-Match": known } } : {});
    const body = Buffer.from(await answer.arrayBuffer());
    // A signed text ends with the line before the first empty one.
    const text = createHash("sha256").update(body.subarray(0, body.indexOf("\n\n") + 1)).digest("hex");
    seen.push({ path: request.url ?? "", known, status: answer.status, bytes: body.length, text });
    response.writeHead(answer.status, { "Content-Type": "application/octet-stream", ETag: `"${randomUUID()}"` });
    response.end(body);
  });
  return { ...host, seen };
}

/** @param {string} host to be listed from now on */
async function publishRule(host) {
  const lines = ["", "! reason: a test listens there", "! source: https://booking.localhost/", "! date: 2026-11-22", `||${host}^`, ""];
  await appendFile(path.join(world.sources, "telemetry.txt"), lines.join("\n"));
  await world.publish();
}

for (const [index, kind] of KINDS.entries()) {
  it(`${kind}: running browsers take the delta and block the new host, and no ETag is echoed`, async () => {
    const host = `${kind}.novelty.localhost`;
    const patients = await Promise.all(
      installs[kind].map(async ({ browser: name, mirror, extension }) => {
        const browser = await world.launch(name, { extension });
        await installed(browser, (state) => state.list?.release?.index === index);
        const tab = browser.tab();
        await visit(tab, `${world.demo.site}/oncologist/paris`);
        const popup = await openPopup(browser, tab);
        /** Whether a request of the page that is open gets through. */
        const reaches = async () => {
          const place = `/?${randomUUID()}`;
          const address = novelty.origin.replace("novelty.localhost", host) + place;
          const loaded = await tab.evaluate((url) => fetch(url, { mode: "no-cors" }).then(() => true, () => false), address);
          assert.equal(loaded, novelty.asked.includes(`GET ${place}`), name);
          return loaded;
        };
        return { name, browser, mirror, popup, reaches };
      }),
    );
    for (const { name, reaches } of patients) assert.ok(await reaches(), name);
    await publishRule(host);
    for (const { name, browser, mirror, popup, reaches } of patients) {
      const list = await until(
        async () => {
          const now = (await popup.state()).list;
          return now?.release?.index === index + 1 ? now : null;
        },
        { what: `the release in ${name}` },
      );
      assert.equal(await reaches(), false, `${name} lets it through`);
      assert.equal(list.release?.signers.length, 2);
      assert.equal(list.release.witnesses.length, 1);

      const deltas = mirror.seen.filter((one) => one.path.startsWith("/v1/delta/"));
      // Release 0 has the packaged list: for it nothing but the note was fetched.
      assert.deepEqual(deltas.map(({ status }) => status), Array(index + 1).fill(200), name);
      assert.deepEqual(mirror.seen.filter((one) => one.path.startsWith("/v1/blob/")), [], `${name} fetched a whole list`);
      const notes = mirror.seen.filter((one) => one.path === "/v1/release" && one.status === 200);
      const bytes = (notes.at(-1)?.bytes ?? 0) + (deltas.at(-1)?.bytes ?? 0);
      assert.ok(bytes < FEW_BYTES, `${name} fetched ${bytes} bytes`);

      // The server's tags were all different. What it was told is what it had signed by others.
      await until(() => mirror.seen.at(-1)?.status === 304, { what: `${name} to have nothing to fetch` });
      const told = new Set(mirror.seen.map(({ known }) => known).filter((known) => known !== undefined));
      assert.deepEqual([...told], notes.map(({ text }) => `"${text}"`));
      await browser.close();
    }
  });
}
