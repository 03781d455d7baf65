/** Opens the first page, once, for whoever has just installed the extension. */

import { api } from "./api.js";
import { defaults } from "./defaults.js";

/** @param {chrome.runtime.InstalledDetails} details */
export async function welcome({ reason }) {
  if (reason !== "install") return;
  const { welcome: isWanted } = await defaults();
  if (isWanted) await api.tabs.create({ url: api.runtime.getURL("ui/welcome.html") });
}
