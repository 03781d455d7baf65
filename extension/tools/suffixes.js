/**
 * The public suffix list as text (https://publicsuffix.org/list/), written from
 * the one that the pinned tldts carries:
 *
 *   !www.ck
 *   *.ck
 *   ac
 *   com.ac
 */

// @ts-expect-error the data has no types
import trie from "tldts/dist/cjs/src/data/trie.js";

/** @returns {string} a rule a line, names in ASCII only, as hosts have them */
export function publicSuffixes() {
  const { nodeFlags, edgeStart, edgeLength, edgeChild, labelText, rulesRoot, exceptionsRoot } = trie;
  /** @type {string[]} */
  const labels = [];
  for (let edge = 0, at = 0; edge < edgeLength.length; at += edgeLength[edge++]) {
    labels.push(labelText.slice(at, at + edgeLength[edge]));
  }
  /** @type {string[]} */
  const rules = [];
  /**
   * @param {number} node
   * @param {string} suffix of all names below the node, with its leading dot
   * @param {string} mark
   */
  const walk = (node, suffix, mark) => {
    for (let edge = edgeStart[node]; edge < edgeStart[node + 1]; edge++) {
      const name = labels[edge] + suffix;
      if (nodeFlags[edgeChild[edge]] !== 0) rules.push(mark + name);
      walk(edgeChild[edge], `.${name}`, mark);
    }
  };
  walk(rulesRoot, "", "");
  walk(exceptionsRoot, "", "!");
  // It has every other name twice, as it is read and as "xn--…".
  return `${rules.filter((rule) => /^[!-~]+$/.test(rule)).sort().join("\n")}\n`;
}
