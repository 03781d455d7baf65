/**
 * What the popup says about a page in one line. Each reason for doubt comes
 * before the good news: it says "protected" only when nothing speaks against.
 */

/** @typedef {import("../background/tab-state.js").TabState} TabState */

/**
 * What a button can do about a loss of protection; "" when none helps.
 * @typedef {"" | "access" | "rules" | "engine" | "list" | "settings" | "prediction" | "reload"} Mend
 */

/**
 * @typedef {object} Verdict
 * @property {string} key of the sentences: `verdict…` and `detail…`
 * @property {"good" | "care" | "bad" | "none"} tone
 * @property {Mend} mend
 * @property {string} problem what the failing part said, "" when nothing failed
 */

/**
 * @param {Pick<TabState, "mode" | "listed" | "list" | "stale" | "record" | "holds" | "problems" | "restricted">} state
 * @returns {Verdict}
 */
export function verdict(state) {
  const { mode, problems, record } = state;
  if (state.restricted) return plain("Restricted");
  // Without access even the address of a page is kept from us.
  if (problems.access) return bad("NoAccess", "access");
  if (mode === null) return plain("NoPage");
  if (mode === "unknown") {
    return bad(state.holds ? "UnreadHolds" : "Unread", problems.settings ? "settings" : "list", problems.settings || problems.list);
  }
  if (mode === "off") return plain(state.listed ? "Off" : "Unlisted");
  if (problems.settings) return bad("Settings", "settings", problems.settings);
  if (!state.list) return bad("NoList", "list", problems.list);
  if (problems.rules === "pending") return care("Pending");
  if (problems.rules === "unsupported") return bad("Unsupported");
  if (problems.rules === "lost") return bad("Lost", "rules");
  if (problems.rules) return bad("Rules", "rules", problems.rulesDetail);
  if (problems.engine) return bad(state.holds ? "EngineHolds" : "Engine", "engine", problems.engine);
  if (record && record.total.missed > 0) return bad(isLeak(record) ? "Leaked" : "Missed");
  if (state.stale) return care("Stale", "reload");
  if (problems.list) return care("OldList", "list", problems.list);
  if (problems.prediction) return care("Prediction", "prediction");
  if (mode === "watch") return care("Watch");
  return { key: mode === "strict" ? "Strict" : "Protected", tone: "good", mend: "", problem: "" };
}

/**
 * Whether all that left did so because it could not be known before.
 * @param {NonNullable<TabState["record"]>} record
 */
function isLeak(record) {
  return Object.values(record.hosts).every(({ missed, reason }) => missed === 0 || reason === "leak");
}

/** @param {string} key @returns {Verdict} */
function plain(key) {
  return { key, tone: "none", mend: "", problem: "" };
}

/** @param {string} key @param {Mend} [mend] @param {string} [problem] @returns {Verdict} */
function care(key, mend = "", problem = "") {
  return { key, tone: "care", mend, problem };
}

/** @param {string} key @param {Mend} [mend] @param {string} [problem] @returns {Verdict} */
function bad(key, mend = "", problem = "") {
  return { key, tone: "bad", mend, problem };
}
