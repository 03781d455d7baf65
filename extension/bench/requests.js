/** Requests to measure with, in Node and in a page alike. */

/** @typedef {{url: string, page: string, type: string}} Request type as webRequest names it */

/**
 * The same requests as nobody has seen them before: the address and the page
 * of each end in a mark of their own. Like those that a browser hands to an
 * extension, the strings are of one piece and lie in JavaScript's own heap:
 * what template literals make the first reader would have to put together, and
 * what TextDecoder makes in Chromium lies elsewhere.
 * @param {Request[]} requests
 * @param {string} mark
 * @returns {Request[]}
 */
export function marked(requests, mark) {
  /** @type {string[]} */
  const strings = JSON.parse(JSON.stringify(
    requests.flatMap(({ url, page }, i) => [withMark(url, `${mark}.${i}`), withMark(page, `${mark}.${i}`)]),
  ));
  return requests.map(({ type }, i) => ({ url: strings[2 * i], page: strings[2 * i + 1], type }));
}

/**
 * @param {string} url
 * @param {string} mark
 */
function withMark(url, mark) {
  return `${url}${url.includes("?") ? "&" : "?"}pv=${mark}`;
}
