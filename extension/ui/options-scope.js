/** The section that says where Paravent acts. */

import { act, lock, onSettings } from "./options-page.js";
import { ask, byId } from "./page.js";
import { say } from "./words.js";

const fields = byId("scope-fields");

onSettings(({ scope, locked }) => {
  for (const input of fields.querySelectorAll("input")) input.checked = input.value === scope;
  lock("scope", locked.includes("scope"), "scope-fields");
});

fields.addEventListener("change", (event) => {
  const { value } = /** @type {HTMLInputElement} */ (event.target);
  void act(() => ask({ type: "scope", scope: value }), say(value === "all" ? "settingsScopeNowAll" : "settingsScopeNowSites"));
});
