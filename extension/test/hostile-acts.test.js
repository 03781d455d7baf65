/**
 * A page that acts: it sends messages to the extension, frames its pages, asks
 * for photos that are none, tries to have hosts stopped that others need, and
 * fills the record with what it would like to be read as something else. Judged
 * by what the other side was sent, and by the pages that show the record.
 *
 *   MANY=100000 node --test --test-name-pattern='photos leave the page usable' test/hostile-acts.test.js
 */

/* global chrome */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openBackground } from "./background.js";
import { PATIENCE, until } from "./drive/driver.js";
import { startHost } from "./drive/host.js";
import { createHostile } from "./hostile.js";
import { installed, openPopup, wantPhotos } from "./popup.js";
import { BROWSERS } from "./world.js";

/** @typedef {import("./drive/driver.js").Browser} Browser */
/** @typedef {import("./drive/driver.js").Tab} Tab */

/** As background/relay.js has it. */
const MAX_IN_FLIGHT = 64;
/** So many photos a hostile page asks for at once. */
const MANY = Number(process.env["MANY"] || 1_000);
/** Milliseconds that a browser takes for one at the most; without an extension it is half of that. */
const EACH = 5;

/** @type {import("./hostile.js").Hostile} */
let hostile;
/** Third parties that nothing knows. @type {import("./drive/host.js").Host} */
let other;
/** @type {import("./drive/host.js").Host} */
let relay;
/** What the relay met. */
const met = { now: 0, most: 0, all: 0, strange: /** @type {string[]} */ ([]) };
/** @type {(() => Promise<unknown>)[]} */
const ends = [];

