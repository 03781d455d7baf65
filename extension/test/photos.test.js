/**
 * Photos through a relay and a gateway, which are processes of their own, from
 * a photo host that must never meet a patient: what each of the three received
 * is looked through, byte by byte.
 */

/* global chrome */
import assert from "node:assert/strict";
import path from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { openBackground } from "./background.js";
import { newGatewayKey, startGateway, startRelay } from "./drive/demo.js";
import { sleep, until } from "./drive/driver.js";
import { startHost } from "./drive/host.js";
import { startPhotoHost, width } from "./drive/photo-host.js";
import { decode } from "./drive/png.js";
import { startTap } from "./drive/tap.js";
import { installed, openPopup, wantPhotos } from "./popup.js";
import { BROWSERS, createWorld } from "./world.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */
/** @typedef {import("./drive/driver.js").Tab} Tab */

const COUNT = 50;

/** @type {import("./world.js").World} */
let world;
/** @type {import("./drive/photo-host.js").PhotoHost} */
let host;
/** @type {import("./drive/host.js").Host} */
let site;
/** What the site answers, by path. @type {Map<string, {body: string, type?: string, policy?: string}>} */
const pages = new Map();
/** @type {(() => Promise<unknown>)[]} */
const ends = [];

before(async () => {
  world = await createWorld();
  ends.push(world.close);
  host = await startPhotoHost(10);
  ends.push(host.close);
  site = await startHost("booking.localhost", (request, response) => {
    const page = pages.get(request.url ?? "");
    response.setHeader("Content-Type", page?.type ?? "text/html");
    if (page?.policy) response.setHeader("Content-Security-Policy", page.policy);
    response.writeHead(page ? 200 : 404).end(page?.body);
  });
  ends.push(site.close);
});
after(async () => {
  for (const end of ends.reverse()) await end();
});

/**
 * A relay and a gateway of a test's own, each behind a tap.
 * @param {string} name
 */
async function startPair(name) {
  const dir = path.join(world.dir, name);
  const key = await newGatewayKey(dir);
  const gateway = await startGateway(dir, world.store);
  const toGateway = await startTap(gateway.url);
  const relay = await startRelay(`http://127.0.0.1:${toGateway.port}/gateway`);
  const toRelay = await startTap(relay.url);
  const url = `http://relay.localhost:${toRelay.port}/relay`;
  ends.push(gateway.close, toGateway.close, relay.close, toRelay.close);
  return { relay: { name, url, keys: [key] }, gateway, toGateway, toRelay, close: relay.close };
}

/** @typedef {Awaited<ReturnType<typeof startPair>>} Pair */

let count = 0;

/**
 * Puts a page on the site.
 * @param {string} body
 * @param {string} [policy]
 * @returns {string} its address
 */
function page(body, policy) {
  const place = `/oncologist/paris/${++count}`;
  pages.set(place, { body: `<!doctype html><title>doctors</title><link rel="icon" href="data:,">${body}`, policy });
  return site.origin + place;
}

/** @param {number[]} numbers @param {string} [alt] */
const images = (numbers, alt = "Dr. Camille Aubert") =>
  numbers.map((i) => `<img id="p${i}" alt="${alt}" src="${host.url(i)}">`).join("");

/** @param {number} from */
const some = (from, length = COUNT) => Array.from({ length }, (_, i) => from + i);

/** Widths of the page's images. @param {Tab} tab */
const widths = (tab) => tab.evaluate(() => Array.from(document.images, (image) => (image.complete ? image.naturalWidth : 0)));

/** @param {Tab} tab @param {number[]} numbers */
async function allShown(tab, numbers) {
  let seen = "";
  await until(
    async () => {
      const all = await widths(tab);
      seen = all.join(" ");
      return numbers.every((i, at) => all[at] === width(i));
    },
    { every: 20, what: "all photos" },
  ).catch((error) => {
    throw new Error(`${error.message}; the images are so wide: ${seen}`);
  });
}

