/** Every sentence that is asked for is there, in every language, with the same slots. */

import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import test from "node:test";

const HERE = new URL("../", import.meta.url);

/** @param {string} path */
const read = (path) => readFile(new URL(path, HERE), "utf8");

/** @type {Map<string, Record<string, {message: string, placeholders?: Record<string, {content: string}>}>>} */
const languages = new Map();
for (const name of await readdir(new URL("_locales/", HERE))) {
  languages.set(name, JSON.parse(await read(`_locales/${name}/messages.json`)));
}
const english = languages.get("en") ?? {};

test("all languages have the same sentences and slots", () => {
  for (const [name, messages] of languages) {
    assert.deepEqual(Object.keys(messages).toSorted(), Object.keys(english).toSorted(), name);
    for (const [key, { message, placeholders = {} }] of Object.entries(messages)) {
      assert.deepEqual(placeholders, english[key]?.placeholders ?? {}, `${name}: ${key}`);
      const slots = [...message.matchAll(/\$([A-Z]+)\$/g)].map(([, slot]) => slot?.toLowerCase());
      assert.deepEqual([...new Set(slots)].toSorted(), Object.keys(placeholders).toSorted(), `${name}: ${key}`);
    }
  }
});

/** What asks for sentences: pages and scripts, by name. @type {Map<string, string>} */
const files = new Map();
for (const folder of ["ui/", "background/", "content/"]) {
  for (const name of await readdir(new URL(folder, HERE))) {
    if (/\.(js|html)$/.test(name) && !name.endsWith(".test.js")) files.set(folder + name, await read(folder + name));
  }
}
files.set("manifest.json", await read("manifest.json"));

test("every sentence that is asked for by name is there", () => {
  for (const [file, text] of files) {
    const keys = [
      ...text.matchAll(/\b(?:say|getMessage)\(\s*"(\w+)"/g),
      ...text.matchAll(/\bdata-(?:message|label)="(\w+)"/g),
      ...text.matchAll(/__MSG_(\w+)__/g),
      ...text.matchAll(/\["(fact\w+)"/g),
    ].map(([, key]) => key ?? "");
    keys.push(...[...text.matchAll(/\bsayCount\(\s*"(\w+)"/g)].flatMap(([, key]) => [`${key}One`, `${key}Other`]));
    for (const key of keys) assert.ok(key in english, `${file}: ${key}`);
  }
});

test("every sentence is asked for", () => {
  const all = [...files.values()].join("\n");
  // Those with a slot in their name: `reason_${reason}`.
  const heads = [...all.matchAll(/`(\w+)\$\{/g)].map(([, head]) => head ?? "").filter((head) => head.length > 3);
  for (const key of Object.keys(english)) {
    const names = [key, key.replace(/(One|Other)$/, "")];
    const isNamed = names.some((name) => all.includes(`"${name}"`) || all.includes(`__MSG_${name}__`));
    assert.ok(isNamed || heads.some((head) => key.startsWith(head)), `nothing asks for ${key}`);
  }
});

test("no page has a sentence of its own", () => {
  for (const [file, text] of files) {
    if (!file.endsWith(".html")) continue;
    const bare = text.replaceAll(/<!--[^]*?-->|<(title|script|style)[^]*?<\/\1>|<[^>]*>|Paravent/gi, " ");
    assert.doesNotMatch(bare, /\p{Letter}/u, file);
    for (const [attribute, , words] of text.matchAll(/\b(?<!data-)(aria-label|title|alt|placeholder|value)="([^"]*)"/g)) {
      assert.ok(!/\s|^\p{Lu}/u.test(words ?? ""), `${file}: ${attribute}`);
    }
  }
});

test("no page asks for anything from elsewhere", async () => {
  const sheets = (await readdir(new URL("ui/", HERE))).filter((name) => name.endsWith(".css"));
  for (const name of sheets) assert.doesNotMatch(await read(`ui/${name}`), /@import|url\((?!"?data:)/, name);
  for (const [file, text] of files) {
    if (file.endsWith(".html")) {
      assert.doesNotMatch(text, /\b(src|href|action|srcset)="(\w+:|\/\/)/, file);
      assert.match(text, /<meta http-equiv="Content-Security-Policy" content="connect-src 'self'" \/>/, file);
    } else assert.doesNotMatch(text, /\b(fetch|import|Worker|EventSource|WebSocket)\(\s*["'`](https?|wss?):/, file);
  }
  const policy = JSON.parse(await read("manifest.json")).content_security_policy.extension_pages;
  assert.match(policy, /^default-src 'none';/);
  // The background alone talks to servers, which users and administrators can name.
  assert.doesNotMatch(policy.replace(/connect-src [^;]*;/, ""), /https?:|\*/);
});

test("every reason why a photo does not come has a sentence", async () => {
  const [, type = ""] = /@typedef \{(.*)\} Problem/.exec(await read("background/relay.js")) ?? [];
  const problems = [...type.matchAll(/"(\w+)"/g)].map(([, problem]) => problem);
  assert.ok(problems.length > 5, `${problems}`);
  for (const problem of problems) assert.ok(`photo_${problem}` in english, problem);
});

test("every reason for refusing a release has a sentence", async () => {
  const types = /@typedef \{.*"\).Code \| (.*"stopped")\} Code/.exec(await read("background/release.js"))?.[1] ?? "";
  const own = /@typedef \{(.*"consistency")\} Code/.exec(await read("background/desk.js"))?.[1] ?? "";
  const codes = [...`${types} ${own}`.matchAll(/"(\w+)"/g)].map(([, code]) => code);
  assert.ok(codes.length > 15, `${codes}`);
  for (const code of codes) assert.ok(`update_${code}` in english, code);
});
