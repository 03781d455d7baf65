/** Who learnt what, in sentences: what the picture shows, for those who read. */

import { byId, element, put } from "./page.js";
import { fatesOf } from "./report-data.js";
import { hostsText } from "./report-hosts.js";
import { countLabel } from "./report-signs.js";
import { learntBy, nameOf, purposesOf } from "./sentences.js";
import { sayCount } from "./words.js";

/** @typedef {import("./report-data.js").Group} Group */

/** So many are shown at first, and so many more whenever more are asked for. */
const FEW = 9;
const MORE = 30;

let length = FEW;
/** @type {Group[]} */
let shown = [];
/** @type {() => void} */
let again = () => {};

/**
 * @param {Group[]} groups
 * @param {{domain: string, mode: string}} where
 */
export function showTold(groups, where) {
  if (groups === shown) return;
  shown = groups;
  again = () => {
    const few = groups.slice(0, length);
    byId("words").replaceChildren(...few.map((group) => item(group, where)));
    put(byId("words-more"), few.length < groups.length ? sayCount("reportMore", Math.min(MORE, groups.length - few.length)) : "");
  };
  again();
}

byId("words-more").addEventListener("click", () => {
  const first = byId("words").children.length;
  length += MORE;
  again();
  // What the button brought is where one reads on.
  const next = byId("words").children[first];
  if (next instanceof HTMLElement) {
    next.tabIndex = -1;
    next.focus();
  }
});

/**
 * @param {Group} group
 * @param {{domain: string, mode: string}} where
 */
function item(group, where) {
  const purposes = purposesOf(group);
  const made = element(
    "li",
    { data: { recipient: group.name } },
    element("h4", { text: nameOf(group) }),
    element("p", { classes: ["counts"] }, ...fatesOf(group).map(({ fate, count }) => countLabel(fate, count))),
  );
  for (const sentence of learntBy(group, where)) made.append(element("p", { classes: ["sentence"], text: sentence }));
  if (purposes) made.append(element("p", { classes: ["quiet", "small"], text: purposes }));
  const hosts = group.hosts.map(({ host }) => host).filter((host) => host !== group.name);
  if (hosts.length > 0) made.append(element("p", { classes: ["quiet", "technical"], text: hostsText(hosts) }));
  return made;
}
