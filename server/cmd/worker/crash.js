/**
 * The Worker for worker_test.go: as dev.js runs it, but its bucket can be taken
 * back to what a push that was killed would have left. Commands come as lines
 * on standard input, and each is answered by a line:
 *
 *   keep            remembers every object
 *   crash NAME…     puts every object back as it was, but for these
 */

import { readFile } from "node:fs/promises";
import readline from "node:readline";
import { modules, run } from "./local.js";

const [trust, logKey] = await Promise.all(process.argv.slice(2, 4).map((file) => readFile(file, "utf8")));
const { url, bucket, end } = await run({ modules: await modules(trust), logKey: logKey.trim() });

/** @typedef {{data: Uint8Array<ArrayBuffer>, httpMetadata: object}} Kept */

/** @returns {Promise<Map<string, Kept>>} */
async function everything() {
  const { objects, truncated } = await bucket.list();
  if (truncated) throw new Error("more objects than one list holds");
  const kept = new Map();
  for (const { key } of objects) {
    const object = await bucket.get(key);
    if (object) kept.set(key, { data: new Uint8Array(await object.arrayBuffer()), httpMetadata: object.httpMetadata });
  }
  return kept;
}

let kept = await everything();
console.log(JSON.stringify({ lists: url }));

for await (const line of readline.createInterface({ input: process.stdin })) {
  const [command, ...names] = line.split(" ");
  if (command === "keep") {
    kept = await everything();
  } else {
    for (const key of (await everything()).keys()) {
      const before = kept.get(key);
      if (names.includes(key)) continue;
      if (before) await bucket.put(key, before.data, { httpMetadata: before.httpMetadata });
      else await bucket.delete(key);
    }
  }
  console.log("done");
}
await end();
