/**
 * The one table that a run ends with: who learnt what, without and with
 * Paravent, in every browser, as text, Markdown and HTML.
 */

/** @typedef {import("../test/drive/demo.js").Board} Board */
/** @typedef {import("../test/drive/demo.js").Party} Party */
/** @typedef {import("../test/walk.js").Walked} Walked */

/**
 * One walk and what was received during it.
 *
 * @typedef {object} Run
 * @property {string} browser as a reader calls it, for instance "Firefox"
 * @property {boolean} protected whether the extension was there
 * @property {Walked} walked
 * @property {Board} board
 */

/**
 * @typedef {object} Row
 * @property {string} name
 * @property {string} host
 * @property {Side} without
 * @property {Side} with
 *
 * @typedef {object} Side
 * @property {string} counts requests from each browser
 * @property {string[]} learnt sentences, of all browsers together; empty: nothing
 */

const NOTHING = "nothing";

/**
 * @param {Run[]} runs at least one without and one with
 * @returns {{text: string, markdown: string, html: string}}
 */
export function table(runs) {
  const browsers = [...new Set(runs.map((run) => run.browser))];
  const rows = rowsOf(runs, browsers);
  const facts = factsOf(runs);
  const title = "What each recipient learnt while a patient booked a doctor";
  const note = `Requests from ${browsers.join(" / ")}; the photo gateway's own are in brackets.`;
  return {
    text: asText(title, note, rows, facts),
    markdown: asMarkdown(title, note, rows, facts),
    html: asHtml(title, note, rows, facts),
  };
}

/**
 * @param {Run[]} runs
 * @param {string[]} browsers
 * @returns {Row[]}
 */
function rowsOf(runs, browsers) {
  const parties = runs[0]?.board.recipients ?? [];
  return parties.map(({ key, name, origin }) => {
    /** @param {boolean} isProtected */
    const side = (isProtected) => {
      const seen = browsers.map((browser) =>
        runs
          .find((run) => run.browser === browser && run.protected === isProtected)
          ?.board.recipients.find((party) => party.key === key),
      );
      return { counts: seen.map(countOf).join(" / "), learnt: apart(seen.flatMap(learntBy)) };
    };
    return { name, host: new URL(origin).hostname, without: side(false), with: side(true) };
  });
}

/** @param {Party | undefined} party */
function countOf(party) {
  if (!party) return "–";
  const own = party.requests.filter(({ from }) => from === "browser").length;
  const relayed = party.requests.length - own;
  return relayed ? `${own} (${relayed})` : `${own}`;
}

/** @param {Party | undefined} party */
function learntBy(party) {
  return party?.requests.some(({ from }) => from === "browser") ? party.learnt : [];
}

/**
 * Leaves out sentences that say no more than another: two browsers hardly ever
 * ask for the same photos in the same order.
 *
 * @param {string[]} sentences
 * @returns {string[]}
 */
function apart(sentences) {
  const words = sentences.map((sentence) => new Set(sentence.split(/[\s,:]+/)));
  return sentences.filter((_, i) => {
    const mine = words[i] ?? new Set();
    return !words.some((others, j) => {
      if (i === j || mine.size > others.size || (mine.size === others.size && i < j)) return false;
      return [...mine].every((word) => others.has(word));
    });
  });
}

/**
 * What the patient saw, for every run.
 *
 * @param {Run[]} runs
 * @returns {string[][]} the head, then one line a run
 */
function factsOf(runs) {
  const lines = runs.map(({ browser, protected: isProtected, walked }) => {
    const working = Object.values(walked.needs).filter(Boolean).length;
    return [
      `${browser}, ${isProtected ? "with" : "without"} Paravent`,
      `${walked.photos.filter(({ shown }) => shown).length} of ${walked.photos.length}`,
      `${working} of ${Object.keys(walked.needs).length} (${Object.keys(walked.needs).join(", ")})`,
      walked.booked ? "yes" : "NO",
    ];
  });
  return [["What the patient had", "Photos shown", "Working", "Booked"], ...lines];
}

/**
 * @param {string} title
 * @param {string} note
 * @param {Row[]} rows
 * @param {string[][]} facts
 */
function asText(title, note, rows, facts) {
  const widths = [26, 13, 48, 13, 16];
  const rule = widths.map((width) => "─".repeat(width)).join("─┼─");
  const blocks = [
    block(["", "Without Paravent", "With Paravent"], [26, 13 + 3 + 48, 13 + 3 + 16]),
    block(["Recipient", "requests", "learnt", "requests", "learnt"], widths),
    ...rows.map((row) =>
      block([`${row.name}\n${row.host}`, row.without.counts, sentences(row.without), row.with.counts, sentences(row.with)], widths),
    ),
  ];
  const columns = (facts[0] ?? []).map((_, i) => Math.max(...facts.map((line) => [...(line[i] ?? "")].length)));
  const lines = facts.map((line) => line.map((cell, i) => cell.padEnd(columns[i] ?? 0)).join("   ").trimEnd());
  const [head, names, ...rest] = blocks;
  return [title, "", head, names, rule, rest.join(`\n${rule}\n`), rule, note, "", ...lines, ""].join("\n");
}

