/** Keeps the keyboard's place on a page that changes under it. */

/** What the Tab key leads to. */
const REACHED = "a[href], button, input:not([type=radio]), input[type=radio]:checked, select, textarea, summary";

/**
 * Takes down where the keyboard is, before the page changes.
 * @returns {() => void} to be called afterwards: when the place is gone, the
 *   keyboard goes on at the next that was behind it, else at the last before it
 */
export function keepPlace() {
  const held = document.activeElement;
  if (!held || held === document.body) return () => {};
  const places = /** @type {HTMLElement[]} */ ([...document.querySelectorAll(REACHED)].filter((one) => one === held || isThere(one)));
  const at = places.indexOf(/** @type {HTMLElement} */ (held));
  return () => {
    const now = document.activeElement;
    if (now && now !== document.body && isThere(now)) return;
    const heir = places.slice(at + 1).find(isThere) ?? places.slice(0, Math.max(0, at)).findLast(isThere);
    heir?.focus();
  };
}

/** @param {Element} element */
function isThere(element) {
  return element.isConnected && element.checkVisibility() && !element.matches(":disabled");
}
