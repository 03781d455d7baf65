/** The first page: what Paravent does, whether photos are wanted, private windows, and where to try it. */

import { api, errorText, isFirefox } from "../background/api.js";
import { answerConsent } from "../background/consent.js";
import { defaults } from "../background/defaults.js";
import { ask, byId, put } from "./page.js";
import { say, sayAll } from "./words.js";

/** Whether the question about photos was left for later. */
let isLater = false;

async function refresh() {
  const [{ relays, consent, demo }, { tryOn }, isPrivate] = await Promise.all([
    /** @type {Promise<import("../background/settings.js").Settings>} */ (ask({ type: "settings" })),
    defaults(),
    api.extension.isAllowedIncognitoAccess(),
  ]);
  byId("demo").hidden = !demo;
  showPhotos(relays.length > 0, consent);
  showPrivate(isPrivate);
  const site = /** @type {HTMLAnchorElement} */ (byId("try-site"));
  site.hidden = !tryOn;
  if (tryOn) site.href = tryOn;
}

/**
 * @param {boolean} isPossible
 * @param {import("../background/consent.js").Consent} consent
 */
function showPhotos(isPossible, consent) {
  let key = "welcomePhotosNone";
  if (isPossible) key = { granted: "welcomePhotosGranted", refused: "welcomePhotosRefused", unasked: "welcomePhotosAsk" }[consent];
  if (key === "welcomePhotosAsk" && isLater) key = "welcomePhotosAskLater";
  put(byId("photos-said"), say(key));
  byId("photos-choice").hidden = key !== "welcomePhotosAsk";
  byId("photos-who").hidden = !isPossible;
}

/** @param {boolean} isAllowed */
function showPrivate(isAllowed) {
  put(byId("private-said"), say(isAllowed ? "welcomePrivateOn" : "welcomePrivateOff"));
  // Firefox lets no extension open its list of extensions.
  put(byId("private-how"), isAllowed ? "" : say(isFirefox ? "welcomePrivateFirefox" : "welcomePrivateChromium"));
  byId("private-open").hidden = isAllowed || isFirefox;
}

/** @param {() => Promise<unknown>} job */
async function act(job) {
  let failure = "";
  try {
    await job();
    await refresh();
  } catch (error) {
    failure = errorText(error);
  }
  put(byId("photos-problem"), failure);
}

byId("photos-yes").addEventListener("click", () => {
  // At once: Firefox asks only from a click.
  const answered = answerConsent(true);
  // The button goes away under the fingers.
  void act(() => answered).then(() => byId("photos-title").focus());
});

byId("photos-later").addEventListener("click", () => {
  isLater = true;
  void act(async () => {}).then(() => byId("photos-title").focus());
});

byId("private-open").addEventListener("click", () => {
  void api.tabs.create({ url: `chrome://extensions/?id=${api.runtime.id}` });
});

// Who comes back from the browser's settings may have changed them.
addEventListener("focus", () => void act(async () => {}));

sayAll();
document.title = say("welcomeTitle");
await act(async () => {});
document.querySelector("main")?.removeAttribute("aria-busy");
