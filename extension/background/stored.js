/**
 * All that this extension keeps, and where: the options show it to whoever asks
 * what is known here, and a test holds the extension to it.
 *
 * `message` names the sentence that says what it is, why, and for how long.
 */

/**
 * @typedef {object} Kept
 * @property {string} key in its area; one that ends in "*" stands for all that begin so
 * @property {"local" | "session" | "indexedDB"} area local and indexedDB are on disk; session is memory, gone with the browser
 * @property {string} message
 */

/** @type {readonly Kept[]} */
export const STORED = [
  { key: "modes", area: "local", message: "settingsStoredModes" },
  { key: "allowed", area: "local", message: "settingsStoredAllowed" },
  { key: "scope", area: "local", message: "settingsStoredScope" },
  { key: "ownRules", area: "local", message: "settingsStoredOwnRules" },
  { key: "ownRelay", area: "local", message: "settingsStoredOwnRelay" },
  { key: "photoConsent", area: "local", message: "settingsStoredConsent" },
  { key: "photosKept", area: "local", message: "settingsStoredKeep" },
  { key: "rules", area: "local", message: "settingsStoredRules" },
  { key: "updates", area: "local", message: "settingsStoredUpdates" },
  { key: "client", area: "local", message: "settingsStoredClient" },
  { key: "paravent", area: "indexedDB", message: "settingsStoredList" },
  { key: "photos", area: "indexedDB", message: "settingsStoredPhotos" },
  { key: "tabs", area: "session", message: "settingsStoredTabs" },
  { key: "tab:*", area: "session", message: "settingsStoredTab" },
  { key: "visited", area: "session", message: "settingsStoredTabs" },
  { key: "visit:*", area: "session", message: "settingsStoredVisit" },
];