for (const name of BROWSERS) {
  describe(name, () => {
    const first = name === "chromium" ? 0 : 500;
    /** @type {Pair} */
    let pair;
    /** @type {string} */
    let extension;
    before(async () => {
      pair = await startPair(`pair-${name}`);
      extension = await world.extension(name, { relays: [pair.relay] });
    });
    /** @type {Browser[]} */
    const open = [];
    afterEach(async () => {
      for (const browser of open.splice(0)) await browser.kill();
    });

    /** @param {import("./drive/driver.js").LaunchOptions} [options] */
    const launch = async (options = { extension }) => {
      const browser = await world.launch(name, options);
      open.push(browser);
      if (options.extension && !options.later) await installed(browser);
      return browser;
    };
    const asking = async () => {
      const browser = await launch();
      await wantPhotos(browser, page(images([first + 400])));
      return browser;
    };

    it("before the question is answered, and when it is answered with no, nothing reaches the relay", async () => {
      const browser = await launch();
      host.clear();
      pair.toRelay.clear();
      const tab = browser.tab();
      await tab.open(page(images(some(first, 5))));
      await until(async () => (await tab.evaluate(() => document.images[0]?.src ?? "")).startsWith("blob:"), { what: "initials" });
      const popup = await openPopup(browser, tab);
      await popup.page.waitFor(() => document.querySelector("#photos-no:not([hidden])"));
      assert.match(await popup.text(), /left out until you decide/);
      await popup.page.click("#photos-no");
      await popup.page.waitFor(() => /as you chose/.test(document.body.innerText));
      await popup.close();
      await tab.open(page(images(some(first, 5))));
      await until(async () => String(await widths(tab)) === "128,128,128,128,128", { what: "initials" });
      await sleep(500);
      assert.equal(pair.toRelay.connections(), 0);
      assert.equal(host.asked.length + host.strangers(), 0);
    });

    it("from the moment that the answer is no, nothing more reaches the relay", async () => {
      const browser = await asking();
      const tab = browser.tab();
      const popup = await openPopup(browser, tab);
      await tab.front();
      await tab.open(page(images(some(first + 410, 2))));
      await allShown(tab, some(first + 410, 2));
      await popup.page.front();
      await popup.page.waitFor(() => document.querySelector("#photos-no:not([hidden])"));
      await popup.page.click("#photos-no");
      await until(async () => (await popup.state()).photos.consent === "refused", { every: 10, what: "the answer no" });
      pair.toRelay.clear();
      await popup.close();
      // What was shown before is not shown again either.
      await tab.open(page(images(some(first + 411, 2))));
      await until(async () => String(await widths(tab)) === "128,128", { what: "initials" });
      await sleep(500);
      assert.deepEqual(sealedIn(pair.toRelay.sent()), []);
    });

    it(`${COUNT} photos: all are shown, and neither host, relay nor gateway learns what it must not`, async () => {
      const numbers = some(first);
      const browser = await asking();
      await browser.tab().open("about:blank");
      host.clear();
      pair.toRelay.clear();
      pair.toGateway.clear();
      await browser.tab().open(page(images(numbers)));
      await allShown(browser.tab(), numbers);
      // The photo host met the gateway, once for each photo, and nobody else.
      assert.equal(host.strangers(), 0);
      assert.deepEqual(host.asked.map(({ url }) => /([0-9a-f]{20})\.jpg$/.exec(url)?.[1]).toSorted(), numbers.map(host.id).toSorted());
      for (const { headers } of host.asked) {
        for (const header of ["cookie", "referer", "origin", "accept-language", "forwarded", "x-forwarded-for", "if-none-match", "range"]) {
          assert.ok(!(header in headers), `the photo host got ${header}`);
        }
      }
      // The relay saw nothing of what was asked for, and two sizes at most.
      const { toRelay, toGateway } = pair;
      for (const [who, bytes] of /** @type {const} */ ([
        ["relay", toRelay.sent()],
        ["relay's answers", toRelay.answered()],
        ["gateway", toGateway.sent()],
        ["gateway's answers", toGateway.answered()],
      ])) {
        for (const i of numbers) {
          assert.ok(!bytes.includes(host.id(i)), `${who}: the id of a photo`);
          assert.ok(!bytes.includes(host.photo(i).subarray(100, 132)), `${who}: a piece of a photo`);
        }
        for (const word of ["photos.localhost", "booking.localhost", "oncologist", "clinic/image"]) assert.ok(!bytes.includes(word), `${who}: ${word}`);
      }
      const sizes = sealedIn(toRelay.sent());
      assert.equal(sizes.length, COUNT);
      assert.ok(new Set(sizes).size <= 2);
      for (const request of requestsIn(toRelay.sent())) {
        for (const header of ["cookie", "referer"]) assert.ok(!(header in request), `the relay got ${header}`);
        assert.ok(!/[0-9a-f]{8}-/.test(request["origin"] ?? ""), `the relay got the profile's own ${request["origin"]}`);
      }
      // Whoever asks, the gateway sees the same headers.
      const alike = new Set(requestsIn(toGateway.sent()).map((request) => Object.keys(request).join(" ")));
      assert.deepEqual([...alike], ["host content-length content-type"]);
    });

    it("a second patient who looks at the same page causes no request to the photo host", async () => {
      const numbers = some(first);
      const browser = await asking();
      host.clear();
      await browser.tab().open(page(images(numbers)));
      await allShown(browser.tab(), numbers);
      assert.equal(host.asked.length + host.strangers(), 0);
    });

    it("a photo comes in every way that a page can show it", async () => {
      const browser = await asking();
      const tab = browser.tab();
      await tab.setViewport(1280, 900);
      host.clear();
      const [u] = [(/** @type {number} */ i) => host.url(first + 100 + i)];
      const inner = page(`<img src="${u(0)}">`);
      const address = page(`<body>
        <img data-n="1" srcset="${u(1)} 1x, ${u(1)} 2x">
        <picture><source srcset="${u(2)}" type="image/jpeg"><img data-n="2" src="${u(3)}"></picture>
        <iframe id="frame" src="${inner}"></iframe>
        <iframe id="blank" srcdoc='<img src="${u(4)}">'></iframe>
        <div id="host"></div>
        <div id="closed"></div>
        <svg width="100" height="50"><image id="drawn" width="100" height="50" href="${u(12)}"/></svg>
        <svg width="100" height="50"><image id="older" width="100" height="50" xlink:href="${u(14)}"/></svg>
        <video id="video" poster="${u(13)}"></video>
        <style>#before::before { content: ""; display: block; width: 100px; height: 50px; background: url("${u(15)}"); }</style>
        <div id="before"></div>
        <div id="back" style="width:100px;height:50px;background-image:url('${u(6)}')"></div>
        <p style="height:4000px"></p>
        <img data-n="7" loading="lazy" width="100" height="50" src="${u(7)}">
        <script>
          document.querySelector("#host").attachShadow({ mode: "open" }).innerHTML = '<p><img src="${u(5)}"></p>';
          const closed = document.querySelector("#closed").attachShadow({ mode: "closed" });
          closed.innerHTML = '<img src="${u(11)}">';
          window.widthInside = () => closed.querySelector("img").naturalWidth;
          const detached = new Image();
          detached.dataset.n = 8;
          detached.onload = () => document.body.append(detached);
          detached.src = "${u(8)}";
          const changing = new Image();
          changing.dataset.n = 10;
          changing.src = "${u(9)}";
          document.body.append(changing);
          setTimeout(() => { changing.src = "${u(10)}"; }, 1500);
        </script>`);
      await tab.open(address);
      await tab.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
      const seen = () =>
        tab.evaluate(async () => {
          /** @param {string} url of what an element shows that has no width of its own */
          const widthOf = async (url) => {
            if (!url.startsWith("data:")) return url;
            const image = Object.assign(new Image(), { src: url });
            await image.decode();
            return image.naturalWidth;
          };
          /** @param {string} id */
          const inFrame = (id) => /** @type {HTMLIFrameElement} */ (document.querySelector(id)).contentDocument?.querySelector("img")?.naturalWidth;
          /** @type {Record<string, number | string | undefined>} */
          const all = { 0: inFrame("#frame"), 4: inFrame("#blank") };
          for (const image of document.querySelectorAll("img")) all[image.dataset["n"] ?? ""] = image.naturalWidth;
          all[5] = document.querySelector("#host")?.shadowRoot?.querySelector("img")?.naturalWidth;
          all[11] = /** @type {any} */ (window).widthInside();
          for (const [n, id] of Object.entries({ 12: "drawn", 14: "older" })) {
            all[n] = await widthOf(/** @type {any} */ (document.querySelector(`#${id}`)).href.baseVal);
          }
          all[13] = await widthOf(/** @type {HTMLVideoElement} */ (document.querySelector("#video")).poster);
          all[6] = getComputedStyle(/** @type {Element} */ (document.querySelector("#back"))).backgroundImage.slice(0, 10);
          return all;
        });
      const want = Object.fromEntries([0, 1, 2, 4, 5, 7, 8, 10, 11, 12, 13, 14].map((n) => [n, width(first + 100 + n)]));
      let last = {};
      await until(
        async () => {
          last = await seen();
          return Object.entries({ ...want, 6: 'url("data:' }).every(([n, value]) => /** @type {any} */ (last)[n] === value);
        },
        { what: "every photo" },
      ).catch((error) => assert.deepEqual(last, { ...want, 6: 'url("data:' }, error.message));
      assert.equal(host.strangers(), 0);
    });

    it("a background is the photo, or stays the placeholder where the page's policy forbids that", async () => {
      const browser = await asking();
      const tab = browser.tab();
      host.clear();
      const url = host.url(first + 120);
      const back = `<div id="back" style="width:100px;height:50px;background-image:url('${url}')"></div>${images([first + 121])}`;
      await tab.open(page(back, `img-src ${new URL(url).origin}`));
      await allShown(tab, [first + 121]);
      await sleep(1500);
      const box = await tab.evaluate(() => {
        const { x, y, width, height } = /** @type {Element} */ (document.querySelector("#back")).getBoundingClientRect();
        return { x, y, width, height };
      });
      const { pixels, width: stride, channels } = decode(await tab.screenshot());
      const colours = new Set();
      for (let y = box.y + 5; y < box.y + box.height - 5; y++) {
        for (let x = box.x + 5; x < box.x + box.width - 5; x++) {
          const at = (Math.round(y) * stride + Math.round(x)) * channels;
          colours.add(pixels.subarray(at, at + 3).join());
        }
      }
      // A photo here has a thousand, the placeholder a few, and nothing has one.
      assert.ok(colours.size > 1, "there is nothing");
      assert.equal(host.strangers(), 0);
    });

    it("a page that was open when the extension was installed shows its further photos", async () => {
      const browser = await launch({ extension, later: true });
      const early = await browser.newTab(page(images(some(first + 190, 2))));
      await allShown(early, some(first + 190, 2));
      await browser.install();
      await installed(browser);
      await wantPhotos(browser, page(images([first + 400])));
      host.clear();
      await early.front();
      await early.evaluate((urls) => document.body.append(...urls.map((src) => Object.assign(new Image(), { src }))), some(first + 192, 2).map(host.url));
      await allShown(early, some(first + 190, 4));
      assert.equal(host.strangers(), 0);
      // Those that the page had before may be brought as well, if the consent came first.
      const times = some(first + 192, 2).map((i) => host.asked.filter(({ url }) => host.url(i).endsWith(url)).length);
      assert.deepEqual(times, [1, 1]);
      const sources = await early.evaluate(() => Array.from(document.images, ({ src }) => src.slice(0, 5)));
      assert.deepEqual(sources.slice(2), ["data:", "data:"]);
    });

    it("photos are there when a page comes back from the back/forward cache", async () => {
      const browser = await asking();
      const tab = browser.tab();
      await tab.open(page(images(some(first + 130, 3))));
      await allShown(tab, some(first + 130, 3));
      await tab.open(page("another page"));
      await tab.evaluate(() => history.back());
      await tab.waitFor(() => document.images.length === 3);
      await allShown(tab, some(first + 130, 3));
      await tab.evaluate((url) => document.body.append(Object.assign(new Image(), { src: url })), host.url(first + 133));
      await allShown(tab, some(first + 130, 4));
    });

    it("what the page before asked for at the last moment is not counted as the next one's", async () => {
      const browser = await asking();
      const tab = browser.tab();
      const next = page("no photos here");
      for (let round = 0; round < 5; round++) {
        await tab.open(page(""));
        const urls = some(10_000 + first + 40 * round, 40).map(host.url);
        await tab.evaluate((all, to) => {
          setInterval(() => document.body.append(Object.assign(new Image(), { src: all.pop() ?? "" })), 4);
          location.href = to;
        }, urls, next);
        await tab.waitFor((to) => location.href === to && document.readyState === "complete", { args: [next] });
        // Whatever was asked for has come by then.
        await sleep(500);
        const popup = await openPopup(browser, tab);
        const { record } = await popup.state();
        await popup.close();
        assert.deepEqual(record?.photos, { shown: 0, failed: 0, problem: "" });
      }
    });

    it("what was shown is not asked for again: until its tab is closed, or for a day, as the user chooses", async () => {
      const browser = await asking();
      const numbers = some(first + 180, 3);
      /** @returns {Promise<Tab>} a new tab that shows the photos */
      const showing = async () => {
        pair.toRelay.clear();
        const tab = await browser.newTab(page(images(numbers)));
        await allShown(tab, numbers);
        return tab;
      };
      const atRelay = () => sealedIn(pair.toRelay.sent()).length;
      const background = await openBackground(browser);
      const tabs = () => browser.extension(async () => (await chrome.tabs.query({})).length);
      /** @param {Tab} tab */
      const closed = async (tab) => {
        const before = await tabs();
        await tab.close();
        await until(async () => (await tabs()) < before, { what: "the tab to be closed" });
        // It hears of a tab before it is asked something later.
        await background.ask({ type: "visits" });
      };
      /** @param {Tab} tab @param {"tab" | "day"} keep */
      const choose = async (tab, keep) => {
        const popup = await openPopup(browser, tab);
        await popup.page.waitFor(() => document.querySelector("#photos-who:not([hidden])"));
        await popup.page.click("#photos-who summary");
        await popup.page.click("#photos-day");
        await until(async () => (await popup.state()).photos.kept === keep, { what: `photos to be kept: ${keep}` });
        await popup.close();
      };

      const one = await showing();
      assert.equal(atRelay(), 3);
      const two = await showing();
      assert.equal(atRelay(), 0);
      await closed(one);
      await closed(two);
      const three = await showing();
      assert.equal(atRelay(), 3);
      await choose(three, "day");
      await closed(three);
      await closed(await showing());
      const four = await showing();
      assert.equal(atRelay(), 0);
      await choose(four, "tab");
      await closed(four);
      await showing();
      assert.equal(atRelay(), 3);
    });

    it("when the gateway's key changes in mid-page, the next one is used", async () => {
      const own = await startPair(`rotating-${name}`);
      const dir = path.join(world.dir, `rotated-${name}`);
      own.relay.keys.push(await newGatewayKey(dir));
      const next = await startGateway(dir, world.store);
      ends.push(next.close);
      const browser = await launch({ extension: await world.extension(name, { relays: [own.relay] }) });
      await wantPhotos(browser, page(images([first + 400])));
      const tab = browser.tab();
      await tab.open(page(images(some(first + 140, 5))));
      await allShown(tab, some(first + 140, 5));
      own.toGateway.turn(next.url);
      await own.gateway.close();
      await tab.evaluate((urls) => document.body.append(...urls.map((src) => Object.assign(new Image(), { src }))), some(first + 145, 5).map(host.url));
      await allShown(tab, some(first + 140, 10));
    });

    it("a relay of the user's own is asked instead of all others, and shown as what it is", async () => {
      const own = await startPair(`own-${name}`);
      const browser = await asking();
      const tab = browser.tab();
      const popup = await openPopup(browser, tab);
      const { url, keys } = own.relay;
      await popup.page.evaluate((relay) => chrome.runtime.sendMessage({ type: "ownRelay", relay }), { name: "Mine", url, key: keys[0] ?? "" });
      await until(async () => (await popup.state()).photos.relays.join() === "Mine", { what: "the user's own relay" });
      await popup.close();
      pair.toRelay.clear();
      await tab.open(page(images(some(first + 150, 3))));
      await allShown(tab, some(first + 150, 3));
      assert.equal(sealedIn(own.toRelay.sent()).length, 3);
      assert.equal(pair.toRelay.sent().length, 0);
      const after = await openPopup(browser, tab);
      await after.page.waitFor(() => document.querySelector("#photos-own:not([hidden])"));
      await after.close();
    });

    it("with no gateway, then no relay, placeholders stand, nothing goes direct, and the popup says why", async () => {
      const own = await startPair(`failing-${name}`);
      const browser = await launch({ extension: await world.extension(name, { relays: [own.relay] }) });
      await wantPhotos(browser, page(images([first + 400])));
      host.clear();
      const tab = browser.tab();
      /** @param {number} from @param {RegExp} words */
      const failing = async (from, words) => {
        await tab.open(page(images(some(from, 3))));
        const popup = await openPopup(browser, tab);
        await until(async () => (await popup.state()).record?.photos.failed === 3, { what: "three photos to fail" });
        await until(async () => words.test(await popup.text()), { what: String(words) });
        await popup.close();
        await until(async () => (await widths(tab)).every((wide) => wide === 128), { what: "placeholders" });
      };
      await tab.open(page(images([first + 159])));
      await allShown(tab, [first + 159]);
      host.clear();
      await own.gateway.close();
      await failing(first + 160, /could not reach its gateway/);
      await own.close();
      await own.toRelay.close();
      await failing(first + 170, /relay could not be reached/);
      assert.equal(host.asked.length + host.strangers(), 0);
    });
  });
}

