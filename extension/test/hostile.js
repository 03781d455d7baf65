/**
 * What the tests of hostile pages stand on: a site that is protected, one that
 * is not, a third party that is framed, each with pages of a test's own, and
 * everything that their servers were sent.
 */

import { startHost } from "./drive/host.js";
import { startPhotoHost } from "./drive/photo-host.js";
import { createWorld } from "./world.js";

/** @typedef {{body: string, type?: string, headers?: Record<string, string>}} Page */

/**
 * @typedef {object} Place a host and its pages
 * @property {string} origin
 * @property {string[]} asked
 * @property {string[]} sent bodies of what was posted to it
 * @property {(body: string, headers?: Record<string, string>) => string} page puts a page there, and gives its address
 * @property {(path: string, page: Page) => string} put the same at a path of its own
 */

/**
 * @typedef {object} Hostile
 * @property {import("./world.js").World} world
 * @property {import("./drive/photo-host.js").PhotoHost} photos
 * @property {Place} site that is protected
 * @property {Place} stranger that is not
 * @property {Place} frame a third party
 * @property {() => Promise<void>} close
 */

/** @returns {Promise<Hostile>} */
export async function createHostile() {
  const world = await createWorld();
  /** @type {(() => Promise<unknown>)[]} */
  const ends = [world.close];
  const close = async () => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  /** @param {string} name */
  const place = async (name) => {
    const made = await startPlace(name);
    ends.push(made.close);
    return made;
  };
  try {
    const photos = await startPhotoHost(0);
    ends.push(photos.close);
    const [site, stranger, frame] = await Promise.all(["booking.localhost", "news.localhost", "frame.localhost"].map(place));
    return { world, photos, site, stranger, frame, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** @param {string} name */
async function startPlace(name) {
  /** @type {Map<string, Page>} */
  const pages = new Map();
  /** @type {string[]} */
  const sent = [];
  const host = await startHost(name, (request, response) => {
    let body = "";
    request.on("data", (data) => (body += data));
    request.on("end", () => {
      if (body) sent.push(body);
      const page = pages.get((request.url ?? "").split("?", 1)[0] ?? "");
      response.setHeader("Access-Control-Allow-Origin", "*");
      response.setHeader("Content-Type", page?.type ?? "text/html");
      for (const [header, value] of Object.entries(page?.headers ?? {})) response.setHeader(header, value);
      response.writeHead(page ? 200 : 404).end(page?.body);
    });
  });
  let count = 0;
  /** @type {Place["put"]} */
  const put = (path, page) => {
    pages.set(path, page);
    return host.origin + path;
  };
  return {
    ...host,
    sent,
    put,
    page: (/** @type {string} */ body, /** @type {Record<string, string>} */ headers = {}) =>
      put(`/oncologist/paris/${++count}`, { body: `<!doctype html><title>doctors</title><link rel="icon" href="data:,"><body>${body}`, headers }),
  };
}
