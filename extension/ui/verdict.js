/**
 * What the popup says about a page in one line. Each reason for doubt comes
 * before the good news: it says "protected" only when nothing speaks against.
 */

/**
 * @typedef {object} Verdict
 * @property {string} key of the sentences: `verdict…` and `detail…`
 * @property {"good" | "care" | "bad" | "none"} tone
 * @property {string} problem what the failing part said, "" when nothing failed
 */

/**
 * @param {import("../background/tab-state.js").TabState} state
 * @returns {Verdict}
 */
export function verdict(state) {
  const { mode, problems, record } = state;
  if (mode === null) return plain("NoPage");
  if (problems.access) return bad("NoAccess", "");
  if (mode === "unknown") return bad(state.holds ? "UnreadHolds" : "Unread", problems.settings || problems.list);
  if (mode === "off") return plain(state.listed ? "Off" : "Unlisted");
  if (problems.rules === "pending") return { key: "Pending", tone: "care", problem: "" };
  if (problems.rules === "unsupported") return bad("Unsupported", "");
  if (problems.rules) return bad("Rules", problems.rulesDetail);
  if (problems.engine) return bad(state.holds ? "EngineHolds" : "Engine", problems.engine);
  if (record && record.total.missed > 0) return bad(isLeak(record) ? "Leaked" : "Missed", "");
  if (state.stale) return { key: "Stale", tone: "care", problem: "" };
  if (mode === "watch") return { key: "Watch", tone: "care", problem: "" };
  return { key: mode === "strict" ? "Strict" : "Protected", tone: "good", problem: "" };
}

/**
 * Whether all that left did so because it could not be known before.
 * @param {NonNullable<import("../background/tab-state.js").TabState["record"]>} record
 */
function isLeak(record) {
  return Object.values(record.hosts).every(({ missed, reason }) => missed === 0 || reason === "leak");
}

/** @param {string} key @returns {Verdict} */
function plain(key) {
  return { key, tone: "none", problem: "" };
}

/** @param {string} key @param {string} problem @returns {Verdict} */
function bad(key, problem) {
  return { key, tone: "bad", problem };
}