before(async () => {
  hostile = await createHostile();
  ends.push(hostile.close);
  other = await startHost("other.localhost", (_, response) => response.setHeader("Access-Control-Allow-Origin", "*").end());
  ends.push(other.close);
  // It takes its time, so that requests meet there, and brings nothing.
  relay = await startHost("relay.localhost", async (request, response) => {
    const photos = photosIn(request.headers["content-type"], Buffer.concat(await request.toArray()));
    met.now += photos;
    met.all += photos;
    met.most = Math.max(met.most, met.now);
    if (request.method !== "POST" || request.url !== "/relay" || request.headers.cookie || request.headers.referer) met.strange.push(`${request.method} ${request.url}`);
    setTimeout(() => {
      met.now -= photos;
      response.writeHead(502).end();
    }, 30);
  });
  ends.push(relay.close);
});
after(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/**
 * How many photos a request to the relay asks for.
 * @param {string | undefined} type
 * @param {Buffer} body of a batch: each photo's behind its length in two bytes
 */
function photosIn(type, body) {
  if (type !== "application/vnd.paravent.ohttp-batch") return 1;
  let photos = 0;
  for (let at = 0; at < body.length; at += 2 + body.readUInt16BE(at)) photos++;
  return photos;
}

/** Runs in a page: whether a request gets through. @param {string} url */
const reaches = (url) => fetch(url, { mode: "no-cors", cache: "no-store" }).then(() => true, () => false);

/** What is to be read as more than it is. */
const MARKUP = `"><img src=x onerror="window.pwned=1"><script>window.pwned=1</script>\u202Egnp.exe\u2066\u0007`;

/** Runs in a page of the extension: what became of the strings in it. */
function marks() {
  const text = `${document.body.innerText} ${document.title}`;
  return {
    pwned: "pwned" in window,
    made: Array.from(document.querySelectorAll("img[src='x'], [onerror], body script:not([src])"), (element) => element.outerHTML),
    turned: text.match(/.{0,20}[\u202A-\u202E\u2066-\u2069].{0,20}/g) ?? [],
    isThere: text.length > 100,
  };
}

/**
 * Runs in the report: saves as a button says, and gives what would be written.
 * @param {string} button
 * @returns {Promise<string>}
 */
async function saved(button) {
  const makeURL = URL.createObjectURL;
  const click = HTMLAnchorElement.prototype.click;
  try {
    /** @type {Blob | undefined} */
    let blob;
    URL.createObjectURL = (made) => makeURL((blob = /** @type {Blob} */ (made)));
    await new Promise((resolve) => {
      HTMLAnchorElement.prototype.click = () => resolve(undefined);
      /** @type {HTMLElement} */ (document.querySelector(button)).click();
    });
    return (await blob?.text()) ?? "";
  } finally {
    URL.createObjectURL = makeURL;
    HTMLAnchorElement.prototype.click = click;
  }
}

for (const name of BROWSERS) {
  describe(name, () => {
    /** @type {Browser} */
    let browser;
    /** @type {Tab} */
    let tab;
    before(async () => {
      const relays = [{ ...hostile.world.relay, url: `${relay.origin}/relay` }];
      browser = await hostile.world.launch(name, { extension: await hostile.world.extension(name, { relays }) });
      await installed(browser);
      await wantPhotos(browser, hostile.site.page(`<img src="${hostile.photos.url(0)}">`));
      tab = browser.tab();
    });
    after(() => browser?.close());

    it("no message of a page is answered, nor changes anything", async () => {
      const { site, stranger, frame } = hostile;
      const background = await openBackground(browser);
      const before = await background.settings();
      const attempt = async (/** @type {string} */ id) => {
        const messages = [
          { type: "mode", site: "booking.localhost", mode: "off" },
          { type: "allow", site: "booking.localhost", host: "other.localhost", allow: true },
          { type: "scope", scope: "all" },
          { type: "rules", text: "@@||other.localhost^" },
          { type: "photo", url: "http://photos.localhost/clinic/image/upload/w_1/x.jpg" },
          { type: "settings" },
          { type: "relayed", urls: ["x"] },
        ];
        const answers = [];
        const sent = [];
        const api = /** @type {any} */ (window).browser ?? window.chrome;
        addEventListener("message", (event) => {
          // What the page and its frames send each other comes back, and is no answer.
          if (event instanceof MessageEvent && !messages.some(({ type }) => type === event.data?.type)) answers.push(event.data);
        });
        for (const message of messages) {
          // Some browsers have promises there for a page, some callbacks, and most nothing at all.
          sent.push(
            new Promise((done) => {
              setTimeout(done, 500);
              api.runtime.sendMessage(id, message, done)?.then(done);
            }).catch(() => {}),
          );
          try {
            api.runtime.connect(id).postMessage(message);
            answers.push("connected");
          } catch {
            // as it should be
          }
          for (const to of [window, parent, ...Array.from(document.querySelectorAll("iframe"), (one) => one.contentWindow)]) to?.postMessage(message, "*");
          for (const where of [window, document, document.documentElement]) {
            where.dispatchEvent(new CustomEvent("message", { detail: message }));
            where.dispatchEvent(new CustomEvent(message.type, { detail: message }));
          }
          new BroadcastChannel(id).postMessage(message);
        }
        for (const answer of await Promise.all(sent)) if (answer !== undefined) answers.push(answer);
        return answers;
      };
      const id = new URL(browser.origin).hostname;
      const framing = `<iframe src="${frame.page(`<script>(${attempt})(${JSON.stringify(id)}).then((all) => (document.title = all.length ? "answered" : "silent"))</script>`)}"></iframe>`;
      for (const address of [site.page(framing), stranger.page(framing)]) {
        await tab.front();
        await tab.open(address);
        assert.deepEqual(await tab.evaluate(attempt, id), []);
        assert.deepEqual(await tab.evaluate(attempt, "paravent@paravent.example"), []);
      }
      assert.deepEqual(await background.settings(), before);
      // Its own pages are answered, and do change something.
      await background.ask({ type: "mode", site: "news.localhost", mode: "watch" });
      assert.notDeepEqual(await background.settings(), before);
      await background.ask({ type: "forgetSite", site: "news.localhost" });
      await background.close();
      await tab.front();
    });

    it("none of the extension's pages and files can be framed, opened or loaded", async () => {
      const { site, stranger } = hostile;
      const paths = ["ui/popup.html?tab=1", "ui/report.html?example", "ui/options.html#sites", "ui/workshop.html", "manifest.json", "content/placeholder.png", "content/photos.js"];
      const good = stranger.page("good");
      for (const address of [site.page(""), stranger.page("")]) {
        await tab.open(address);
        const id = await browser.tabId(tab);
        const loaded = await tab.evaluate(
          async (root, all, fine) => {
            for (const path of [...all.map((one) => `${root}/${one}`), fine]) {
              const framed = document.createElement("iframe");
              framed.src = path;
              document.body.append(framed);
            }
            const tries = all.flatMap((path) => {
              const url = `${root}/${path}`;
              const element = (/** @type {string} */ kind, /** @type {Record<string, string>} */ more) =>
                new Promise((done) => {
                  const made = Object.assign(document.createElement(kind), more, { onload: () => done(`${kind} ${url}`), onerror: () => done("") });
                  document.body.append(made);
                });
              return [
                fetch(url).then(() => `fetch ${url}`, () => ""),
                element("img", { src: url }),
                element("script", { src: url }),
                element("link", { rel: "stylesheet", href: url }),
                element("object", { data: url }),
              ];
            });
            const outcomes = await Promise.race([Promise.all(tries), new Promise((done) => setTimeout(done, 5000, tries.map(() => "")))]);
            try {
              window.open(`${root}/${all[0]}`);
            } catch {
              // Firefox says what it thinks of that.
            }
            return outcomes.filter(Boolean);
          },
          browser.origin,
          paths,
          good,
        );
        // Firefox knows no dynamic addresses: there the number is the profile's own, and nobody is told it.
        const isOpen = (/** @type {string} */ text) => name === "firefox" && text.endsWith("/content/placeholder.png");
        assert.deepEqual(/** @type {string[]} */ (loaded).filter((text) => !isOpen(text)), [], address);
        const frames = await until(
          () =>
            browser.extension(async (tabId, fine) => {
              const all = (await chrome.webNavigation.getAllFrames({ tabId })) ?? [];
              return all.some(({ url }) => url === fine) ? all.map(({ url, errorOccurred }) => ({ url, errorOccurred })) : null;
            }, id, good),
          { what: "the good frame" },
        );
        const open = await browser.extension(async () => (await chrome.tabs.query({})).map(({ url, title }) => `${url} ${title}`));
        assert.deepEqual(frames.filter(({ url, errorOccurred }) => /-extension:\/\/[^/]+\/(ui|content|manifest)/.test(url) && !isOpen(url) && !errorOccurred), [], address);
        assert.deepEqual(open.filter((text) => /ui\/popup\.html/.test(text) && /Paravent$/.test(text)), []);
      }
    });

    it("a page cannot have stopped what the site needs, nor what another site does", async () => {
      const { site, stranger, frame, world } = hostile;
      const address = site.page("<iframe></iframe>");
      await tab.open(address);
      const stuffed = (/** @type {string} */ host, /** @type {string} */ path) => `${host}${path}?page=${encodeURIComponent(address)}`;
      const tell = async (/** @type {string} */ host) => {
        for (let i = 0; i < 5; i++) await tab.evaluate(reaches, stuffed(host, `/part${i}`));
      };
      for (const need of ["captcha", "pay"]) {
        const host = world.demo.needs[need] ?? "";
        await tell(host);
        assert.ok(await tab.evaluate(reaches, `${host}/part0`), `${need} is stopped`);
      }
      // The same done to a host that nobody needs: what carries the address stays away.
      const places = ["/own.js", "/framed.js", "/far.js"];
      await tab.evaluate(reaches, stuffed(other.origin, places[0] ?? ""));
      await until(async () => !(await tab.evaluate(reaches, stuffed(other.origin, places[0] ?? ""))), { what: "the leak to be stopped" });
      // A frame tells what only the page may not be kept from.
      const knowing = frame.page(`<script>
        addEventListener("message", async ({ data, source }) => { source.postMessage(await (${reaches})(data), "*"); });
      </script>`);
      await tab.evaluate((url) => {
        const one = /** @type {HTMLIFrameElement} */ (document.querySelector("iframe"));
        return new Promise((done) => {
          one.onload = () => done(true);
          one.src = url;
        });
      }, knowing);
      const fromFrame = (/** @type {string} */ url) =>
        tab.evaluate(
          (asked) =>
            new Promise((done) => {
              addEventListener("message", ({ data }) => done(data), { once: true });
              frames[0]?.postMessage(asked, "*");
            }),
          url,
        );
      // In a body: no rule knows it before it leaves.
      for (let i = 0; i < 4; i++) await fromFrame(`${other.origin}${places[1]}?a=${i}&page=${btoa(`x${address}`)}`);
      assert.ok(await tab.evaluate(reaches, `${other.origin}${places[1]}`), "a frame has had a host stopped for the page");
      // Another site knows the page that it leads to, and tells it all the while.
      await tab.open(stranger.page(`<script>
        setInterval(() => fetch(${JSON.stringify(`${other.origin}${places[2]}?page=${btoa(`yy${address}`)}`)}, { mode: "no-cors", keepalive: true }).catch(() => {}), 2);
      </script>`));
      await tab.evaluate((url) => {
        location.href = url;
      }, address);
      await tab.waitFor((url) => location.href === url && document.readyState === "complete", { args: [address], what: "the site" });
      assert.ok(await tab.evaluate(reaches, `${other.origin}${places[2]}`), "another site has had a host stopped for this one");
    });

    it("forged photos are fetched by nobody but the relay, and not too many at once", async () => {
      const { site, photos, frame } = hostile;
      const real = (/** @type {number} */ i) => photos.url(2000 + i);
      const { host, origin } = new URL(real(0));
      const forged = [
        real(1).replace("photos.localhost", "PHOTOS.LOCALHOST").replace("http:", "HtTp:"),
        real(2).replace("//", "//patient:secret@"),
        real(3).replace("photos.localhost", "photos.localhost."),
        real(4).replace("photos.localhost", "127.0.0.1"),
        real(5).replace(host, "photos.localhost:1"),
        real(6).replace("/clinic/", "/elsewhere/"),
        real(7).replace("/clinic/", "/../clinic/./"),
        real(8).replace("http:", "ftp:"),
        `${real(9)}#${"f".repeat(100_000)}`,
        `${origin}/clinic/image/upload/${"u".repeat(2_000_000)}/x.jpg`,
        `view-source:${real(10)}`, `blob:${real(11)}`, `filesystem:${real(12)}`, "blob:null/0", "javascript:window.pwned=1", "JaVaScRiPt:window.pwned=1",
        "data:text/html,<script>window.pwned=1</script>", "about:blank", "file:///etc/passwd", `${browser.origin}/ui/popup.html`, "http://[::1]/clinic/image/upload/a/b.jpg",
        "http://photos.localhost%00.example/clinic/image/upload/a/b.jpg", "http://photos.localhost\\@other.localhost/clinic/image/upload/a/b.jpg", "//", "http://", "\uD800",
      ];
      await tab.open(site.page(`<iframe src="${frame.page("framed")}"></iframe>`));
      photos.clear();
      Object.assign(met, { most: 0, all: 0, strange: [] });
      const asked = other.asked.length;
      await tab.evaluate(
        async (all, mark) => {
          const put = (/** @type {Partial<HTMLImageElement>} */ how) => {
            const image = Object.assign(new Image(), how);
            document.body.append(image);
            return image;
          };
          for (const src of all) put({ src });
          put({ srcset: Array.from({ length: 3000 }, (_, i) => `${mark}?${i} ${i + 1}w`).join() });
          const changing = put({});
          for (let i = 0; i < 500; i++) changing.src = all[i % 10] ?? "";
          for (const image of document.images) for (const type of ["load", "error"]) image.dispatchEvent(new Event(type));
        },
        forged,
        real(20),
      );
      await until(() => met.all > 0 && met.now === 0, { what: "the relay to be asked" });
      const last = met.all;
      await tab.evaluate((src) => void document.body.append(Object.assign(new Image(), { src })), real(21));
      await until(() => met.all > last, { what: "the last photo to be asked for" });
      // What left for others left as the page's own images do, never as something that the extension fetched.
      const strange = photos.asked.filter(({ headers }) => headers["sec-fetch-dest"] !== "image" || headers.authorization);
      assert.deepEqual(strange.map(({ url }) => url.slice(0, 100)), []);
      assert.deepEqual(other.asked.slice(asked).filter((line) => !line.includes("/clinic/")), []);
      assert.deepEqual(met.strange, []);
      assert.ok(met.all <= 20, `${met.all} photos were asked for`);
      assert.ok(!(await tab.evaluate(() => "pwned" in window)));
    });

    it(`${MANY} photos leave the page usable, the relay in peace, and the record bounded`, async () => {
      const { site, photos } = hostile;
      await tab.front();
      await tab.open(site.page(""));
      photos.clear();
      met.most = 0;
      const asked = site.asked.length;
      const base = photos.url(0).replace(/[^/]+$/, "");
      // The page says to its site when they have ended: nobody can speak to it meanwhile.
      await tab.evaluate(
        (where, many) => {
          let ended = 0;
          const end = () => {
            if (++ended === many) void fetch("/all-ended");
          };
          for (let i = 0; i < many; i++) {
            const image = new Image();
            image.onload = image.onerror = end;
            image.src = `${where}p${i}.jpg`;
          }
        },
        base,
        MANY,
      );
      await until(() => site.asked.indexOf("GET /all-ended", asked) >= 0, {
        timeout: PATIENCE + MANY * EACH,
        what: `${MANY} photos to end`,
      });
      assert.deepEqual(photos.asked, []);
      assert.ok(met.most <= MAX_IN_FLIGHT, `${met.most} at once`);
      assert.ok(met.most > 1, "nothing was asked for");
      assert.equal(photos.strangers(), 0);
      const popup = await openPopup(browser, tab);
      const { record } = await popup.state();
      assert.ok((record?.total.relay ?? 0) > 100, `${record?.total.relay} counted`);
      assert.ok(Object.values(record?.hosts ?? {}).every((one) => one.photos.length <= 2000));
      const session = await browser.extension(async () => JSON.stringify(await chrome.storage.session.get()).length);
      assert.ok(session < 3_000_000, `${session} bytes of record`);
      await popup.close();
    });

    it("what a page writes into the record is shown and saved as text", async () => {
      const { site } = hostile;
      const odd = encodeURIComponent(MARKUP);
      const address = site.put(`/oncologist/paris/${odd}`, {
        body: `<!doctype html><title>${MARKUP.replaceAll("<", "&lt;")}</title><link rel="icon" href="data:,">`,
        headers: { server: `cloudflare "><img src=x onerror=window.pwned=1>`, "cf-ray": "=cmd|' /C calc'!A0", via: "1.1 google <script>" },
      });
      await tab.front();
      await tab.open("about:blank");
      await tab.open(`${address}?insurance=private&motive=breast-lump`);
      await tab.evaluate(
        async (port, text) => {
          const hosts = ["constructor", "__proto__", "hasownproperty", "tostring", `${"a".repeat(60_000)}.localhost`, "xn--pvent-5ve.localhost"];
          const page = encodeURIComponent(location.href);
          const urls = hosts.map((host) => `http://${host}:${port}/${encodeURIComponent(text)}?${encodeURIComponent(text)}=${page}`);
          urls.push(`http://other.localhost:${port}/?=cmd|calc&@SUM=${page}`, `http://analytics.localhost:${port}/=HYPERLINK("x")?${page}`);
          await Promise.all(urls.map((url) => fetch(url, { mode: "no-cors" }).catch(() => {})));
          for (const method of ["-2+3", "+CMD", "M".repeat(100_000), "__proto__"]) await fetch(`/x-${method.slice(0, 9)}`, { method }).catch(() => {});
          await fetch(`http://other.localhost:${port}/body`, { method: "POST", mode: "no-cors", body: JSON.stringify({ __proto__: 1, [text]: location.href, "\uD800": "\0" }) }).catch(() => {});
          history.pushState(null, "", `/oncologist/paris/${encodeURIComponent(text)}/=1+1`);
          history.pushState(null, "", `/oncologist/paris/${"long".repeat(50_000)}`);
          await fetch("/after").catch(() => {});
        },
        new URL(other.origin).port,
        MARKUP,
      );
      const popup = await openPopup(browser, tab);
      await popup.page.waitFor(() => document.querySelector("main:not([aria-busy])"), { what: "the popup" });
      const state = await until(async () => {
        const now = await popup.state();
        const hosts = now.recipients.flatMap((one) => one.hosts.map(({ host }) => host));
        return ["constructor", "__proto__", "tostring"].every((host) => hosts.includes(host)) ? now : null;
      }, { what: "the record" });
      await popup.text();
      const clean = { pwned: false, made: [], turned: [], isThere: true };
      assert.deepEqual(await popup.page.evaluate(marks), clean);
      assert.ok(Object.keys(state.record?.hosts ?? {}).every((host) => host.length < 256));
      await popup.close();
      const report = await browser.extensionPage(`ui/report.html?tab=${await browser.tabId(tab)}`);
      await report.waitFor(() => document.querySelector("#report:not([hidden])") && document.querySelector("#progress[hidden]"), { what: "the report" });
      await report.evaluate(() => {
        for (const opener of document.querySelectorAll(".opener")) /** @type {HTMLElement} */ (opener).click();
        for (const one of document.querySelectorAll("details")) one.open = true;
      });
      assert.deepEqual(await report.evaluate(marks), clean);
      const har = JSON.parse(await report.evaluate(saved, "#save-har"));
      assert.ok(har.log.entries.length > 5);
      JSON.parse(await report.evaluate(saved, "#save-inspection"));
      const csv = await report.evaluate(saved, "#save-csv");
      const cells = csv.split(/\r\n|,(?=(?:[^"]*"[^"]*")*[^"]*$)/).map((cell) => cell.replace(/^"/, ""));
      assert.ok(cells.includes("'-2+3"), "the method that looks like a formula is not there");
      assert.deepEqual(cells.filter((cell) => /^[=+@-]/.test(cell)), []);
      const letter = await browser.newTab(await report.evaluate(() => /** @type {HTMLAnchorElement} */ (document.querySelector("#print")).href));
      await letter.waitFor(() => document.body.innerText.length > 300, { what: "the letter" });
      assert.deepEqual(await letter.evaluate(marks), clean);
      // A string that became an element would be seen.
      await letter.evaluate((text) => document.body.insertAdjacentHTML("beforeend", text), MARKUP);
      assert.notDeepEqual(await letter.evaluate(marks), clean);
      await letter.close();
      await report.close();
    });
  });
}
