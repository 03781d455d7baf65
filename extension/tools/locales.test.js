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

test("every sentence that a page asks for by name is there", async () => {
  for (const file of await readdir(new URL("ui/", HERE))) {
    const text = await read(`ui/${file}`);
    const keys = [
      ...text.matchAll(/\bsay\("(\w+)"/g),
      ...text.matchAll(/data-message="(\w+)"/g),
      ...text.matchAll(/\["(fact\w+)"/g),
    ].map(([, key]) => key ?? "");
    keys.push(...[...text.matchAll(/\bsayCount\("(\w+)"/g)].flatMap(([, key]) => [`${key}One`, `${key}Other`]));
    for (const key of keys) assert.ok(key in english, `${file}: ${key}`);
  }
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
