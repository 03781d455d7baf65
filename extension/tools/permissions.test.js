/** PERMISSIONS.md says why for everything that the packages' manifests ask for, and for nothing else. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import test from "node:test";

/** @param {string} file in the repository */
const read = (file) => readFile(new URL(`../../${file}`, import.meta.url), "utf8");

/** Keys that ask for nothing: what the extension is called, what it looks like, where it starts. */
const HARMLESS = [
  "manifest_version", "name", "short_name", "version", "description", "default_locale", "minimum_chrome_version",
  "background", "message_serialization", "action", "options_ui", "icons",
];

/**
 * Everything that a manifest asks for, in the table's words.
 * @param {any} manifest
 * @returns {string[]}
 */
function asked(manifest) {
  const {
    permissions, host_permissions: hosts, content_security_policy: policies, web_accessible_resources: accessible,
    storage, browser_specific_settings: specific, ...others
  } = manifest;
  assert.deepEqual(Object.keys(others).filter((key) => !HARMLESS.includes(key)), [], "keys that nobody has thought about");
  assert.deepEqual(Object.keys(policies), ["extension_pages"]);
  const { gecko, ...elsewhere } = specific ?? { gecko: {} };
  assert.deepEqual(Object.keys(elsewhere).filter((key) => key !== "gecko_android"), []);
  const found = [
    ...permissions.map((/** @type {string} */ one) => `permissions: ${one}`),
    ...hosts.map((/** @type {string} */ one) => `host_permissions: ${one}`),
    ...policies.extension_pages.split("; ").map((/** @type {string} */ one) => `content_security_policy: ${one}`),
    ...accessible.map(
      (/** @type {any} */ { resources, use_dynamic_url: dynamic }) =>
        `web_accessible_resources: ${resources.join(", ")}${dynamic ? ", use_dynamic_url" : ""}`,
    ),
    ...(storage ? [`storage: ${storage.managed_schema}`] : []),
  ];
  for (const [kind, names] of Object.entries(gecko.data_collection_permissions ?? {})) {
    for (const name of names) found.push(`data_collection_permissions, ${kind}: ${name}`);
  }
  return found;
}

/**
 * The rows of the table.
 * @param {string} text
 */
function rows(text) {
  const lines = text.split("\n").filter((line) => line.startsWith("| `"));
  return lines.map((line) => {
    const [what = "", where = "", why = "", not = ""] = line.split("|").slice(1, -1).map((cell) => cell.trim());
    return { what: what.slice(1, -1), where: where.split(", "), why, not };
  });
}

test("every permission is justified, for the package that asks for it", async () => {
  const table = rows(await read("extension/PERMISSIONS.md"));
  for (const { what, why, not } of table) assert.ok(why.length > 5 && not !== "", what);
  for (const browser of ["Chromium", "Firefox"]) {
    const manifest = JSON.parse(await read(`dist/${browser.toLowerCase()}/manifest.json`));
    const justified = table.filter(({ where }) => where.includes(browser)).map(({ what }) => what);
    assert.deepEqual(justified.sort(), asked(manifest).sort(), browser);
  }
});