/**
 * Headers of the HTTP/1.1 requests in a capture of one or many connections.
 * @param {Buffer} bytes
 * @returns {Record<string, string>[]}
 */
function requestsIn(bytes) {
  const text = bytes.toString("latin1");
  return [...text.matchAll(/POST \/\w+ HTTP\/1\.1\r\n((?:[^\r\n]+\r\n)+)\r\n/g)].map(([, lines = ""]) =>
    Object.fromEntries(
      lines
        .trimEnd()
        .split("\r\n")
        .map((line) => {
          const [key = "", ...value] = line.split(": ");
          return [key.toLowerCase(), value.join(": ")];
        }),
    ),
  );
}

/**
 * @param {Buffer} bytes that the relay received
 * @returns {number[]} the sizes of the sealed requests in them, alone or several in one
 */
function sealedIn(bytes) {
  return [...bytes.toString("latin1").matchAll(/POST \/\w+ HTTP\/1\.1\r\n(?:[^\r\n]+\r\n)+\r\n/g)].flatMap((head) => {
    const [{ "content-length": length, "content-type": type }] = requestsIn(Buffer.from(head[0], "latin1"));
    const start = head.index + head[0].length;
    if (type === "message/ohttp-req") return [Number(length)];
    assert.equal(type, "application/vnd.paravent.ohttp-batch");
    const sizes = [];
    for (let at = start; at < start + Number(length); at += 2 + sizes[sizes.length - 1]) sizes.push(bytes.readUInt16BE(at));
    return sizes;
  });
}