/**
 * @param {Side} side
 * @returns {string} a sentence a line
 */
function sentences(side) {
  return side.learnt.length ? side.learnt.map((sentence) => `· ${sentence}`).join("\n") : NOTHING;
}

/**
 * Cells side by side, each broken at spaces to its width.
 *
 * @param {string[]} cells
 * @param {number[]} widths in characters
 */
function block(cells, widths) {
  const columns = cells.map((cell, i) => cell.split("\n").flatMap((line) => wrap(line, widths[i] ?? 0)));
  const height = Math.max(...columns.map((lines) => lines.length));
  return Array.from({ length: height }, (_, y) =>
    columns.map((lines, i) => pad(lines[y] ?? "", widths[i] ?? 0)).join(" │ ").trimEnd(),
  ).join("\n");
}

/**
 * @param {string} line
 * @param {number} width
 * @returns {string[]}
 */
function wrap(line, width) {
  /** @type {string[]} */
  const out = [];
  let now = "";
  for (const word of line.split(" ")) {
    for (let rest = word; ; ) {
      const joined = now ? `${now} ${rest}` : rest;
      if ([...joined].length <= width) {
        now = joined;
        break;
      }
      if (now) {
        out.push(now);
        now = "";
      } else {
        out.push([...rest].slice(0, width).join(""));
        rest = [...rest].slice(width).join("");
      }
    }
  }
  return [...out, now];
}

/**
 * @param {string} text
 * @param {number} width
 */
const pad = (text, width) => text + " ".repeat(Math.max(0, width - [...text].length));

/**
 * @param {string} title
 * @param {string} note
 * @param {Row[]} rows
 * @param {string[][]} facts
 */
function asMarkdown(title, note, rows, facts) {
  /** @param {string[]} cells */
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", "<br>")).join(" | ")} |`;
  /** @param {string[][]} all */
  const grid = ([head = [], ...rest]) => [line(head), line(head.map(() => "---")), ...rest.map(line)].join("\n");
  const main = [
    ["Recipient", "requests without", "learnt without Paravent", "requests with", "learnt with Paravent"],
    ...rows.map((row) => [`${row.name}\n${row.host}`, row.without.counts, sentences(row.without), row.with.counts, sentences(row.with)]),
  ];
  return `# ${title}\n\n${grid(main)}\n\n${note}\n\n${grid(facts)}\n`;
}

/**
 * @param {string} title
 * @param {string} note
 * @param {Row[]} rows
 * @param {string[][]} facts
 */
function asHtml(title, note, rows, facts) {
  /** @param {Side} side */
  const list = (side) =>
    side.learnt.length
      ? `<ul>${side.learnt.map((sentence) => `<li>${escape(sentence)}</li>`).join("")}</ul>`
      : `<strong>${NOTHING}</strong>`;
  const [head = [], ...lines] = facts;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escape(title)}</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 80rem; margin: 2rem auto; padding: 0 1rem; color: #1c2733; }
table { border-collapse: collapse; margin: 1.5rem 0; width: 100%; }
th, td { border-bottom: 1px solid #cfd8e0; padding: .5rem .75rem; text-align: left; vertical-align: top; }
td.n { white-space: nowrap; font-variant-numeric: tabular-nums; }
ul { margin: 0; padding-left: 1.1rem; }
strong { color: #0a6b4b; }
</style>
<h1>${escape(title)}</h1>
<table>
<thead>
<tr><th rowspan="2">Recipient</th><th colspan="2">Without Paravent</th><th colspan="2">With Paravent</th></tr>
<tr><th>Requests</th><th>Learnt</th><th>Requests</th><th>Learnt</th></tr>
</thead>
<tbody>
${rows
  .map(
    (row) =>
      `<tr><th>${escape(row.name)}<br><code>${escape(row.host)}</code></th><td class="n">${escape(row.without.counts)}</td><td>${list(row.without)}</td>` +
      `<td class="n">${escape(row.with.counts)}</td><td>${list(row.with)}</td></tr>`,
  )
  .join("\n")}
</tbody>
</table>
<p>${escape(note)}</p>
<table>
<thead><tr>${head.map((cell) => `<th>${escape(cell)}</th>`).join("")}</tr></thead>
<tbody>
${lines.map((line) => `<tr>${line.map((cell) => `<td>${escape(cell)}</td>`).join("")}</tr>`).join("\n")}
</tbody>
</table>
</html>
`;
}

/** @param {string} text */
const escape = (text) =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
