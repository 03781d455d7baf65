/**
 * Every way in which a page can reach somebody, also those that are hard to
 * see. One row each: what it is called, why it is hard, how a page does it, and
 * what comes of it where that is not simply "stopped". The suite shows that
 * each row is so (ways-out.test.js), and the README's table is made of them
 * (ways-out-table.js).
 */

/**
 * Whom a way leads to.
 * @typedef {object} To
 * @property {string} name
 * @property {number} port
 * @property {string} origin
 * @property {string} url
 * @property {number} datagrams port for them, if the way wants one
 * @property {string} own the booking site's origin
 * @property {string} files where the way's own files are, on the booking site
 * @property {string} hop origin of somebody who sends on to where "?to=" says
 *
 * What comes of a way in one browser, if it is not stopped:
 * @typedef {object} Else
 * @property {string} [limit] it is open, and why
 * @property {string} [absent] this browser has no such way, with or without Paravent, and why
 *
 * @typedef {object} Way
 * @property {string} id a label of a host's name
 * @property {string} name in Markdown
 * @property {string} why it is hard to see
 * @property {string} in the document where it is tried: ways that go well together share one
 * @property {"listed" | "unknown"} [to] whom it is to reach; absent: a listed recipient
 * @property {boolean} [tells] somebody may be asked, but not told of the page
 * @property {boolean} [alias] the host has a name of the site's own, which DNS resolves to the recipient's
 * @property {boolean} [single] Paravent closes it for everybody, or a document has it only once: there is no needed host to compare with
 * @property {boolean} [datagrams] it is no TCP
 * @property {(to: To) => string} [html] part of the document
 * @property {(to: To) => Record<string, string>} [headers] of the document
 * @property {(to: To) => string} [hint] an early hint that comes before the document
 * @property {(to: To) => unknown} [run] in the document
 * @property {Record<string, (to: To) => string>} [files] of the site, by name
 * @property {(to: To) => Record<string, string>} [fileHeaders] of these
 * @property {string} [frame] what the host answers a frame with
 * @property {Else} [chromium]
 * @property {Else} [firefox]
 */

/** What a document has and TypeScript does not know; documents have this name too. @type {any} */
const web = globalThis;

// Sentences of several rows.
const HINT = "the browser follows a hint of the site's server before there is a page, and asks no extension";
const NAME = "the name is looked up, though no connection is made";
const NAME_FIRST = "the name is looked up before an extension is asked; then no connection is made";
const RTC = "browsers ask no extension about WebRTC's servers, and turning it off for all would end video consultations";
const WINDOW = "where a window goes is a visit of its own, which Paravent leaves to whoever sits before it";
const ALT = "the site's own server names another that serves it, and the browser takes it for the site's; without the site's certificate it learns the visitor's network address alone";
const OWN_QUESTION = "the browser asks by itself, and no extension; it says nothing of the page";
const NEL = "the browser's network reads this header before an extension may take it away, and sends what it says past every extension";
const MISSING = "not in this browser";

