/** Opens files and saves them; a page's only doors to the disk, and only when the user goes through them. */

import { byId } from "./page.js";

/** Larger files are not read: the desk would refuse them. */
export const MAX_FILE = 200 << 20;

/** @param {(file: File) => void} open */
export function onFile(open) {
  const input = /** @type {HTMLInputElement} */ (byId("file"));
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    if (file) open(file);
    // The same file may be chosen again, after it was changed.
    input.value = "";
  });
  document.addEventListener("dragover", (event) => {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    document.documentElement.dataset.dropping = "true";
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) delete document.documentElement.dataset.dropping;
  });
  document.addEventListener("drop", (event) => {
    delete document.documentElement.dataset.dropping;
    const [file] = event.dataTransfer?.files ?? [];
    if (!file) return;
    event.preventDefault();
    open(file);
  });
}

/**
 * Gives the browser a file to save where the user wants it.
 * @param {string} name
 * @param {string} type
 * @param {Uint8Array<ArrayBuffer>} bytes
 */
export function save(name, type, bytes) {
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read it when this is over.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/**
 * @param {string} domain
 * @param {number} started milliseconds since 1970
 * @param {string} ending
 * @returns {string} a name that every file system takes
 */
export function fileName(domain, started, ending) {
  const safe = domain.replaceAll(/[^a-z0-9.-]+/gi, "-").slice(0, 80) || "visit";
  const date = new Date(started > 0 ? started : Date.now());
  // The user's day, not Greenwich's.
  const day = [date.getFullYear(), date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
  return `paravent-${safe}-${day}.${ending}`;
}
