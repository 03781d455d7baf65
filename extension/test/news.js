/**
 * A site that is on no list, on a host of its own beside the demo, and a
 * stranger whom its pages ask for things.
 */

import { startHost } from "./drive/host.js";

/**
 * @typedef {object} News
 * @property {string} origin
 * @property {string[]} asked as a host's, to be emptied by who reads it
 * @property {string[]} stranger what the stranger was asked, likewise
 * @property {() => Promise<void>} close
 *
 * @param {(page: string, stranger: string) => string} body of a page: its address, and the stranger's origin
 * @returns {Promise<News>}
 */
export async function startNews(body) {
  const stranger = await startHost("stranger.localhost", (_, response) => response.end());
  const news = await startHost("news.localhost", (request, response) => {
    if (!request.headers.accept?.startsWith("text/html")) {
      response.end();
      return;
    }
    response.setHeader("Content-Type", "text/html");
    response.end(`<!doctype html><title>News</title>${body(`${news.origin}${request.url}`, stranger.origin)}`);
  });
  return {
    origin: news.origin,
    asked: news.asked,
    stranger: stranger.asked,
    close: async () => {
      await news.close();
      await stranger.close();
    },
  };
}