/** @type {readonly Way[]} */
export const WAYS = [
  // Connections without a request.
  {
    id: "preconnect", in: "quiet", single: true,
    name: "`<link rel=preconnect>`", why: "a connection without any request",
    html: ({ origin }) => `<link rel=preconnect href="${origin}">`,
    firefox: { limit: NAME },
  },
  {
    id: "dns-prefetch", in: "quiet", single: true,
    name: "`<link rel=dns-prefetch>`", why: "a name is asked for, no request is made",
    html: ({ origin }) => `<link rel=dns-prefetch href="${origin}">`,
  },
  {
    id: "link-preconnect", in: "quiet", single: true,
    name: "`Link: rel=preconnect`", why: "it stands in the response's header",
    headers: ({ origin }) => ({ Link: `<${origin}>; rel=preconnect` }),
    firefox: { limit: NAME },
  },
  {
    id: "hint-preconnect", in: "hints", single: true,
    name: "early hint (103) to connect", why: "it comes before the page does",
    hint: ({ origin }) => `<${origin}>; rel=preconnect`,
    chromium: { limit: HINT },
    firefox: { limit: HINT },
  },
  {
    id: "anchor-dns", in: "quiet", single: true,
    name: "names of links, looked up ahead", why: "browsers resolve what could be clicked",
    headers: () => ({ "X-DNS-Prefetch-Control": "on" }),
    html: ({ url }) => `<a href="${url}">a link</a>`,
    chromium: { absent: "only done for pages without TLS" },
    firefox: { absent: "only done for pages without TLS" },
  },

  // What a page asks for ahead.
  {
    id: "prefetch", in: "one", single: true, name: "`<link rel=prefetch>`", why: "asked for by the browser when it is idle",
    html: ({ url }) => `<link rel=prefetch href="${url}">`,
  },
  {
    id: "preload", in: "one", name: "`<link rel=preload>`", why: "asked for before anything uses it",
    html: ({ url }) => `<link rel=preload as=script href="${url}">`,
  },
  {
    id: "modulepreload", in: "one", name: "`<link rel=modulepreload>`", why: "asked for before anything uses it",
    html: ({ url }) => `<link rel=modulepreload href="${url}">`,
  },
  {
    id: "prerender", in: "one", single: true, name: "`<link rel=prerender>`", why: "a page nobody sees",
    html: ({ url }) => `<link rel=prerender href="${url}">`,
    chromium: { absent: "no longer done" },
    firefox: { absent: "no longer done" },
  },
  {
    id: "link-preload", in: "one", name: "`Link: rel=preload`", why: "it stands in the response's header",
    headers: ({ url }) => ({ Link: `<${url}>; rel=preload; as=script` }),
  },
  {
    id: "hint-preload", in: "hints", name: "early hint (103) to load", why: "it comes before the page does",
    hint: ({ url }) => `<${url}>; rel=preload; as=script`,
    chromium: { limit: HINT },
  },
  {
    id: "rules-prefetch", in: "one", single: true, name: "speculation rules: prefetch", why: "the browser asks, not the page",
    html: ({ url }) => `<script type=speculationrules>{"prefetch":[{"urls":["${url}"],"eagerness":"immediate"}]}</script>`,
    firefox: { absent: MISSING },
  },
  {
    id: "rules-prerender", in: "one", single: true, name: "speculation rules: a prerendered page of the site asks", why: "a page nobody sees",
    html: ({ files }) => `<script type=speculationrules>{"prerender":[{"urls":["${files}/next.html"],"eagerness":"immediate"}]}</script>`,
    files: { "next.html": ({ url }) => `<!doctype html><script>fetch("${url}", { mode: "no-cors" })</script>` },
    firefox: { absent: MISSING },
  },
  {
    id: "rules-header", in: "one", single: true, name: "`Speculation-Rules` header", why: "it stands in the response's header",
    headers: ({ files }) => ({ "Speculation-Rules": `"${files}/rules.json"` }),
    files: { "rules.json": ({ url }) => `{"prefetch":[{"urls":["${url}"],"eagerness":"immediate"}]}` },
    fileHeaders: () => ({ "Content-Type": "application/speculationrules+json" }),
    firefox: { absent: MISSING },
  },

  // Links of every kind.
  {
    id: "stylesheet", in: "one", name: "`<link rel=stylesheet>`", why: "no script is needed",
    html: ({ url }) => `<link rel=stylesheet href="${url}">`,
  },
  {
    id: "alternate", in: "one", name: "`<link rel=\"alternate stylesheet\">`", why: "loaded, never used",
    html: ({ url }) => `<link rel="alternate stylesheet" title=other href="${url}">`,
  },
  {
    id: "icon", in: "quiet", single: true, name: "`<link rel=icon>`", why: "the window asks, not the page",
    html: ({ url }) => `<link rel=icon href="${url}">`,
  },
  {
    id: "manifest", in: "quiet", single: true, name: "`<link rel=manifest>`", why: "the window asks, not the page",
    html: ({ url }) => `<link rel=manifest href="${url}">`,
    firefox: { absent: "asked for only when a person installs the site" },
  },
  {
    id: "dictionary", in: "one", name: "`<link rel=compression-dictionary>`", why: "asked for when the browser is idle",
    html: ({ url }) => `<link rel=compression-dictionary href="${url}">`,
  },
  {
    id: "other-links", in: "one", single: true, name: "`<link>` search, next, help, license, pingback, author …", why: "there are dozens of kinds",
    html: ({ url }) =>
      ["search", "next", "prev", "help", "license", "pingback", "author", "alternate", "amphtml", "canonical", "import", "serviceworker", "subresource", "me", "privacy-policy", "apple-touch-startup-image"]
        .map((rel) => `<link rel=${rel} href="${url}">`).join(""),
    chromium: { absent: "nobody fetches these by themselves" },
  },

  // Scripts and modules.
  {
    id: "script", in: "one", name: "`<script src>`", why: "the plain way",
    html: ({ url }) => `<script async src="${url}"></script>`,
  },
  {
    id: "import", in: "one", name: "`import()`, and through an import map", why: "the name in the script is another",
    html: ({ url, port }) => `<script type=importmap>{"imports":{"harmless${port}":"${url}?map"}}</script>`,
    run: ({ url, port }) => Promise.allSettled([import(url), import(`harmless${port}`)]),
  },
  {
    id: "json-module", in: "one", name: "JSON and CSS modules", why: "types of their own",
    html: ({ url }) => `<script type=module>import("${url}?1", { with: { type: "json" } }).catch(() => {}); import("${url}?2", { with: { type: "css" } }).catch(() => {})</script>`,
  },
  {
    id: "wasm", in: "one", name: "WebAssembly, streamed", why: "compiled while it arrives",
    run: ({ url }) => WebAssembly.compileStreaming(fetch(url)),
  },

  // Requests by script.
  {
    id: "fetch", in: "one", name: "`fetch`", why: "the plain way",
    run: ({ url }) => fetch(url, { method: "POST", body: location.href, mode: "no-cors" }),
  },
  {
    id: "keepalive", in: "leave", name: "`fetch` with `keepalive`, as the page is left", why: "outlives the page",
    run: ({ url }) => addEventListener("pagehide", () => fetch(url, { method: "POST", keepalive: true, body: location.href, mode: "no-cors" })),
  },
  {
    id: "fetch-later", in: "leave", name: "`fetchLater`", why: "sent by the browser when the page is gone",
    run: ({ url }) => web.fetchLater(url, { method: "POST", body: location.href, activateAfter: 0 }),
    firefox: { absent: MISSING },
  },
  {
    id: "beacon", in: "one", name: "`sendBeacon`", why: "nobody waits for the answer",
    run: ({ url }) => navigator.sendBeacon(url, location.href),
  },
  {
    id: "beacon-pagehide", in: "leave", name: "`sendBeacon` on `pagehide`", why: "sent when the page is gone",
    run: ({ url }) => addEventListener("pagehide", () => navigator.sendBeacon(url, location.href)),
  },
  {
    id: "beacon-hidden", in: "leave", name: "`sendBeacon` on `visibilitychange`", why: "sent when the page is gone",
    run: ({ url }) => document.addEventListener("visibilitychange", () => navigator.sendBeacon(url, location.href)),
  },
  {
    id: "xhr", in: "one", name: "`XMLHttpRequest`", why: "the plain way",
    run: ({ url }) => {
      const request = new XMLHttpRequest();
      request.open("POST", url);
      request.send(location.href);
    },
  },
  {
    id: "xhr-sync", in: "one", name: "`XMLHttpRequest`, synchronous", why: "the page stands still meanwhile",
    run: ({ url }) => {
      const request = new XMLHttpRequest();
      request.open("GET", url, false);
      request.send();
    },
  },
  {
    id: "eventsource", in: "one", name: "`EventSource`", why: "an answer that never ends",
    run: ({ url }) => void new EventSource(url),
  },
  {
    id: "websocket", in: "one", name: "`WebSocket`", why: "not HTTP once it is open",
    run: ({ url }) => void new WebSocket(url.replace("https", "wss")),
    firefox: { limit: NAME_FIRST },
  },
  {
    id: "websocket-stream", in: "one", name: "`WebSocketStream`", why: "not HTTP once it is open",
    run: ({ url }) => void new web.WebSocketStream(url.replace("https", "wss")),
    firefox: { absent: MISSING },
  },
  {
    id: "webtransport", in: "one", datagrams: true, name: "`WebTransport`", why: "datagrams (QUIC)",
    run: ({ name, datagrams }) => new web.WebTransport(`https://${name}:${datagrams}/`).ready,
  },
  {
    id: "stun", in: "one", datagrams: true, name: "WebRTC: STUN", why: "datagrams, by no request",
    run: async ({ name, datagrams }) => {
      const connection = new RTCPeerConnection({ iceServers: [{ urls: `stun:${name}:${datagrams}` }] });
      connection.createDataChannel("a");
      await connection.setLocalDescription(await connection.createOffer());
      web.held = [...(web.held ?? []), connection];
    },
    chromium: { limit: RTC },
    firefox: { limit: RTC },
  },
  {
    id: "turn", in: "one", name: "WebRTC: TURN over TCP", why: "a connection by no request",
    run: async ({ name, port }) => {
      const connection = new RTCPeerConnection({ iceServers: [{ urls: `turn:${name}:${port}?transport=tcp`, username: "a", credential: "b" }] });
      connection.createDataChannel("a");
      await connection.setLocalDescription(await connection.createOffer());
      web.held = [...(web.held ?? []), connection];
    },
    chromium: { limit: RTC },
    firefox: { limit: RTC },
  },

  // Workers.
  {
    id: "worker", in: "one", name: "a worker's `fetch`", why: "no document asks",
    files: { "worker.js": ({ url }) => `fetch("${url}", { mode: "no-cors" })` },
    run: ({ files }) => void new Worker(`${files}/worker.js`),
  },
  {
    id: "worker-import", in: "one", name: "a worker's `importScripts`", why: "no document asks",
    files: { "worker.js": ({ url }) => `importScripts("${url}")` },
    run: ({ files }) => void new Worker(`${files}/worker.js`),
  },
  {
    id: "worker-module", in: "one", name: "a module worker's `import`", why: "no document asks",
    files: { "worker.js": ({ url }) => `import "${url}"` },
    run: ({ files }) => void new Worker(`${files}/worker.js`, { type: "module" }),
  },
  {
    id: "worker-nested", in: "one", name: "a worker in a worker", why: "two steps from the document",
    files: {
      "worker.js": ({ files }) => `new Worker("${files}/inner.js")`,
      "inner.js": ({ url }) => `fetch("${url}", { mode: "no-cors" })`,
    },
    run: ({ files }) => void new Worker(`${files}/worker.js`),
  },
  {
    id: "worker-blob", in: "one", name: "a worker from `blob:`", why: "its script has no address",
    run: ({ url }) => void new Worker(URL.createObjectURL(new Blob([`fetch("${url}", { mode: "no-cors" })`]))),
  },
  {
    id: "worker-socket", in: "one", name: "a worker's `WebSocket`", why: "no document asks",
    run: ({ url }) => void new Worker(URL.createObjectURL(new Blob([`new WebSocket("${url.replace("https", "wss")}")`]))),
    firefox: { limit: NAME_FIRST },
  },
  {
    id: "shared-worker", in: "one", name: "a shared worker's `fetch`", why: "it belongs to several documents",
    files: { "worker.js": ({ url }) => `fetch("${url}", { mode: "no-cors" })` },
    run: ({ files }) => void new SharedWorker(`${files}/worker.js`),
  },
  {
    id: "audio-worklet", in: "one", name: "an audio worklet", why: "a thread of its own",
    run: ({ url }) => new AudioContext().audioWorklet.addModule(url),
  },
  {
    id: "paint-worklet", in: "one", name: "a paint worklet", why: "a thread of its own",
    run: ({ url }) => /** @type {any} */ (CSS).paintWorklet.addModule(url),
    firefox: { absent: MISSING },
  },
  {
    id: "sw-fetch", in: "one", name: "the site's service worker: `fetch`", why: "no page asks",
    files: { "sw.js": ({ url }) => `oninstall = (e) => e.waitUntil(fetch("${url}", { mode: "no-cors" }).catch(() => {}))` },
    run: ({ files }) => navigator.serviceWorker.register(`${files}/sw.js`),
  },
  {
    id: "sw-import", in: "one", name: "the site's service worker: `importScripts`", why: "no page asks",
    files: { "sw.js": ({ url }) => `importScripts("${url}")` },
    run: ({ files }) => navigator.serviceWorker.register(`${files}/sw.js`),
  },
  {
    id: "sw-cache", in: "one", name: "the site's service worker: `Cache.add`", why: "filled while nobody looks",
    files: { "sw.js": ({ url }) => `oninstall = (e) => e.waitUntil(caches.open("a").then((c) => c.add(new Request("${url}", { mode: "no-cors" }))).catch(() => {}))` },
    run: ({ files }) => navigator.serviceWorker.register(`${files}/sw.js`),
  },
  {
    id: "sw-respond", in: "one", name: "the site's service worker answers for the site's own address", why: "the page asks for something else",
    files: {
      "sw.js": ({ url }) => `oninstall = () => skipWaiting(); onfetch = (e) => { if (e.request.url.endsWith("/image")) e.respondWith(fetch("${url}", { mode: "no-cors" })) }`,
      "frame.html": () => "<!doctype html><img src=image>",
    },
    run: async ({ files }) => {
      const registration = await navigator.serviceWorker.register(`${files}/sw.js`);
      while (!registration.active) await new Promise((done) => setTimeout(done, 50));
      document.body.append(Object.assign(document.createElement("iframe"), { src: `${files}/frame.html` }));
    },
  },
  {
    id: "sw-preload", in: "one", name: "the site's service worker: navigation preload, redirected", why: "the browser asks while the worker starts",
    files: {
      "sw.js": () => `oninstall = () => skipWaiting(); onactivate = (e) => e.waitUntil(registration.navigationPreload.enable()); onfetch = (e) => { if (e.request.mode === "navigate") e.respondWith(e.preloadResponse) }`,
    },
    run: async ({ files, url }) => {
      const registration = await navigator.serviceWorker.register(`${files}/sw.js`);
      while (registration.active?.state !== "activated") await new Promise((done) => setTimeout(done, 50));
      document.body.append(Object.assign(document.createElement("iframe"), { src: `${files}/go?to=${encodeURIComponent(url)}` }));
    },
  },
  {
    id: "background-fetch", in: "one", single: true, name: "background fetch", why: "a download of the browser's",
    files: { "sw.js": () => "oninstall = () => skipWaiting()" },
    run: async ({ files, url }) => {
      const registration = await navigator.serviceWorker.register(`${files}/sw.js`);
      while (!registration.active) await new Promise((done) => setTimeout(done, 50));
      await /** @type {any} */ (registration).backgroundFetch.fetch("a", [url]);
    },
    firefox: { absent: MISSING },
  },
  {
    id: "cache", in: "one", name: "`Cache.add` in the page", why: "filled without being used",
    run: async ({ url }) => (await caches.open("b")).add(new Request(url, { mode: "no-cors" })),
  },

  // Pictures, sound, embedded things.
  {
    id: "img", in: "one", name: "`<img>`, also `srcset` and `<picture>`", why: "the plain way",
    html: ({ url }) => `<img src="${url}?1"><img srcset="${url}?2 1x"><picture><source srcset="${url}?3"><img></picture>`,
  },
  {
    id: "image", in: "one", name: "`new Image()`, never shown", why: "in no document",
    run: ({ url }) => void Object.assign(new Image(), { src: url }),
  },
  {
    id: "input", in: "one", name: "`<input type=image>`", why: "a button",
    html: ({ url }) => `<input type=image src="${url}">`,
  },
  {
    id: "svg-image", in: "one", name: "SVG `<image>` and `<feImage>`", why: "a drawing asks",
    html: ({ url }) => `<svg width=9 height=9><filter id=fe><feImage href="${url}?1"/></filter><rect width=9 height=9 filter="url(#fe)"/><image href="${url}?2" width=9 height=9 /></svg>`,
  },
  {
    id: "svg-use", in: "one", name: "SVG `<use>` of another host", why: "a drawing asks",
    html: ({ url }) => `<svg width=9 height=9><use href="${url}#a"/></svg>`,
    chromium: { absent: "only drawings of the same origin are fetched" },
    firefox: { absent: "only drawings of the same origin are fetched" },
  },
  {
    id: "svg-script", in: "one", name: "SVG `<script href>`", why: "a drawing asks",
    html: ({ url }) => `<svg><script href="${url}"></script></svg>`,
  },
  {
    id: "video", in: "one", name: "`<video>`, its poster, `<audio>`, `<track>`", why: "loaded in parts",
    html: ({ url }) => `<video src="${url}?1" preload=auto></video><video poster="${url}?2"></video><audio src="${url}?3" preload=auto></audio><video crossorigin src="data:video/mp4,"><track default src="${url}?4"></video>`,
  },
  {
    id: "object", in: "one", name: "`<object>` and `<embed>`", why: "a type that is known once it has come",
    html: ({ url }) => `<object data="${url}?1" width=9 height=9></object><embed src="${url}?2" width=9 height=9>`,
  },
  {
    id: "attributes", in: "one", name: "`background`, `lowsrc`, `longdesc`, `profile`, `codebase` …", why: "forgotten attributes",
    html: ({ url }) => `<table background="${url}"><tr><td background="${url}">a</table><img lowsrc="${url}" dynsrc="${url}" longdesc="${url}"><blockquote cite="${url}"></blockquote><applet code=a codebase="${url}"></applet>`,
  },
  {
    id: "multipart", in: "one", name: "`multipart/x-mixed-replace` picture that redirects", why: "a picture that never ends",
    html: ({ own, url }) => `<img src="${own}/go?to=${encodeURIComponent(url)}">`,
  },

  // Style.
  {
    id: "css", in: "one", name: "CSS `url()` in backgrounds, lists, borders, cursors", why: "no element asks",
    html: ({ url }) =>
      `<div style='background:url("${url}?1");cursor:url("${url}?2"),auto;border-image:url("${url}?3") 1;mask-image:url("${url}?4")'>a</div><ul><li style='list-style:url("${url}?5")'>a</ul>`,
  },
  {
    id: "css-import", in: "one", name: "CSS `@import`", why: "no element asks",
    html: ({ url }) => `<style>@import "${url}";</style>`,
  },
  {
    id: "css-filter", in: "one", name: "CSS `filter`, `clip-path`, `shape-outside` of another host", why: "no element asks",
    html: ({ url }) => `<div style='filter:url("${url}?1#a");clip-path:url("${url}?2#a");float:left;shape-outside:url("${url}?3");width:9px;height:9px'>a</div>`,
  },
  {
    id: "css-content", in: "one", name: "CSS `content` and `::before`", why: "no element asks",
    html: ({ url, port }) => `<style>#c${port}::before{content:url("${url}")}</style><p id=c${port}>`,
  },
  {
    id: "css-value", in: "one", name: "CSS that tells what is typed, letter by letter", why: "no script is needed",
    html: ({ url, port }) => `<style>#v${port}[value^=o]{background:url("${url}")}</style><input id=v${port} value=oncologist>`,
  },
  {
    id: "font", in: "one", name: "`@font-face`", why: "asked for when a letter is drawn",
    html: ({ url, port }) => `<style>@font-face{font-family:f${port};src:url("${url}")}</style><p style="font-family:f${port}">a</p>`,
  },
  {
    id: "fontface", in: "one", name: "`new FontFace()`", why: "in no style sheet",
    run: ({ url }) => new FontFace("a", `url("${url}")`).load(),
  },

  // Frames.
  {
    id: "frame", in: "one", name: "`<iframe>`", why: "the plain way",
    html: ({ url }) => `<iframe src="${url}"></iframe>`,
  },
  {
    id: "frame-blank", in: "one", name: "an `about:blank` frame asks", why: "its document has no address",
    run: ({ url }) => {
      const frame = document.body.appendChild(document.createElement("iframe"));
      void /** @type {any} */ (frame.contentWindow).fetch(url, { mode: "no-cors" });
    },
  },
  {
    id: "frame-srcdoc", in: "one", name: "a `srcdoc` frame asks", why: "its document has no address",
    run: ({ url }) => void document.body.append(Object.assign(document.createElement("iframe"), { srcdoc: `<img src="${url}">` })),
  },
  {
    id: "frame-blob", in: "one", name: "a `blob:` frame asks", why: "its document has no address",
    run: ({ url }) => {
      const src = URL.createObjectURL(new Blob([`<img src="${url}">`], { type: "text/html" }));
      document.body.append(Object.assign(document.createElement("iframe"), { src }));
    },
  },
  {
    id: "frame-data", in: "one", name: "a `data:` frame asks", why: "its document has no origin",
    run: ({ url }) => void document.body.append(Object.assign(document.createElement("iframe"), { src: `data:text/html,<img src="${url}">` })),
  },
  {
    id: "frame-sandbox", in: "one", name: "a sandboxed frame asks", why: "its document has no origin",
    run: ({ url }) => {
      const frame = Object.assign(document.createElement("iframe"), { srcdoc: `<img src="${url}">` });
      frame.setAttribute("sandbox", "");
      document.body.append(frame);
    },
  },
  {
    id: "frame-javascript", in: "one", name: "a `javascript:` frame asks", why: "its document has no address",
    run: ({ url }) => void document.body.append(Object.assign(document.createElement("iframe"), { src: `javascript:'<img src="${url}">'` })),
  },
  {
    id: "frame-refresh", in: "one", name: "`<meta http-equiv=refresh>` in a frame", why: "the browser goes there by itself",
    run: ({ url }) => void document.body.append(Object.assign(document.createElement("iframe"), { srcdoc: `<meta http-equiv=refresh content="0;url=${url}">` })),
  },
  {
    id: "refresh", in: "one", name: "`Refresh` header of a frame", why: "the browser goes there by itself",
    files: { "frame.html": () => "<!doctype html>" },
    fileHeaders: ({ url }) => ({ Refresh: `0;url=${url}` }),
    run: ({ files }) => void document.body.append(Object.assign(document.createElement("iframe"), { src: `${files}/frame.html` })),
  },
  {
    id: "form-post", in: "one", name: "a form into a hidden frame", why: "a navigation, not a request of a script",
    run: ({ url, port }) => {
      const html = `<iframe name=f${port} hidden></iframe><form method=post action="${url}" target=f${port}><input name=a value=b></form>`;
      document.body.insertAdjacentHTML("beforeend", html);
      /** @type {HTMLFormElement} */ (document.body.lastElementChild).submit();
    },
  },
  {
    id: "object-frame", in: "one", name: "a frame in a frame of the site", why: "two steps from the page",
    run: ({ url }) => void document.body.append(Object.assign(document.createElement("iframe"), { srcdoc: `<iframe srcdoc='<iframe src="${url}"></iframe>'></iframe>` })),
  },
  {
    id: "fenced-frame", in: "one", name: "`<fencedframe>`", why: "its page cannot be seen from outside",
    run: ({ url }) => {
      const frame = document.body.appendChild(document.createElement("fencedframe"));
      /** @type {any} */ (frame).config = new web.FencedFrameConfig(url);
    },
    chromium: { absent: MISSING },
    firefox: { absent: MISSING },
  },
  {
    id: "portal", in: "one", name: "`<portal>`", why: "a page in a page",
    html: ({ url }) => `<portal src="${url}"></portal>`,
    chromium: { absent: MISSING },
    firefox: { absent: MISSING },
  },
  {
    id: "xslt", in: "one", name: "XSLT of another host", why: "a style sheet of XML, `document()` in it",
    files: { "a.xml": ({ url }) => `<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="${url}"?><a/>` },
    run: ({ files }) => void document.body.append(Object.assign(document.createElement("iframe"), { src: `${files}/a.xml` })),
    chromium: { absent: "only style sheets of the same origin are fetched" },
  },
  {
    id: "xml-css", in: "one", name: "a style sheet of an XML document", why: "no element asks",
    files: { "a.xml": ({ url }) => `<?xml version="1.0"?><?xml-stylesheet type="text/css" href="${url}"?><a>a</a>` },
    run: ({ files }) => void document.body.append(Object.assign(document.createElement("iframe"), { src: `${files}/a.xml` })),
  },

  // Roundabout.
  {
    id: "redirect-own", in: "one", name: "an address of the site that redirects", why: "the address asked for is the site's own",
    run: ({ own, url }) => void Object.assign(new Image(), { src: `${own}/go?to=${encodeURIComponent(url)}` }),
  },
  {
    id: "redirect-other", in: "one", name: "a redirect through a host that no list knows", why: "the address asked for is harmless",
    run: ({ hop, url }) => fetch(`${hop}/go?to=${encodeURIComponent(url)}`, { mode: "no-cors" }),
  },
  {
    id: "cname", in: "one", alias: true, name: "the recipient under the site's own name (CNAME)", why: "only DNS knows who it is",
    run: ({ url }) => fetch(url, { method: "POST", body: location.href, mode: "no-cors" }),
    chromium: { limit: "this browser tells no extension what a name stands for; a list that knows the name stops it" },
  },
  {
    id: "bfcache", in: "back", name: "a page that comes back from the back-forward cache", why: "it is not loaded again",
    run: ({ url }) => addEventListener("pageshow", ({ persisted }) => persisted && fetch(url, { mode: "no-cors" })),
  },
  {
    id: "ping", in: "one", name: "`<a ping>`", why: "sent beside the click",
    run: ({ url }) => {
      const link = document.body.appendChild(Object.assign(document.createElement("a"), { href: "#ping", ping: url }));
      link.click();
    },
    firefox: { absent: "off unless a person turns it on" },
  },
  {
    id: "download", in: "download", single: true, name: "`<a download>`, clicked by a script", why: "a download, not a part of the page",
    run: ({ url }) => document.body.appendChild(Object.assign(document.createElement("a"), { href: url, download: "a" })).click(),
    chromium: { limit: WINDOW },
    firefox: { limit: WINDOW },
  },
  {
    id: "popup", in: "popup", single: true, name: "`window.open`", why: "a window of its own",
    run: ({ url }) => void window.open(url, "_blank"),
    chromium: { limit: WINDOW },
    firefox: { limit: WINDOW },
  },
  {
    id: "no-content", in: "no-content", single: true, name: "the window is sent somewhere that answers with nothing (204)", why: "the page stays as it is",
    run: ({ url }) => void (location.href = `${url}?nothing`),
    chromium: { limit: WINDOW },
    firefox: { limit: WINDOW },
  },
  {
    id: "form-top", in: "form-top", single: true, name: "a form that takes the whole window", why: "the page goes there itself",
    run: ({ url }) => {
      document.body.insertAdjacentHTML("beforeend", `<form method=post action="${url}"><input name=a value=b></form>`);
      /** @type {HTMLFormElement} */ (document.body.lastElementChild).submit();
    },
    chromium: { limit: WINDOW },
    firefox: { limit: WINDOW },
  },

  // The browser's own reports.
  {
    id: "csp-uri", in: "reports", single: true, name: "`Content-Security-Policy`: `report-uri`", why: "the browser sends it, not the page",
    headers: ({ url }) => ({ "Content-Security-Policy-Report-Only": `img-src 'none'; report-uri ${url}` }),
    html: () => "<img src=/violation>",
  },
  {
    id: "csp-to", in: "reports", single: true, name: "`Content-Security-Policy`: `report-to`", why: "the browser sends it when it likes",
    headers: ({ url }) => ({ "Reporting-Endpoints": `csp="${url}"`, "Content-Security-Policy-Report-Only": "img-src 'none'; report-to csp" }),
    html: () => "<img src=/violation>",
  },
  {
    id: "nel", in: "reports", single: true, name: "`NEL` with `Report-To`", why: "the browser sends it when it likes, for weeks",
    headers: ({ url }) => ({
      "Report-To": `{"group":"nel","max_age":10000,"endpoints":[{"url":"${url}"}]}`,
      "NEL": `{"report_to":"nel","max_age":10000,"success_fraction":1.0}`,
    }),
    html: () => "<img src=/files/none>",
    firefox: { absent: MISSING },
    chromium: { limit: NEL },
  },
  {
    id: "coop", in: "reports", single: true, name: "reports of `Cross-Origin-Opener-Policy`, `-Embedder-Policy`, `Permissions-Policy`", why: "the browser sends them, not the page",
    headers: ({ url }) => ({
      "Reporting-Endpoints": `coop="${url}"`,
      "Cross-Origin-Embedder-Policy-Report-Only": `require-corp; report-to="coop"`,
      "Permissions-Policy-Report-Only": `geolocation=();report-to=coop`,
    }),
    html: ({ own }) => `<iframe src="${own}/elsewhere"></iframe>`,
    run: () => navigator.geolocation.getCurrentPosition(() => {}, () => {}),
    firefox: { absent: MISSING },
  },

  // What browsers once had, or have for advertisers, shops and logins.
  {
    id: "attribution", in: "one", name: "Attribution Reporting", why: "the browser reports, days later",
    html: ({ url }) => `<img attributionsrc="${url}" src="data:,">`,
    chromium: { absent: MISSING },
    firefox: { absent: MISSING },
  },
  {
    id: "shared-storage", in: "one", name: "Shared Storage and Private Aggregation worklets", why: "a thread of its own",
    run: async ({ url }) => (await web.sharedStorage.createWorklet(url, { dataOrigin: "script-origin" })).run("a"),
    chromium: { absent: MISSING },
    firefox: { absent: MISSING },
  },
  {
    id: "topics", in: "one", name: "Topics, Protected Audience", why: "the browser tells what it has learnt",
    run: async ({ url, origin }) => {
      const asked = fetch(url, /** @type {any} */ ({ browsingTopics: true, mode: "no-cors" }));
      await /** @type {any} */ (navigator).joinAdInterestGroup?.({ owner: origin, name: "a", biddingLogicURL: url }, 1000);
      await asked;
    },
  },
  {
    id: "fedcm", in: "fedcm", single: true, name: "federated login (FedCM)", why: "the browser asks, not the page",
    run: ({ origin }) => navigator.credentials.get(/** @type {any} */ ({ identity: { providers: [{ configURL: `${origin}/config.json`, clientId: "a" }] }, mediation: "optional" })),
    firefox: { absent: MISSING },
    chromium: { limit: OWN_QUESTION },
  },
  {
    id: "payment", in: "one", single: true, name: "Payment Request: the method's manifest", why: "the browser asks, not the page",
    run: ({ origin }) => new web.PaymentRequest([{ supportedMethods: `${origin}/pay` }], { total: { label: "a", amount: { currency: "EUR", value: "1" } } }).canMakePayment(),
    firefox: { absent: MISSING },
    chromium: { limit: OWN_QUESTION },
  },
  {
    id: "webauthn", in: "webauthn", single: true, name: "passkeys: related origins", why: "the browser asks, not the page",
    run: ({ name }) => {
      const publicKey = { challenge: new Uint8Array(32), rp: { id: name, name: "a" }, user: { id: new Uint8Array(9), name: "a", displayName: "a" }, pubKeyCredParams: [{ type: "public-key", alg: -7 }] };
      return navigator.credentials.create(/** @type {any} */ ({ publicKey }));
    },
    firefox: { absent: MISSING },
    chromium: { limit: OWN_QUESTION },
  },
  {
    id: "alt-svc", in: "quiet", single: true, datagrams: true, name: "`Alt-Svc` to another host", why: "the next request for the site goes there",
    headers: ({ name, port, datagrams }) => ({ "Alt-Svc": `h2="${name}:${port}"; ma=600, h3="${name}:${datagrams}"; ma=600` }),
    run: ({ own }) => fetch(`${own}/elsewhere?alt`),
    chromium: { limit: ALT },
    firefox: { limit: ALT },
  },

  // What a host may not learn even when it may be asked.
  {
    id: "leak", in: "one", to: "unknown", name: "the page's address, to a host that no list knows", why: "no list can help",
    run: ({ url }) => fetch(`${url}?dl=${encodeURIComponent(location.href)}`, { mode: "no-cors" }),
  },
  {
    id: "frame-referrer", in: "referrer", to: "unknown", tells: true, name: "`document.referrer` and `Referer` of a frame, and of a frame in it", why: "the browser tells, not the page",
    headers: () => ({ "Referrer-Policy": "unsafe-url" }),
    html: ({ url }) => `<iframe src="${url}"></iframe>`,
    frame: "<!doctype html><script>fetch('/seen', { method: 'POST', body: document.referrer })</script><iframe src='/inner'></iframe>",
    firefox: { absent: "this browser says the origin alone by itself" },
  },
];
