import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import test, { after, before, beforeEach } from "node:test";
import { fetchRelease, Refusal } from "./release.js";
import { waitSeconds } from "./updates.js";

const list = Buffer.from("paravent list 1\n||tracker.example^\n");
const signed = Buffer.from("paravent release 2\nindex 3\n");
const proof = Buffer.from("c2sp.org/tlog-proof@v1\nindex 3\n\nlog.example\n4\nAAAA\n\n— log.example AAAA\n");
const answer = Buffer.concat([signed, Buffer.from("\n— demo.one AAAA\n"), proof]);
const delta = Buffer.from("a delta");
const own = { list: "0a", hosts: 150, bundle: async () => new Uint8Array(9) };

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
const whole = () => ({
  "/v1/release": (/** @type {import("node:http").ServerResponse} */ response) => response.end(answer),
  [`/v1/blob/${sha256(list)}`]: (/** @type {import("node:http").ServerResponse} */ response) => response.end(list),
});
beforeEach(() => {
  asked = [];
  answers = whole();
});

const said = {
  index: 3,
  issued: "2026-11-22T07:00:00Z",
  expires: "2026-12-22T07:00:00Z",
  minWaitSeconds: 900,
  bundle: { size: 6, sha256: "b0" },
  list: { size: list.length, sha256: sha256(list) },
  signers: ["demo.one"],
  witnesses: [],
  relays: [],
  trust: "threshold 1",
  client: "4",
};

/** What the desk was given to compile. @type {Uint8Array[]} */
let compiled = [];

/**
 * The desk's answers stand here for the module's, which has tests of its own:
 * these are about what is done with them.
 * @param {Partial<import("./release.js").Paper>} [other]
 * @param {Partial<import("./release.js").Asked>} [asking]
 */
function ask(other = {}, asking = {}) {
  compiled = [];
  return fetchRelease({
    server: origin,
    trust: "threshold 1",
    client: "",
    again: false,
    noteSha256: "",
    inForce: { ...own, list: "" },
    useDesk: async (job) =>
      job({
        verify: () => ({ taken: said }),
        text: () => new Uint8Array(list),
        patch: (_, found) => {
          if (!delta.equals(found)) throw new Error("delta: line 1: no such thing");
          return new Uint8Array(list);
        },
        compile: (bytes) => {
          compiled.push(bytes);
          return new Uint8Array(6);
        },
        describe: () => ({ sites: [], recipients: [], counts: { hosts: 100, rules: 120 } }),
        ...other,
      }),
    ...asking,
  });
}

/** @param {Partial<typeof said>} other */
const says = (other) => () => ask({ verify: () => ({ taken: { ...said, ...other } }) });

/** What the server was asked for. */
const paths = () => asked.map(({ url }) => url);

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
  assert.equal(taken?.said.index, 3);
  assert.equal(taken.noteSha256, sha256(signed));
  assert.deepEqual(Buffer.from(compiled[0] ?? []), list);
});

test("the server is told the signed text's own hash, and nothing of whoever asks", async () => {
  answers["/v1/release"] = (response) => {
    response.setHeader("ETag", '"follow-me"');
    response.writeHead(304).end();
  };
  assert.equal(await ask({ verify: () => assert.fail() }, { noteSha256: "ab" }), null);
  assert.equal(asked[0]?.headers["if-none-match"], '"ab"');
  assert.equal(asked[0]?.headers.cookie, undefined);
  assert.equal(asked[0]?.headers.referer, undefined);
});

test("signatures of strangers do not tell readers apart", async () => {
  answers["/v1/release"] = (response) => {
    response.end(Buffer.concat([signed, Buffer.from("\n— you.are.reader.4711 AAAA\n"), proof]));
  };
  assert.equal((await ask())?.noteSha256, sha256(signed));
  assert.equal(await ask({ verify: () => assert.fail() }, { noteSha256: sha256(signed) }), null);
});

test("what a proof needs is fetched, each part once, until it is enough", async () => {
  const parts = { "tile/0/000.p/5": "five", "tile/entries/000.p/5": "entries", "v1/blob/77": "keys" };
  for (const [path, text] of Object.entries(parts)) answers[`/${path}`] = (response) => response.end(text);
  const taken = await ask({
    verify: ({ resources }) => {
      const path = Object.keys(parts).find((one) => !resources.has(one));
      if (path) return { missing: { path, limit: 9 } };
      assert.deepEqual([...resources].map(([one, data]) => [one, Buffer.from(data).toString()]), Object.entries(parts));
      return { taken: said };
    },
  });
  assert.equal(taken?.said.index, 3);
  assert.deepEqual(paths(), ["/v1/release", ...Object.keys(parts).map((path) => `/${path}`), `/v1/blob/${said.list.sha256}`]);
});

test("a proof that never ends is not waited for", async () => {
  answers["/tile/x"] = (response) => response.end("x");
  const more = (/** @type {number} */ limit) => ask({ verify: () => ({ missing: { path: "tile/x", limit } }) });
  await refuses(more(1), "proof", /more than 512 parts/);
  await refuses(more(2 ** 40), "size", /more than 67108864 bytes/);
});

