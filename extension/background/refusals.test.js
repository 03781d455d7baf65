/** The vectors of what a reader takes and refuses, decided by the WebAssembly that the extension carries. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { describe, it } from "node:test";
import { compiled, openDesk } from "../tools/modules.js";
import { releases } from "../tools/releases.js";
import { fetchRelease } from "./release.js";

const desk = await openDesk();
const { answers, changes, wholes } = await releases();

/** @param {Uint8Array} data */
const digest = (data) => ({ size: data.length, sha256: createHash("sha256").update(data).digest("hex") });

describe("answers", () => {
  for (const { name, answer, trust, client, resources, taken, expect, code } of answers) {
    it(name, () => {
      const isFresh = JSON.parse(client).next === 0;
      const claim = { answer, trust, client: isFresh ? "" : client, again: false };
      /** @type {Map<string, Uint8Array>} */
      const had = new Map();
      let verified = desk.verify({ ...claim, resources: had });
      // Each call is given what the one before lacked.
      while (verified.missing) {
        const data = resources.get(verified.missing.path);
        assert.ok(data && !had.has(verified.missing.path), verified.missing.path);
        had.set(verified.missing.path, data);
        verified = desk.verify({ ...claim, resources: had });
      }
      if (taken) {
        assert.ok(verified.taken, JSON.stringify(verified));
        const { index, signers, witnesses, expires } = verified.taken;
        assert.deepEqual({ index, signers, witnesses: witnesses.map((one) => one.name), expires }, {
          index: taken.index, signers: taken.signers, witnesses: taken.witnesses, expires: taken.expires,
        });
        // What is remembered of it lets nothing older in, not even itself.
        const again = { ...claim, client: verified.taken.client, resources: had };
        assert.equal(desk.verify(again).refused?.code, "older");
        assert.equal(desk.verify({ ...again, again: true }).taken?.index, index);
      } else {
        assert.equal(verified.refused?.code, code, verified.refused?.detail);
        assert.ok(verified.refused.detail.includes(expect), verified.refused.detail);
      }
    });
  }
});

describe("deltas", () => {
  for (const { name, old, delta, want, expect } of changes) {
    it(name, () => {
      const bundle = compiled(desk, old);
      const patch = () => desk.patch(bundle, delta, want);
      if (expect === "") assert.deepEqual(digest(patch()), want);
      else assert.throws(patch, (error) => error instanceof Error && error.message.includes(expect));
    });
  }
});

describe("lists", () => {
  for (const { name, list, want, bundle, expect } of wholes) {
    it(name, async () => {
      const server = createServer((request, response) => {
        response.end(request.url === "/v1/release" ? "a note\n" : list);
      });
      await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
      const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
      const said = {
        index: 1, issued: "", expires: "", minWaitSeconds: 900, signers: [], witnesses: [], relays: [], trust: "", client: "",
        list: want, bundle: bundle ?? (expect === "" ? digest(compiled(desk, list)) : digest(list)),
      };
      const taking = fetchRelease({
        server: `http://127.0.0.1:${port}`, trust: "", client: "", again: false, noteSha256: "",
        inForce: { list: "", hosts: 0, bundle: () => assert.fail() },
        useDesk: async (job) =>
          job({
            verify: () => ({ taken: said }),
            text: desk.text.bind(desk),
            patch: desk.patch.bind(desk),
            compile: desk.compile.bind(desk),
            describe: desk.describe.bind(desk),
          }),
      });
      try {
        if (expect === "") assert.deepEqual(digest((await taking)?.bundle ?? new Uint8Array()), said.bundle);
        else await assert.rejects(taking, name === "a list cut off" || name === "no list" ? /^Error: size: the list has/ : new RegExp(expect.replace("its SHA", "the list's SHA")));
      } finally {
        server.close();
      }
    });
  }
});

it("the text of the list that patients get comes back from its bundle", async () => {
  const built = new URL("../../dist/lists/", import.meta.url);
  const text = await readFile(new URL("list.txt", built));
  assert.deepEqual(digest(desk.text(await readFile(new URL("list.bundle", built)))), digest(text));
});
