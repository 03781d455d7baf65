/** What a row of the table opens to: the whole address, the rule, and what the request carried. */

import { element } from "./page.js";
import { bodyOf, cut, parametersOf, plain, shortened } from "./report-decode.js";
import { say, sayCount } from "./words.js";

/**
 * @typedef {import("./report-data.js").Row} Row
 * @typedef {{body: string, referer: string}} Carried what the browser saw besides
 */

/** Of an address so many characters are shown before it is asked for whole. */
const ADDRESS = 600;

/**
 * @param {Row} row
 * @param {string} page its address
 * @param {Carried | undefined} carried
 */
export function detailOf(row, page, carried) {
  const list = element("dl");
  list.className = "facts";
  /** @param {string} name @param {...Node} what */
  const fact = (name, ...what) => list.append(element("dt", { text: name }), element("dd", {}, ...what));
  const technical = (/** @type {string} */ text) => element("p", { classes: ["technical"], text });
  fact(say("reportAddress"), address(row.url));
  fact(say("reportMethod"), technical(shortened(row.method, 40)));
  fact(say("reportPage"), technical(shortened(page, ADDRESS) || say("reportPageUnknown")));
  if (carried?.referer) fact(say("reportReferer"), technical(plain(carried.referer)));
  fact(say("reportReason"), element("p", { text: say(`reportReason_${row.reason}`) || row.reason }));
  if (row.rule) fact(say("reportRule"), technical(plain(row.rule)));
  const findings = row.learnt.map((finding) => {
    const where = `${say(`reportPlace_${finding.place}`)}${finding.field ? ` · ${plain(finding.field)}` : ""} · ${finding.encoding}`;
    return element(
      "li",
      {},
      element("p", { text: say(`reportWhat_${finding.what}`) }),
      technical(plain(finding.text)),
      element("p", { classes: ["quiet", "small"], text: where }),
    );
  });
  fact(say("reportTold"), findings.length > 0 ? element("ul", {}, ...findings) : element("p", { text: say("reportToldNothing") }));
  const parameters = parametersOf(row.url);
  if (parameters.length > 0) {
    const lines = parameters.map(({ name, value }) =>
      element("li", { classes: ["technical"] }, element("b", { text: name }), element("span", { text: ` ${value}` })),
    );
    fact(say("reportParameters"), element("ul", {}, ...lines));
  }
  if (carried?.body) {
    const place = element("pre", { classes: ["technical"] });
    fact(say("reportBody"), place);
    void showBody(place, carried.body);
  }
  return list;
}

/** @param {string} url */
function address(url) {
  const text = element("p", { classes: ["technical"], text: shortened(url, ADDRESS) });
  if (url.length <= ADDRESS) return text;
  const more = element("button", { classes: ["plain"], text: say("reportAddressWhole"), attributes: { type: "button" } });
  more.addEventListener("click", () => {
    text.textContent = plain(url);
    text.tabIndex = -1;
    text.focus();
    more.remove();
  });
  return element("div", {}, text, more);
}

/**
 * @param {HTMLElement} place
 * @param {string} base64
 */
async function showBody(place, base64) {
  try {
    const { text, bytes } = await bodyOf(base64);
    place.textContent = text || sayCount("reportBytes", bytes);
  } catch {
    place.textContent = cut(base64, 200);
  }
}