test("a list is made from the one in force and a delta", async () => {
  answers[`/v1/delta/0a/${said.list.sha256}`] = (response) => response.end(delta);
  await ask({}, { inForce: own });
  assert.deepEqual(Buffer.from(compiled[0] ?? []), list);
  assert.deepEqual(paths(), ["/v1/release", `/v1/delta/0a/${said.list.sha256}`]);
});

test("a list that stays is not fetched at all", async () => {
  await ask({}, { inForce: { ...own, list: said.list.sha256 } });
  assert.deepEqual(Buffer.from(compiled[0] ?? []), list);
  assert.deepEqual(paths(), ["/v1/release"]);
});

test("whatever is wrong with a delta, the whole list is fetched", async (t) => {
  /** @type {[string, (response: import("node:http").ServerResponse) => void][]} */
  const cases = [
    ["there is none", (response) => response.writeHead(404).end()],
    ["it is longer than the list", (response) => response.end(Buffer.alloc(list.length + 1))],
    ["a flipped bit", (response) => response.end("a dflta")],
    ["it breaks off", (response) => {
      response.writeHead(200, { "Content-Length": String(delta.length) });
      response.write("a d");
      setTimeout(() => response.destroy(), 20);
    }],
  ];
  for (const [name, reply] of cases) {
    await t.test(name, async () => {
      answers[`/v1/delta/0a/${said.list.sha256}`] = reply;
      await ask({}, { inForce: own });
      assert.deepEqual(Buffer.from(compiled[0] ?? []), list);
      assert.equal(paths().at(-1), `/v1/blob/${said.list.sha256}`);
    });
  }
  await t.test("the list in force cannot be read", async () => {
    await ask({}, { inForce: { ...own, bundle: () => Promise.reject(new Error("no bundle")) } });
    assert.deepEqual(Buffer.from(compiled[0] ?? []), list);
  });
});

test("whatever is wrong is refused by name, before a byte of the list is used", async (t) => {
  /** @type {[string, () => void, () => Promise<unknown>, string, RegExp][]} */
  const cases = [
    ["no such release", () => delete answers["/v1/release"], ask, "status", /\/v1\/release answered 404/],
    ["nothing new for whoever has nothing", () => (answers["/v1/release"] = (r) => r.writeHead(304).end()), ask, "status", /answered 304/],
    ["an answer that goes on and on", () => (answers["/v1/release"] = (r) => r.end(Buffer.alloc(140_000))), ask, "size", /larger than 135166/],
    ["a note that is not trusted", () => {}, () => ask({ verify: () => ({ refused: { code: "note", detail: "1 of 2 maintainers signed" } }) }), "note", /1 of 2 maintainers/],
    ["a release that no witness has seen", () => {}, () => ask({ verify: () => ({ refused: { code: "witness", detail: "no quorum" } }) }), "witness", /no quorum/],
    ["a part of the log that is not there", () => {}, () => ask({ verify: () => ({ missing: { path: "tile/0/000.p/5", limit: 160 } }) }), "status", /tile\/0\/000.p\/5 answered 404/],
    ["a list that cannot be", () => {}, says({ list: { size: 2 ** 40, sha256: sha256(list) } }), "size", /1099511627776/],
    ["a list longer than said", () => {}, says({ list: { size: 10, sha256: sha256(list) } }), "size", /larger than 10 bytes/],
    ["a list shorter than said", () => {}, says({ list: { size: 1000, sha256: sha256(list) } }), "size", /35 bytes, the note says 1000/],
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
    answers = whole();
  }
});

test("a list far smaller than the one in force is refused", async () => {
  await refuses(ask({}, { inForce: { ...own, hosts: 201 } }), "floor", /100 hosts, the list in force 201/);
});

test("a server that is not there is said to be unreachable", async () => {
  const gone = createServer();
  await new Promise((resolve) => gone.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (gone.address());
  await new Promise((resolve) => gone.close(resolve));
  await refuses(ask({}, { server: `http://127.0.0.1:${port}` }), "unreachable", /\/v1\/release/);
});

test("neither a server nor a mistake moves the wait out of its bounds", () => {
  for (const [poll, wait, seconds] of /** @type {const} */ ([
    [3600, 0, 3600],
    [3600, 7200, 7200],
    [3600, 10 ** 9, 86400],
    [10 ** 9, 0, 86400],
    [900, 0, 900],
    [2, 900, 2],
  ])) {
    assert.equal(waitSeconds(poll, wait, 0, 0), seconds, `${poll}, ${wait}`);
    assert.equal(waitSeconds(poll, wait, 0, 1), seconds * 1.1, `${poll}, ${wait}`);
  }
});

test("who fails waits longer each time, by chance, and not for more than a day", () => {
  for (const [failures, least, most] of /** @type {const} */ ([
    [1, 3600, 7200],
    [2, 7200, 14400],
    [4, 28800, 57600],
    [5, 43200, 86400],
    [2000, 43200, 86400],
  ])) {
    assert.equal(waitSeconds(3600, 0, failures, 1), least, `${failures}`);
    assert.equal(waitSeconds(3600, 0, failures, 0), most, `${failures}`);
  }
});
