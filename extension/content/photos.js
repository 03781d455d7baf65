/**
 * Puts photos back. On a protected page the browser has answered a listed photo
 * with a placeholder; this asks the background for the real one and shows it as
 * a data:, or as a blob: if it is large, which no policy of the page forbids to
 * an image of a content script.
 * Where none comes, the initials in the image's description are drawn instead;
 * a title, and the popup on a click, say why.
 *
 * The page's own scripts can see that: `src` and `currentSrc` of such an image
 * are a data: or a blob:, its other candidates are empty, and until it is there an image
 * has the size of the placeholder, 128 × 128. What stands in for a photo has a
 * `title`, in the browser's language, unless the page gave it one; a click on it
 * is left to the page. They can read the photo's pixels, as of any image of the
 * page's; it was asked for without anything of the patient's, so that anybody
 * would have got the same. They cannot see where it came from, nor any address
 * of the extension. A background that the page's policy does not let be a data:
 * keeps the placeholder; the page is told of the first one, as of anything that
 * its policy forbids. The backgrounds of ::before and ::after, and
 * what style sheets show in yet other ways, keep it too.
 */
(() => {
  const scope = /** @type {{paraventPhotos?: true}} */ (globalThis);
  // Injected by hand into open tabs as well as by registration: once is enough.
  if (scope.paraventPhotos) return;
  scope.paraventPhotos = true;

  /** @type {typeof chrome} */
  const api = /** @type {any} */ (globalThis).browser ?? globalThis.chrome;

  /** Whether some of the page may have loaded before this was here. */
  const isLate = document.readyState !== "loading";
  /** A page that keeps setting an image back gets its way in the end. */
  const MAX_TIMES = 8;
  const MAX_KNOWN = 2000;
  /** So many milliseconds after a placeholder was sent it has loaded, if it is one of those that say so. */
  const LOADED_MS = 50;
  /** What is not in the page yet is looked for again after so many milliseconds. */
  const LATER_MS = 1000;
  /** Going through the page takes no more than one part in so many of its time. */
  const REST = 10;
  /** What is asked for is gathered for so many milliseconds. */
  const GATHER_MS = 16;
  /** A background that is lost so often without an answer is not asked again. */
  const MAX_LOSSES = 3;
  /** A photo of more bytes is no data:. */
  const MAX_DATA = 64 * 1024;

  /** What a page may hang a shadow root on (DOM, 4.8): elements of its own, and these. */
  const SHADOW_HOSTS = /-|^(article|aside|blockquote|body|div|footer|h[1-6]|header|main|nav|p|section|span)$/;

  /** What stands before a name in an image's description. */
  const TITLES = /^(dra?|dre|doc|doct(eu|o)re?|dottoress?a?|pr|prof|profess(eu|o)re?|m|mr|mrs|ms|mme|mlle|frau|herr|sra?|photo|foto|portrait|image)\.?$/i;

  /**
   * What to show for an address: a data: or a blob:, "" for a photo that did not come, or
   * null for an image that is none of our business.
   * @type {Map<string, Promise<string | null>>}
   */
  const known = new Map();
  /** Addresses that something in the page was found to show. @type {Set<string>} */
  const met = new Set();
  /** A head and shoulders. */
  const FIGURE = '<path d="M64 34a20 20 0 1 1 0 40 20 20 0 1 1 0-40zM24 112c0-20 16-30 40-30s40 10 40 30z" fill="#4f6a61"/>';
  /** Drawn initials, as blob:. @type {Map<string, string>} */
  const drawings = new Map();
  /** Images in a photo's stead, and the address that each then showed. @type {WeakMap<HTMLImageElement, string>} */
  const standIns = new WeakMap();
  /** Read once: an extension that was updated meanwhile has no sentences for its old scripts. */
  const whyNoPhoto = api.i18n.getMessage("photosStandIn");
  /** A click in one of these means what the page says. */
  const OPERATED = 'a, button, label, summary, [role="button" i], [role="link" i]';
  /** @type {WeakMap<HTMLImageElement | SVGImageElement, number>} */
  const times = new WeakMap();
  /** The document and the shadow roots in it. @type {Set<Document | ShadowRoot>} */
  const roots = new Set();

  /**
   * @param {string} url that something in the page shows
   * @returns {Promise<string | null>}
   */
  function answerFor(url) {
    const answer = answerSoon(url);
    met.add(url);
    // What did not come may come the next time.
    void answer.then((shown) => shown === "" && known.delete(url));
    return answer;
  }

  /**
   * @param {string} url
   * @returns {Promise<string | null>}
   */
  function answerSoon(url) {
    let answer = known.get(url);
    if (!answer) {
      if (known.size >= MAX_KNOWN) {
        known.clear();
        met.clear();
      }
      answer = ask(url).catch(() => null);
      known.set(url, answer);
    }
    return answer;
  }

  /** Addresses of placeholders for which there is an answer, perhaps before they have loaded. @type {Map<string, string>} */
  const arrived = new Map();

  /**
   * Asks for what was answered with a placeholder before that has loaded.
   * @param {string} url
   */
  async function expect(url) {
    const shown = await answerSoon(url);
    // A placeholder that stays says so when it has loaded, unless it had before this was here.
    if (shown === null || (shown === "" && !isLate)) return;
    if (arrived.size === 0) setTimeout(showArrived);
    arrived.set(url, shown);
  }

  function showArrived() {
    for (const root of roots) {
      for (const image of root.querySelectorAll("img")) {
        const shown = arrived.get(image.currentSrc || image.src);
        if (shown) void consider(image);
        else if (shown === "" && image.complete) void consider(image, false, shown);
      }
      for (const image of root.querySelectorAll("image")) {
        if (image instanceof SVGImageElement && arrived.get(drawnFrom(image))) void considerDrawn(image);
      }
    }
    arrived.clear();
  }

  /** Who waits for what was asked for, by address. @type {Map<string, (answer: any) => void>} */
  const waiting = new Map();
  /** What is to be asked for. @type {string[]} */
  let unasked = [];
  /** @type {chrome.runtime.Port | undefined} */
  let port;
  /** How often it was lost since the last answer. */
  let losses = 0;

  /**
   * @param {string} url
   * @returns {Promise<string | null>}
   */
  async function ask(url) {
    const answer = await new Promise((done) => {
      waiting.set(url, done);
      if (unasked.push(url) === 1) setTimeout(askTogether, GATHER_MS);
    });
    if (!answer?.photo) return null;
    return answer.bytes ? addressOf(answer.type, new Uint8Array(answer.bytes)) : "";
  }

  /**
   * A blob: is made, looked up and read in another process, which is a fifth of
   * all that photos cost Chromium. A data: is here already.
   * @param {string} type
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  function addressOf(type, bytes) {
    if (bytes.length > MAX_DATA) return URL.createObjectURL(new Blob([bytes], { type }));
    return `data:${type};base64,${/** @type {any} */ (bytes).toBase64()}`;
  }

  /** Each message is dear, and a page's placeholders come close together. */
  function askTogether() {
    const urls = unasked;
    unasked = [];
    try {
      port ??= connect();
      port.postMessage({ urls });
    } catch {
      // The extension was updated or removed.
      hangUp();
    }
  }

  function connect() {
    const made = api.runtime.connect({ name: "photos" });
    made.onMessage.addListener((answers) => {
      losses = 0;
      for (const answer of answers) {
        waiting.get(answer.url)?.(answer);
        waiting.delete(answer.url);
      }
    });
    made.onDisconnect.addListener(() => {
      if (port === made) askAgain();
    });
    return made;
  }

  /** Browsers stop a background that has been quiet for a while, also while photos are on their way to it. */
  function askAgain() {
    port = undefined;
    if (waiting.size === 0) return;
    if (losses++ >= MAX_LOSSES) {
      hangUp();
      return;
    }
    if (unasked.length === 0) setTimeout(askTogether, GATHER_MS);
    unasked = [...waiting.keys()];
  }

  /** Nobody answers any more what was asked. */
  function hangUp() {
    port?.disconnect();
    port = undefined;
    for (const done of waiting.values()) done(null);
    waiting.clear();
  }

  /**
   * @param {string} description
   * @param {boolean} isNeeded whether a figure is drawn where there are no initials
   * @returns {string} address of the drawing, "" when there is none
   */
  function drawn(description, isNeeded) {
    const names = description.split(/[^\p{L}.'’-]+/u).filter((word) => /^[\p{Lu}\p{Lo}]/u.test(word) && !TITLES.test(word));
    const letters = [names[0], names.length > 1 ? names[names.length - 1] : ""].map((name) => [...(name ?? "")][0] ?? "").join("");
    if (letters === "" && !isNeeded) return "";
    let address = drawings.get(letters);
    if (address === undefined) {
      // Letters alone: nothing that would have to be escaped.
      const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="128" height="128" viewBox="0 0 128 128">
<rect width="128" height="128" fill="#dfe7e4"/>
${letters === "" ? FIGURE : `<text x="64" y="64" dy=".36em" text-anchor="middle" font-family="system-ui, sans-serif" font-size="52" fill="#4f6a61">${letters}</text>`}
</svg>`;
      address = URL.createObjectURL(new Blob([svg], { type: "image/svg+xml" }));
      drawings.set(letters, address);
    }
    return address;
  }

  /**
   * @param {HTMLImageElement} image that has loaded, or failed to
   * @param {boolean} isReal whether it may show the photo itself, from before this was here
   * @param {string} [answer] that was given for its address
   */
  async function consider(image, isReal = false, answer) {
    const url = image.currentSrc || image.src;
    if (!/^https?:/.test(url)) {
      if (standIns.get(image) !== url) noLongerStandsIn(image);
      return;
    }
    const failed = image.complete && image.naturalWidth === 0;
    const photo = answer ?? (await answerFor(url));
    // Meanwhile the page may have moved on to another picture.
    if (url !== (image.currentSrc || image.src)) return;
    if (photo !== "") noLongerStandsIn(image);
    if (photo === null) return;
    if (photo === "" && isReal && !failed) return;
    // The browser shows the placeholder already, except where something failed: a
    // service worker, or the page's policy. Its address is this browser's alone,
    // and no page may learn it.
    const shown = photo || drawn(image.alt, failed);
    const changes = shown !== "" && mayChange(image);
    if (changes) show(image, shown);
    if (photo === "") standsIn(image, changes ? shown : url);
  }

  /**
   * @param {HTMLImageElement} image
   * @param {string} address that it shows in a photo's stead
   */
  function standsIn(image, address) {
    standIns.set(image, address);
    if (!image.hasAttribute("title")) image.title = whyNoPhoto;
  }

  /** @param {HTMLImageElement} image */
  function noLongerStandsIn(image) {
    if (standIns.delete(image) && image.title === whyNoPhoto) image.removeAttribute("title");
  }

  /** @param {Event} event a click, which the page gets as well */
  async function explain(event) {
    const { target: image, isTrusted } = event;
    if (!isTrusted || !(image instanceof HTMLImageElement)) return;
    if (standIns.get(image) !== (image.currentSrc || image.src)) return;
    if (event.composedPath().some((around) => around instanceof Element && around.matches(OPERATED))) return;
    // A browser may refuse to open the popup: the title says the same.
    await api.runtime.sendMessage({ type: "explain" }).catch(() => {});
  }

  /** @param {HTMLImageElement | SVGImageElement} image */
  function mayChange(image) {
    const count = (times.get(image) ?? 0) + 1;
    times.set(image, count);
    return count <= MAX_TIMES;
  }

  /**
   * @param {SVGImageElement} image
   * @returns {string} the address of what it shows, "" when that is none
   */
  function drawnFrom(image) {
    return URL.parse(image.href.baseVal, document.baseURI)?.href ?? "";
  }

  /** @param {SVGImageElement} image in a drawing */
  async function considerDrawn(image) {
    const url = drawnFrom(image);
    if (!/^https?:/.test(url)) return;
    const photo = await answerFor(url);
    if (!photo || url !== drawnFrom(image) || !mayChange(image)) return;
    // An older name of the same attribute would stay behind it.
    image.removeAttributeNS("http://www.w3.org/1999/xlink", "href");
    image.setAttribute("href", photo);
  }

  /**
   * @param {HTMLImageElement} image
   * @param {string} address
   */
  function show(image, address) {
    // Other candidates would win over src. They are emptied, not removed: the
    // page's scripts may count on finding the elements they made.
    if (image.parentElement instanceof HTMLPictureElement) {
      for (const source of image.parentElement.querySelectorAll("source")) source.removeAttribute("srcset");
    }
    image.removeAttribute("srcset");
    // Setting the same src again loads it on the page's behalf, under the page's
    // policy (seen in Firefox), and an image can have two events for one address.
    // The attribute is the text as it was set; Firefox reads all of a data: to tell the src.
    if (image.getAttribute("src") !== address) image.src = address;
  }

  /** @param {Event} event */
  function onEvent(event) {
    if (event.target instanceof HTMLImageElement) void consider(event.target);
    else if (event.target instanceof SVGImageElement) void considerDrawn(event.target);
  }

  /**
   * @param {ParentNode} root
   * @param {boolean} [isReal]
   */
  function considerAll(root, isReal) {
    for (const image of root.querySelectorAll("img")) {
      if (image.complete) void consider(image, isReal);
    }
    for (const image of root.querySelectorAll("image")) {
      if (image instanceof SVGImageElement) void considerDrawn(image);
    }
  }

  /**
   * @param {Document | ShadowRoot} root
   * @param {boolean} [isReal]
   */
  function watch(root, isReal) {
    if (roots.has(root)) return;
    roots.add(root);
    // On document, not window: a load event stops there, or at a shadow root.
    root.addEventListener("load", onEvent, true);
    root.addEventListener("error", onEvent, true);
    // At every root: beyond a shadow root, an image inside is not the target.
    root.addEventListener("click", (event) => void explain(event), true);
    // An image that loads before it is put into the page tells the page only.
    new MutationObserver((mutations) => {
      for (const { addedNodes } of mutations) {
        for (const node of addedNodes) {
          if (node instanceof HTMLImageElement) {
            if (node.complete) void consider(node);
          } else if (node instanceof SVGImageElement) {
            void considerDrawn(node);
          } else if (node instanceof Element) {
            considerAll(node);
          }
        }
      }
    }).observe(root, { childList: true, subtree: true });
    considerAll(root, isReal);
  }

  /** Backgrounds that were changed, and their own styles before. @type {Map<HTMLElement, string>} */
  const changed = new Map();
  let isForbidden = false;

  /** What is looked for all over the page, and whether it has been before. @type {Map<string, boolean>} */
  const sought = new Map();
  let isLooking = false;
  /** When the page may be gone through again, by performance.now(). */
  let nextLook = 0;

  /**
   * Nobody here is told of a shadow root that is made, or of a background that
   * has loaded. But the background tells what was answered with a placeholder.
   * @param {string[]} urls
   * @param {boolean} again
   */
  function seek(urls, again) {
    for (const url of urls) if (!met.has(url)) sought.set(url, again);
    if (isLooking || sought.size === 0) return;
    isLooking = true;
    setTimeout(() => {
      isLooking = false;
      const wanted = [...sought].filter(([url]) => !met.has(url));
      sought.clear();
      if (wanted.length === 0) return;
      const begun = performance.now();
      look(new Set(wanted.map(([url]) => url)));
      const unseen = wanted.flatMap(([url, again]) => (again || met.has(url) ? [] : [url]));
      const now = performance.now();
      nextLook = now + REST * (now - begun);
      // A picture can be on its way into the page.
      if (unseen.length > 0) setTimeout(seek, LATER_MS, unseen, true);
    }, Math.max(0, nextLook - performance.now()));
  }

  /** @param {Set<string>} urls */
  function look(urls) {
    for (const root of roots) {
      for (const element of root.querySelectorAll("*")) {
        const inside = shadowOf(element);
        if (inside) watch(inside);
        if (element instanceof HTMLVideoElement && urls.has(element.poster)) void considerPoster(element);
        if (!isForbidden && element instanceof HTMLElement) void considerBackground(element, urls);
      }
    }
  }

  /**
   * @param {Element} element
   * @returns {ShadowRoot | null} also a closed one, which the page's own scripts may not see
   */
  function shadowOf(element) {
    if (element.shadowRoot) return element.shadowRoot;
    if (!(element instanceof HTMLElement) || !SHADOW_HOSTS.test(element.localName)) return null;
    // Firefox has it as the element's own, Chromium as a function.
    const { openOrClosedShadowRoot } = /** @type {{openOrClosedShadowRoot?: ShadowRoot | null}} */ (element);
    return openOrClosedShadowRoot === undefined ? api.dom.openOrClosedShadowRoot(element) : openOrClosedShadowRoot;
  }

  /** @param {HTMLVideoElement} video */
  async function considerPoster(video) {
    const url = video.poster;
    const photo = await answerFor(url);
    if (photo && video.poster === url) video.poster = photo;
  }

  /**
   * @param {HTMLElement} element
   * @param {Set<string>} urls
   */
  async function considerBackground(element, urls) {
    for (const [, url = ""] of getComputedStyle(element).backgroundImage.matchAll(/url\("([^"]*)"\)/g)) {
      if (!urls.has(url)) continue;
      const photo = await answerFor(url);
      if (!photo || isForbidden) continue;
      const now = getComputedStyle(element).backgroundImage;
      if (!changed.has(element)) changed.set(element, element.style.backgroundImage);
      element.style.backgroundImage = now.replaceAll(`url("${url}")`, `url("${photo}")`);
    }
  }

  api.runtime.onMessage.addListener((message) => {
    if (message?.type !== "relayed") return;
    for (const url of message.urls) void expect(url);
    setTimeout(seek, LOADED_MS, message.urls, false);
  });

  document.addEventListener("securitypolicyviolation", ({ blockedURI }) => {
    if (!/^(blob|data)/.test(blockedURI) || changed.size === 0) return;
    isForbidden = true;
    for (const [element, before] of changed) element.style.backgroundImage = before;
    changed.clear();
  });

  // A page that comes back from the back/forward cache has missed the answers to what it asked.
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    hangUp();
    known.clear();
    met.clear();
    for (const root of roots) considerAll(root);
  });

  watch(document, isLate);
})();
