/**
 * The list server as a Worker, on this machine, without any account:
 *
 *   node dev.js --trust FILE --log-key FILE [--port N] [--store DIR]
 *
 * When it is ready it prints one line, {"lists": "http://127.0.0.1:PORT"}. It
 * runs what ./build.sh build has put into dist/worker until it is told to end.
 */

import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { modules, run } from "./local.js";

const USAGE = "usage: node dev.js --trust FILE --log-key FILE [--port N] [--store DIR]";

try {
  const { values } = parseArgs({
    options: {
      trust: { type: "string" },
      "log-key": { type: "string" },
      port: { type: "string", default: "0" },
      store: { type: "string" },
    },
  });
  if (!values.trust || !values["log-key"]) throw new Error(USAGE);
  const { url } = await run({
    modules: await modules(await readFile(values.trust, "utf8")),
    logKey: (await readFile(values["log-key"], "utf8")).trim(),
    port: Number(values.port),
    store: values.store,
  });
  console.log(JSON.stringify({ lists: url }));
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
