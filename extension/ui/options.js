/** The options: one section at a time, the one that the address names. */

import { errorText } from "../background/api.js";
import "./options-backup.js";
import { showLists } from "./options-lists.js";
import { onSettings, refresh, report } from "./options-page.js";
import "./options-photos.js";
import "./options-privacy.js";
import "./options-rules.js";
import "./options-scope.js";
import "./options-sites.js";
import { byId } from "./page.js";
import { say, sayAll } from "./words.js";

const REFRESH_MS = 2000;

const main = /** @type {HTMLElement} */ (document.querySelector("main"));
const links = /** @type {HTMLAnchorElement[]} */ ([...document.querySelectorAll("nav a")]);

/** Opens the section that the address names, else the first. @returns {string} its name */
function open() {
  const link = links.find(({ hash }) => hash === location.hash) ?? links[0];
  for (const other of links) {
    byId(other.hash.slice(1)).hidden = other !== link;
    if (other === link) other.setAttribute("aria-current", "page");
    else other.removeAttribute("aria-current");
  }
  document.title = say("settingsTitleOf", link?.textContent ?? "");
  return link?.hash.slice(1) ?? "";
}

function isOpen(/** @type {string} */ section) {
  return !byId(section).hidden;
}

async function update() {
  try {
    await Promise.all([refresh(), isOpen("lists") || isOpen("privacy") ? showLists() : null]);
  } catch (error) {
    report("", errorText(error));
  }
}

function arrive() {
  const section = open();
  scrollTo({ top: 0 });
  // Who does not see the page hears what has come up.
  byId(`${section}-title`).focus();
  void update();
}

addEventListener("hashchange", arrive);
for (const link of links) {
  // To where one is already leads no change of the address, and the browser would take the focus away.
  link.addEventListener("click", (event) => {
    if (link.hash !== location.hash) return;
    event.preventDefault();
    arrive();
  });
}

onSettings(({ demo, managed, managedProblems }) => {
  byId("demo").hidden = !demo;
  byId("managed").hidden = !managed;
  byId("managed-wrong").hidden = managedProblems.length === 0;
  byId("managed-problems").replaceChildren(
    ...managedProblems.map(({ field, problem }) => {
      const item = document.createElement("li");
      item.textContent = `${field}: ${problem}`;
      return item;
    }),
  );
});

sayAll();
open();
await update();
main.removeAttribute("aria-busy");
for (;;) {
  await new Promise((done) => setTimeout(done, REFRESH_MS));
  if (document.visibilityState === "visible") await update();
}
