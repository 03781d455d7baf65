/**
 * The popup's recipients: a line for each, which unfolds to all that is known
 * of it. A line that is there stays where it is and as it is, open or focused,
 * while the page goes on asking for more.
 */

import { element } from "./page.js";
import { claimsOf, learntBy, purposesOf } from "./sentences.js";
import { country, say, sayCount } from "./words.js";

/** @typedef {import("../background/tab-state.js").TabState} TabState */
/** @typedef {TabState["recipients"][number]} Recipient */

/** @typedef {import("./sentences.js").Where} Where */

/** What tells most comes first. */
const TELLING = ["photos", "address", "asked", "words", "code", "script", "presence"];

/**
 * The best informed first, of these the busiest; what left although it should
 * not have is before all.
 * @param {Recipient[]} recipients
 * @param {Where} where
 * @returns {Recipient[]}
 */
export function ranked(recipients, where) {
  const all = recipients.map((recipient) => {
    const { missed, block, relay, would } = recipient.counts;
    const telling = Math.min(...claimsOf(recipient, where).map(({ key }) => TELLING.indexOf(key)));
    return { recipient, order: [missed > 0 ? 0 : 1, telling, -(missed + block + relay + would)] };
  });
  all.sort((a, b) => a.order.map((x, i) => x - (b.order[i] ?? 0)).find((x) => x !== 0) ?? 0);
  return all.map(({ recipient }) => recipient);
}

/** A list of recipients on the page. */
export class Recipients {
  #list;
  #letThrough;
  /** @type {Map<string, {item: HTMLLIElement, shown: string}>} */
  #lines = new Map();

  /**
   * @param {HTMLElement} list
   * @param {(host: string) => void} letThrough a host, as the user wants
   */
  constructor(list, letThrough) {
    this.#list = list;
    this.#letThrough = letThrough;
  }

  /** @param {string} name */
  has(name) {
    return this.#lines.has(name);
  }

  /**
   * @param {Recipient[]} recipients
   * @param {Where} where
   */
  show(recipients, where) {
    const names = new Set(recipients.map(({ name }) => name));
    for (const [name, { item }] of this.#lines) {
      if (names.has(name)) continue;
      item.remove();
      this.#lines.delete(name);
    }
    for (const recipient of recipients) {
      const { name } = recipient;
      const shown = JSON.stringify([recipient, where]);
      const line = this.#lines.get(name);
      if (line?.shown === shown) continue;
      const item = line?.item ?? document.createElement("li");
      const wasOpen = item.querySelector("details")?.open ?? false;
      const focused = item.contains(document.activeElement) ? /** @type {HTMLElement} */ (document.activeElement).dataset.host ?? "" : null;
      item.replaceChildren(this.#details(recipient, where, wasOpen));
      if (!line) this.#list.append(item);
      this.#lines.set(name, { item, shown });
      const same = focused && [...item.querySelectorAll("button")].find((button) => button.dataset.host === focused);
      if (focused !== null) (same || item.querySelector("summary"))?.focus();
    }
  }

  /**
   * @param {Recipient} recipient
   * @param {Where} where
   * @param {boolean} isOpen
   */
  #details(recipient, where, isOpen) {
    const details = document.createElement("details");
    const summary = document.createElement("summary");
    const [first = "", ...others] = learntBy(recipient, where);
    const { block, relay, would, missed, allow } = recipient.counts;
    const who = element("span", { classes: ["who"] });
    who.append(element("span", { classes: ["name"], text: recipient.name }));
    if (recipient.country) who.append(element("span", { classes: ["country"], text: ` · ${country(recipient.country)}` }));
    summary.append(who);
    const text = missed > 0 ? sayCount("missed", missed) : sayCount("times", block + relay + would || allow);
    const count = element("span", { classes: ["count"], text });
    count.classList.toggle("missed", missed > 0);
    summary.append(" ", count, " ", element("span", { classes: ["said"], text: first }));
    details.append(summary);
    details.open = isOpen;
    // Most are never unfolded.
    const unfold = () => {
      if (details.open && details.childElementCount === 1) details.append(this.#more(recipient, others));
    };
    details.addEventListener("toggle", unfold);
    unfold();
    return details;
  }

  /**
   * @param {Recipient} recipient
   * @param {string[]} sentences
   */
  #more(recipient, sentences) {
    const more = element("div", { classes: ["more"] });
    for (const sentence of sentences) more.append(element("p", { text: sentence }));
    const purposes = purposesOf(recipient);
    if (purposes) more.append(element("p", { classes: ["quiet"], text: purposes }));
    const hosts = element("ul", { classes: ["hosts"] });
    for (const { host, reason, mayAllow } of recipient.hosts) {
      const item = element("li");
      item.append(element("span", { classes: ["host"], text: [host, say(`reason_${reason}`)].filter(Boolean).join(" · ") }));
      if (mayAllow) item.append(this.#button(host));
      hosts.append(item);
    }
    more.append(hosts);
    return more;
  }

  /** @param {string} host */
  #button(host) {
    const button = allowButton(host, true);
    button.addEventListener("click", () => this.#letThrough(host));
    return button;
  }
}

/**
 * @param {string} host
 * @param {boolean} allow or stop it again
 */
export function allowButton(host, allow) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "plain";
  button.textContent = say(allow ? "allow" : "allowNoMore");
  button.setAttribute("aria-label", say(allow ? "allowHost" : "allowHostNoMore", host));
  button.dataset.host = host;
  return button;
}
