/** The figures of a benchmark for people: a table each. */

/**
 * @param {string} where
 * @param {Record<string, any>} engines
 */
export function printTimes(where, engines) {
  console.log(`\n${where}`);
  table([
    ["", "ns a request", "ubo-core's / its", "p50", "p90", "p99", "stopped"],
    ...Object.entries(engines).map(([name, { median_ns, speed, p50_ns, p90_ns, p99_ns, stopped }]) =>
      [name, median_ns, speed, p50_ns, p90_ns, p99_ns, stopped]),
  ]);
}

/** @param {Record<string, any>} engines */
export function printLoading(engines) {
  console.log("\nFrom bytes to ready, in a process of its own");
  table([
    ["", "ms", "start of its module, ms", "memory, MB", "bytes", "of"],
    ...Object.entries(engines).map(([name, { load_ms, start_ms, memory_bytes, bytes, form }]) =>
      [name, load_ms, name === "paravent" ? start_ms : "", memory_bytes / 1e6, String(bytes), form]),
  ]);
}

/** @param {any} report */
export function printDifferences({ found, found_tuning, found_report, missed, extra }) {
  console.log("\nOf what ubo-core stops");
  table([
    ["", "requests", "ubo-core stops", "found", "share", "extra"],
    ...Object.entries({ all: found, tuning: found_tuning, report: found_report }).map(([name, share]) =>
      [name, String(share.requests), String(share.reference_blocks), String(share.found), `${(100 * share.share).toFixed(2)} %`, String(share.extra)]),
  ]);
  for (const [kind, list] of Object.entries({ missed, extra })) {
    for (const { line, url, type, reference, paravent } of list.slice(0, 10)) {
      console.log(`  ${kind} line ${line}: ${type} ${url.slice(0, 100)}\n    ubo-core ${reference || "–"}   paravent ${paravent || "–"}`);
    }
    if (list.length > 10) console.log(`  and ${list.length - 10} more ${kind}, in the JSON`);
  }
}

/** @param {any} report */
export function printNative({ native, unlike_native, requests }) {
  console.log("\nNative Go");
  table([
    ["", "ns a request", "bytes", "allocations", "stopped"],
    ...Object.entries(native).map(([name, { ns, bytes, allocations, stopped }]) => [name, ns, String(bytes), String(allocations), stopped]),
  ]);
  console.log(`  ${unlike_native} of ${requests} answers are others in WebAssembly`);
}

/** @param {Awaited<ReturnType<typeof import("./wake.js").measureWake>>} wake */
export function printWake({ paravent, empty, ratio, work_ratio }) {
  console.log("\nFrom waking to the first decision in Chromium's service worker, ms");
  table([
    ["", "in all", "of these its own work"],
    ["paravent", paravent.wake_ms, paravent.work_ms],
    ["an empty Go module", empty.wake_ms, empty.work_ms],
    ["times", ratio, work_ratio],
  ]);
}

/** @param {Awaited<ReturnType<typeof import("./scale.js").measureScale>>} scale */
export function printScale({ rules, rules_tenfold, median_ns, median_ns_tenfold, times_tenfold, hostile }) {
  console.log("\nMore rules, and addresses made to hurt");
  table([
    ["", "ns a request", "times"],
    [`${rules} rules`, median_ns, 1],
    [`${rules_tenfold} rules`, median_ns_tenfold, times_tenfold],
    ...Object.entries(hostile).map(([name, figures]) => [name, figures.median_ns, figures.times_median]),
  ]);
}

/** @param {import("./photos.js").PhotoFigures[]} figures */
export function printPhotos(figures) {
  console.log("\nFrom a page's start to the last of its 50 photos, ms");
  table([
    ["", "host's answer takes", "direct", "by relay", "times"],
    ...figures.map(({ browser, distance_ms, direct_ms, relayed_ms, ratio }) => [browser, `${distance_ms} ms`, direct_ms, relayed_ms, ratio]),
  ]);
}

/** @param {Awaited<ReturnType<typeof import("./pages.js").measurePages>>} pages */
export function printPages({ figures, without }) {
  console.log("\nA page that asks third parties, half of them listed: until it has loaded, and the processors' time");
  table([
    ["", "", "requests", "load, ms", "times", "processors, ms", "times", "listed that arrived", "others"],
    ...figures.map(({ browser, name, requests, load_ms, load_ratio, cpu_ms, cpu_ratio, listed, unlisted }) =>
      [browser, name, String(requests), load_ms, load_ratio, cpu_ms, cpu_ratio, String(listed), String(unlisted)]),
  ]);
  for (const line of without) console.log(`  not measured: ${line}`);
}

/** @param {import("./popup.js").PopupFigures[]} figures */
export function printPopup(figures) {
  console.log("\nFrom opening the popup, after 5,000 requests, until it says how it stands, ms");
  table([
    ["", "as", "shown", "a page with one sentence", "times"],
    ...figures.map(({ browser, where, shown_ms, empty_ms, ratio }) => [browser, where, shown_ms, empty_ms, ratio]),
  ]);
}

/**
 * @param {unknown[][]} rows the first one names the columns
 */
export function table(rows) {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === "number" ? cell.toFixed(cell < 100 ? 2 : 0) : String(cell))));
  const widths = cells[0].map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  for (const row of cells) {
    console.log(`  ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]))).join("  ")}`);
  }
}
