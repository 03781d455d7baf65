/**
 * Makes the workshop's example: walks through the demo in Chromium, in mode
 * watch, and writes the requests that the extension recorded of that visit into
 * ui/example/visit.har. What the engine thought of them is left out, for it is
 * asked again whenever the example is shown.
 *
 *   node tools/example.js     after ./build.sh build
 */

/* global chrome */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import * as chromium from "../test/drive/chromium.js";
import { ROOT, assemble, startRoom } from "../test/drive/demo.js";
import { installed } from "../test/popup.js";
import { walk } from "../test/walk.js";

/** @typedef {import("../background/visits.js").VisitPart} VisitPart */

const OUT = path.join(ROOT, "extension", "ui", "example", "visit.har");
const SITE = "booking.test";

/**
 * An HTTP archive, an entry a line.
 * @param {VisitPart["visit"]} visit
 * @param {VisitPart["requests"]} requests
 */
function archive({ domain, started, pages }, requests) {
  const at = (/** @type {number} */ ms) => new Date(started + ms).toISOString();
  const log = {
    version: "1.2",
    creator: { name: "Paravent", version: "example" },
    _paravent: { started: at(0), domain, mode: "watch", dropped: 0, carriers: [] },
    pages: pages.map((page, i) => ({
      id: `page_${i}`,
      title: page.url,
      startedDateTime: at(page.at),
      pageTimings: {},
      _paravent: { mode: "watch" },
    })),
    entries: [],
  };
  const lines = requests.map(({ page, at: ms, url, type, method, body, referer }) => {
    const text = Buffer.from(body, "base64").toString("utf8");
    const request = {
      ...{ method, url, httpVersion: "HTTP/1.1", cookies: [], queryString: [], headersSize: -1, bodySize: text === "" ? -1 : body.length },
      headers: referer === "" ? [] : [{ name: "Referer", value: referer }],
      ...(text === "" ? {} : { postData: { mimeType: "text/plain", text } }),
    };
    const content = { size: 0, mimeType: "" };
    const response = { status: 200, statusText: "", httpVersion: "HTTP/1.1", cookies: [], headers: [], content, redirectURL: "", headersSize: -1, bodySize: -1 };
    const timings = { send: 0, wait: 0, receive: 0 };
    return JSON.stringify({ pageref: `page_${page}`, startedDateTime: at(ms), time: 0, _paravent: { type }, request, response, cache: {}, timings });
  });
  return JSON.stringify({ log }, null, 1).replace('"entries": []', () => `"entries": [\n${lines.join(",\n")}\n  ]`) + "\n";
}

const dir = await mkdtemp(path.join(tmpdir(), "paravent-example-"));
const room = await startRoom();
try {
  const extension = await assemble({ browser: "chromium", out: path.join(dir, "chromium"), list: path.join(ROOT, "dist", "lists"), servers: null });
  const browser = await chromium.launch({ extension, pac: room.pac });
  try {
    await installed(browser);
    const page = await browser.extensionPage("ui/options.html");
    await page.evaluate((site) => chrome.runtime.sendMessage({ type: "mode", site, mode: "watch" }), SITE);
    const tab = browser.tab();
    const { booked } = await walk(tab, `http://${SITE}`);
    if (!booked) throw new Error("the walk through the demo did not end with an appointment");
    const tabId = await browser.tabId(tab);
    /** @type {VisitPart} */
    const { visit, requests } = await page.evaluate((id) => chrome.runtime.sendMessage({ type: "visit", tabId: id, from: 0 }), tabId);
    await mkdir(path.dirname(OUT), { recursive: true });
    await writeFile(OUT, archive(visit, requests));
    console.log(`${requests.length} requests on ${visit.pages.length} pages, in ${path.relative(process.cwd(), OUT)}`);
  } finally {
    await browser.close();
  }
} finally {
  await room.close();
  await rm(dir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
}
