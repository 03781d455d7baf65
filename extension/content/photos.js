/**
 * Puts photos back. On a protected page the browser has answered a listed photo
 * with a placeholder; this asks the background for the real one and shows it as
 * a blob:, which no policy of the page forbids to a content script.
 */
(() => {
  const scope = /** @type {{paraventPhotos?: true}} */ (globalThis);
  // Injected by hand into open tabs as well as by registration: once is enough.
  if (scope.paraventPhotos) return;
  scope.paraventPhotos = true;

  /** @type {typeof chrome} */
  const api = /** @type {any} */ (globalThis).browser ?? globalThis.chrome;

  /** A page that keeps setting an image back gets its way in the end. */
  const MAX_TIMES = 8;
  const MAX_KNOWN = 2000;

  /**
   * What to show for an address: a blob:, the placeholder, or null for an image
   * that is none of our business.
   * @type {Map<string, Promise<string | null>>}
   */
  const known = new Map();
  /** @type {WeakMap<HTMLImageElement, number>} */
  const times = new WeakMap();

  /**
   * @param {string} url
   * @returns {Promise<string | null>}
   */
  function answerFor(url) {
    let answer = known.get(url);
    if (!answer) {
      if (known.size >= MAX_KNOWN) known.clear();
      answer = ask(url).catch(() => null);
      known.set(url, answer);
    }
    return answer;
  }

  /**
   * @param {string} url
   * @returns {Promise<string | null>}
   */
  async function ask(url) {
    const answer = await api.runtime.sendMessage({ type: "photo", url });
    if (!answer?.photo) return null;
    if (!answer.bytes) return api.runtime.getURL("content/placeholder.svg");
    return URL.createObjectURL(new Blob([answer.bytes], { type: answer.type }));
  }

  /**
   * @param {HTMLImageElement} image that has loaded, or failed to
   * @param {boolean} failed
   */
  async function consider(image, failed) {
    const url = image.currentSrc || image.src;
    if (!/^https?:/.test(url)) return;
    const shown = await answerFor(url);
    // Meanwhile the page may have moved on to another picture.
    if (shown === null || url !== (image.currentSrc || image.src)) return;
    // The browser shows the placeholder already, except where a service worker failed.
    if (!shown.startsWith("blob:") && !failed) return;
    const count = (times.get(image) ?? 0) + 1;
    if (count > MAX_TIMES) return;
    times.set(image, count);
    show(image, shown);
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
    if (image.src !== address) image.src = address;
  }

  /** @param {Event} event */
  function onEvent(event) {
    if (event.target instanceof HTMLImageElement) void consider(event.target, event.type === "error");
  }

  // On document, not window: a load event stops there.
  document.addEventListener("load", onEvent, true);
  document.addEventListener("error", onEvent, true);

  /** @param {ParentNode} root */
  function considerAll(root) {
    for (const image of root.querySelectorAll("img")) {
      if (image.complete) void consider(image, image.naturalWidth === 0);
    }
  }

  // An image that loads before it is put into the page tells the page only.
  new MutationObserver((mutations) => {
    for (const { addedNodes } of mutations) {
      for (const node of addedNodes) {
        if (node instanceof HTMLImageElement) {
          if (node.complete) void consider(node, node.naturalWidth === 0);
        } else if (node instanceof Element) {
          considerAll(node);
        }
      }
    }
  }).observe(document, { childList: true, subtree: true });

  considerAll(document);
})();
