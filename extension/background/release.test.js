import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import test, { after, before, beforeEach } from "node:test";
import { fetchRelease, Refusal } from "./release.js";
import { waitSeconds } from "./updates.js";

const list = Buffer.from("paravent list 1\n||tracker.example^\n");
const signed = Buffer.from("paravent release 1\nindex 3\n");
const note = Buffer.concat([signed, Buffer.from("\n— demo.one AAAA\n")]);

/** @param {Buffer} bytes */
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** What the server answers by path; what it was asked. */
/** @type {Record<string, (response: import("node:http").ServerResponse) => void>} */
let answers = {};
/** @type {import("node:http").IncomingMessage[]} */
let asked = [];

const server = createServer((request, response) => {
  asked.push(request);
  const answer = answers[request.url ?? ""];
  if (answer) answer(response);
  else response.writeHead(404).end();
});
let origin = "";

before(async () => {
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  origin = `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
});
after(() => server.close());
beforeEach(() => {
  asked = [];
  answers = {
    "/v1/release": (response) => response.end(note),
    [`/v1/blob/${sha256(list)}`]: (response) => response.end(list),
  };
});

const said = {
  index: 3,
  issued: "2026-11-22T07:00:00Z",
  expires: "2026-12-22T07:00:00Z",
  minWaitSeconds: 900,
  bundle: { size: 6, sha256: "b0" },
  list: { size: list.length, sha256: sha256(list) },
};

/** What the desk was given to compile. @type {Uint8Array[]} */
let compiled = [];

/**
 * The desk's answers stand here for the module's, which has tests of its own:
 * these are about what is done with them.
 * @param {Partial<typeof said>} [other]
 * @param {string} [refused] what verify says instead
 */
function ask(other = {}, refused = "") {
  compiled = [];
  const desk = {
    verify: () => {
      if (refused) throw new Error(refused);
      return { ...said, ...other };
    },
    compile: (/** @type {Uint8Array} */ bytes) => {
      compiled.push(bytes);
      return new Uint8Array(6);
    },
    describe: () => ({ sites: [], recipients: [], counts: { hosts: 100, rules: 120 } }),
  };
  return fetchRelease({
    server: origin,
    trust: "threshold 1",
    noteSha256: "",
    have: 2,
    hosts: 150,
    useDesk: async (job) => job(desk),
  });
}

/**
 * @param {Promise<unknown>} asking
 * @param {string} code
 * @param {RegExp} detail
 */
async function refuses(asking, code, detail) {
  await assert.rejects(asking, (error) => {
    assert.ok(error instanceof Refusal, String(error));
    assert.equal(error.code, code);
    assert.match(error.detail, detail);
    return true;
  });
}

test("a release that is right is given as it is", async () => {
  const taken = await ask();
  assert.equal(taken?.note.index, 3);
  assert.equal(taken.noteSha256, sha256(signed));
  assert.deepEqual(Buffer.from(compiled[0]), list);
});

test("the server is told the signed text's own hash, and nothing of whoever asks", async () => {
  answers["/v1/release"] = (response) => {
    response.setHeader("ETag", '"follow-me"');
    response.writeHead(304).end();
  };
  const asking = { server: origin, trust: "", noteSha256: "ab", have: 3, hosts: 0, useDesk: () => assert.fail() };
  assert.equal(await fetchRelease(asking), null);
  assert.equal(asked[0].headers["if-none-match"], '"ab"');
  assert.equal(asked[0].headers.cookie, undefined);
  assert.equal(asked[0].headers.referer, undefined);
});

test("signatures of strangers do not tell readers apart", async () => {
  answers["/v1/release"] = (response) => response.end(Buffer.concat([note, Buffer.from("— you.are.reader.4711 AAAA\n")]));
  assert.equal((await ask())?.noteSha256, sha256(signed));
});

test("whatever is wrong is refused by name, before a byte of the list is read", async (t) => {
  /** @type {[string, () => void, () => Promise<unknown>, string, RegExp][]} */
  const cases = [
    ["no such release", () => delete answers["/v1/release"], ask, "status", /\/v1\/release answered 404/],
    ["a note that goes on and on", () => (answers["/v1/release"] = (r) => r.end(Buffer.alloc(70_000))), ask, "size", /larger than 65536/],
    ["a note that is not trusted", () => {}, () => ask({}, "1 of 2 maintainers signed"), "note", /1 of 2 maintainers/],
    ["a list that cannot be", () => {}, () => ask({ list: { size: 2 ** 40, sha256: sha256(list) } }), "size", /1099511627776/],
    ["a list longer than said", () => {}, () => ask({ list: { size: 10, sha256: sha256(list) } }), "size", /larger than 10 bytes/],
    ["a list shorter than said", () => {}, () => ask({ list: { size: 1000, sha256: sha256(list) } }), "size", /35 bytes, the note says 1000/],
    ["a flipped byte", () => {
      const flipped = Buffer.from(list);
      flipped[20] ^= 1;
      answers[`/v1/blob/${sha256(list)}`] = (response) => response.end(flipped);
    }, ask, "hash", /the list's SHA-256 is/],
    ["a list that breaks off", () => {
      answers[`/v1/blob/${sha256(list)}`] = (response) => {
        response.writeHead(200, { "Content-Length": String(list.length) });
        response.write(list.subarray(0, 5));
        setTimeout(() => response.destroy(), 20);
      };
    }, ask, "unreachable", /\/v1\/blob\//],
    ["a redirection", () => (answers["/v1/release"] = (r) => r.writeHead(302, { Location: "/elsewhere" }).end()), ask, "unreachable", /\/v1\/release/],
  ];
  for (const [name, prepare, asking, code, detail] of cases) {
    await t.test(name, async () => {
      prepare();
      await refuses(asking(), code, detail);
      assert.equal(compiled.length, 0);
    });
    answers = {
      "/v1/release": (response) => response.end(note),
      [`/v1/blob/${sha256(list)}`]: (response) => response.end(list),
    };
  }
});

test("a list far smaller than the one in force is refused", async () => {
  const asking = fetchRelease({
    server: origin,
    trust: "",
    noteSha256: "",
    have: 0,
    hosts: 201,
    useDesk: async (job) =>
      job({
        verify: () => said,
        compile: () => new Uint8Array(6),
        describe: () => ({ sites: [], recipients: [], counts: { hosts: 100, rules: 100 } }),
      }),
  });
  await refuses(asking, "floor", /100 hosts, the list in force 201/);
});

test("a server that is not there is said to be unreachable", async () => {
  const gone = createServer();
  await new Promise((resolve) => gone.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (gone.address());
  await new Promise((resolve) => gone.close(resolve));
  const asking = { server: `http://127.0.0.1:${port}`, trust: "", noteSha256: "", have: 0, hosts: 0, useDesk: () => assert.fail() };
  await refuses(fetchRelease(asking), "unreachable", /\/v1\/release/);
});

test("neither a server nor a mistake moves the wait out of its bounds", () => {
  for (const [poll, wait, seconds] of [
    [3600, 0, 3600],
    [3600, 7200, 7200],
    [3600, 10 ** 9, 86400],
    [10 ** 9, 0, 86400],
    [900, 0, 900],
    [2, 900, 2],
  ]) {
    assert.equal(waitSeconds(poll, wait), seconds, `${poll}, ${wait}`);
  }
});
