/**
 * A photo host that misbehaves behind the gateway, in all ways on one page:
 * every good photo is there, placeholders stand for the others, the page goes on
 * working, the popup says what is wrong, and the browser meets nobody. And a
 * background that ends in the midst of it.
 */

import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { until } from "./drive/driver.js";
import { startHost } from "./drive/host.js";
import { startPhotoHost, width } from "./drive/photo-host.js";
import { encode } from "./drive/png.js";
import { installed, openPopup, wantPhotos } from "./popup.js";
import { BROWSERS, createWorld } from "./world.js";

/** @typedef {import("node:http").RequestListener} Way */

/** @type {(type: string, body: string | Uint8Array) => Way} */
const sends = (type, body) => (_, response) => response.setHeader("Content-Type", type).end(body);
/** @type {(to: string) => Way} */
const redirects = (to) => (_, response) => response.writeHead(302, { Location: to }).end();

/** A picture of so many pixels by its head, and of none by its size. */
function bomb() {
  const picture = Buffer.from(encode({ width: 1, height: 1, channels: 3, pixels: new Uint8Array(3) }));
  picture.writeUInt32BE(60_000, 16);
  picture.writeUInt32BE(60_000, 20);
  return picture;
}

/** @type {Record<string, Way>} */
const FAULTS = {
  "answers never": () => {},
  "answers 404": (_, response) => response.writeHead(404).end("no such doctor"),
  "answers 500": (_, response) => response.writeHead(500).end(),
  "hangs up": (request) => request.socket.destroy(),
  "sends less than it says": (request, response) => {
    response.writeHead(200, { "Content-Length": "9000" }).write("\x89PNG");
    setTimeout(() => request.socket.destroy(), 50);
  },
  "sends 9 MB": sends("image/png", Buffer.concat([bomb(), Buffer.alloc(9 << 20)])),
  "sends text": sends("text/plain", "this is no picture"),
  "sends a page as JPEG": sends("image/jpeg", "<!doctype html><script>document.title = 'owned'</script>"),
  "sends a script in an SVG": sends("image/svg+xml", `<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300"><script>alert(1)</script></svg>`),
  "sends a decompression bomb": sends("image/png", bomb()),
  "redirects to a cloud's metadata": redirects("http://169.254.169.254/latest/meta-data/"),
  "redirects to this machine": redirects("http://127.0.0.1/clinic/image/upload/w_1/0123456789abcdef0123.jpg"),
  "redirects in circles": (request, response) => response.writeHead(302, { Location: request.url ?? "" }).end(),
};

/** What is large is no fault: it is only padded to more. */
const LARGE = 5 << 20;

/** @type {import("./world.js").World} */
let world;
/** @type {import("./drive/photo-host.js").PhotoHost} */
let host;
/** @type {import("./drive/host.js").Host} */
let site;
let body = "";
before(async () => {
  world = await createWorld();
  host = await startPhotoHost(0);
  site = await startHost("booking.localhost", (_, response) => response.setHeader("Content-Type", "text/html").end(body));
});
after(async () => {
  await site?.close();
  await host?.close();
  await world?.close();
});

for (const [at, name] of BROWSERS.entries()) {
  it(`${name}: whatever a photo host does, its page stays usable`, async () => {
    const first = at * 100;
    const names = Object.keys(FAULTS);
    const good = first + names.length;
    const large = good + 1;
    names.forEach((fault, i) => host.misbehave(first + i, /** @type {Way} */ (FAULTS[fault])));
    host.misbehave(large, sends("image/png", Buffer.concat([host.photo(large), Buffer.alloc(LARGE)])));
    const browser = await world.launch(name, { extension: await world.extension(name) });
    await installed(browser);
    body = `<!doctype html><title>doctors</title><link rel="icon" href="data:,"><img src="${host.url(first + 99)}">`;
    await wantPhotos(browser, `${site.origin}/oncologist/paris`);
    host.clear();
    body = `<!doctype html><title>doctors</title><link rel="icon" href="data:,">
      <button id="book" onclick="document.title = 'booked'">Book</button>
      ${[...names.keys()].map((i) => `<img src="${host.url(first + i)}">`).join("")}<img src="${host.url(good)}"><img src="${host.url(large)}">`;
    const tab = browser.tab();
    await tab.open(`${site.origin}/oncologist/paris`);
    const widths = () => tab.evaluate(() => Array.from(document.images, ({ naturalWidth }) => naturalWidth));
    await until(async () => (await widths()).slice(-2).join() === `${width(good)},${width(large)}`, { what: "the good photos" });
    await tab.click("#book");
    assert.equal(await tab.evaluate(() => document.title), "booked");
    const popup = await openPopup(browser, tab);
    await until(async () => (await popup.state()).record?.photos.failed === names.length, { what: "every fault to be noted" }).catch(async (error) => {
      throw new Error(`${error.message}; it says ${JSON.stringify((await popup.state()).record?.photos)}`);
    });
    assert.match(await popup.text(), /The gateway could not get the photo/);
    await popup.close();
    const seen = await widths();
    assert.deepEqual(Object.fromEntries(names.map((fault, i) => [fault, seen[i]])), Object.fromEntries(names.map((fault) => [fault, 128])));
    assert.equal(await tab.evaluate(() => document.title), "booked");
    assert.equal(host.strangers(), 0);
    await browser.kill();
  });
}

for (const [at, name] of BROWSERS.entries()) {
  it(`${name}: photos that are on their way when the browser stops the background come all the same`, async () => {
    const first = at * 100 + 50;
    const numbers = [first, first + 1, first + 2];
    /** @type {(() => void)[]} */
    const held = [];
    for (const i of numbers) host.misbehave(i, (_, response) => held.push(() => response.setHeader("Content-Type", "image/png").end(host.photo(i))));
    const browser = await world.launch(name, { extension: await world.extension(name) });
    await installed(browser);
    body = `<!doctype html><title>doctors</title><link rel="icon" href="data:,"><img src="${host.url(first + 9)}">`;
    await wantPhotos(browser, `${site.origin}/oncologist/paris`);
    host.clear();
    body = `<!doctype html><title>doctors</title><link rel="icon" href="data:,">${numbers.map((i) => `<img src="${host.url(i)}">`).join("")}`;
    const tab = browser.tab();
    await tab.open(`${site.origin}/oncologist/paris`);
    await until(() => held.length === numbers.length, { what: "the photos to be asked for" });
    const popup = await openPopup(browser, tab);
    await until(async () => (await popup.text()).includes("No photo has come the private way yet."), { what: "the popup to say that none is here" });
    await popup.close();
    await browser.stopBackground();
    for (const answer of held) answer();
    const widths = () => tab.evaluate(() => Array.from(document.images, ({ naturalWidth }) => naturalWidth).join());
    await until(async () => (await widths()) === numbers.map(width).join(), { what: "the photos" });
    assert.equal(host.strangers(), 0);
    await browser.kill();
  });
}
