/**
 * A booking site that is hostile to its own patients, and whom it wants to tell
 * of them: every way out has hosts of its own, so that each can say by itself
 * whether anything arrived, be it a name asked for, a connection, a datagram or
 * a request. Browsers treat names that cannot be public otherwise, so these are
 * below the domains that are kept for examples; a resolver of the town's own
 * says that they are here.
 *
 *   booking.example.org    the booking site
 *   WAY.example.net:PORT   the recipient, which the list knows
 *   WAY.example.com:PORT   the same for a host that the site needs: it shows
 *                          that the way is open, and that its time has come
 *   WAY.example.edu:PORT   somebody whom no list knows
 */

import { createHash, X509Certificate } from "node:crypto";
import { createSocket } from "node:dgram";
import { createSecureServer } from "node:http2";
import { createServer } from "node:net";
import { WebSocketServer } from "ws";
import { certificate } from "./drive/certificate.js";
import { sleep } from "./drive/driver.js";
import { listen } from "./drive/loopback.js";
import { createResolver } from "./drive/resolver.js";

/** @typedef {import("./ways-out.js").Way} Way */
/** @typedef {import("./ways-out.js").To} To */
/** @typedef {import("node:http2").Http2ServerRequest} Request */
/** @typedef {import("node:http2").Http2ServerResponse} Response */

/** The registrable domain of each kind of host. */
const DOMAINS = {
  listed: "example.net",
  needed: "example.com",
  unknown: "example.edu",
};
/** The site's own, with names that are the recipient's. */
const OWN = "example.org";
const SITE = `booking.${OWN}`;
/** It sends on whoever comes. */
const HOP = `hop.${DOMAINS.unknown}`;

/** @typedef {keyof typeof DOMAINS} Kind */

/**
 * What a host has received: "name" for its name having been asked for,
 * "connection", "datagram", and "METHOD address referer body" for a request.
 * @typedef {object} Host
 * @property {To} to
 * @property {Kind} kind
 * @property {Way} way
 * @property {string[]} got
 */

/**
 * @typedef {object} Town
 * @property {string} resolver address to ask for names
 * @property {string} key fingerprint of the servers' public key, as Chromium writes it
 * @property {(group: string) => string} page address of the document in which the ways of a group are
 * @property {string} elsewhere address of another document of the site
 * @property {(way: Way, kind: Kind) => Host} host
 * @property {() => number} traffic grows whenever anything arrives anywhere
 * @property {() => void} reset
 * @property {() => Promise<void>} close
 */

/** In the address of every page: the search that is nobody's business. */
const SEARCH = "oncologist/paris?insurance=private&motive=breast-lump";

/** Bytes that a TLS connection begins with: a handshake record (RFC 8446, 5.1). */
const HANDSHAKE = 0x16;

/** So often the site hints while it makes its page, unless all have followed, and so long it waits after each, in milliseconds. */
const HINTS = 6;
const HINT_EVERY = 250;

const GIF = Buffer.from("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7", "base64");

/** What an extension of a file's name means. @type {Record<string, string>} */
const TYPES = {
  js: "text/javascript", css: "text/css", html: "text/html", svg: "image/svg+xml", json: "application/json", xml: "text/xml",
};

/**
 * @param {readonly Way[]} ways
 * @returns {Promise<Town>}
 */
export async function startTown(ways) {
  /** @type {Map<string, Host>} by port */
  const hosts = new Map();
  /** @type {Map<string, Host>} by name */
  const names = new Map();
  /** @type {(() => Promise<unknown>)[]} */
  const ends = [];
  let traffic = 0;
  const { key, cert } = certificate();
  const secure = createSecureServer({ key, cert, allowHTTP1: true });
  secure.on("error", () => {}); // a browser that changed its mind
  secure.on("sessionError", () => {});
  secure.on("secureConnection", (socket) => socket.on("error", () => {}));

  const resolve = createResolver([OWN, ...Object.values(DOMAINS)], (name) => {
    const host = names.get(name);
    // Whoever asks for a name of the site's own cannot know yet that it is another's.
    if (!host?.way.alias) note(host, "name");
    return host && name.endsWith(`.${OWN}`) ? `${host.way.id}.${DOMAINS.listed}` : "";
  });

  /** @param {Host | undefined} host @param {string} what */
  function note(host, what) {
    traffic++;
    host?.got.push(what);
  }

  /**
   * Listens on a port of its own, where bytes decide whether it is TLS.
   * @param {() => Host | undefined} host
   */
  async function open(host) {
    const server = createServer((socket) => {
      note(host(), "connection");
      socket.on("error", () => {});
      socket.once("readable", () => {
        const first = socket.read(1);
        if (first === null) return;
        socket.unshift(first);
        if (first[0] === HANDSHAKE) secure.emit("connection", socket);
        else note(host(), "datagram"); // of a protocol that is not the web's
      });
    });
    const { port, close } = await listen(server);
    ends.push(close);
    return port;
  }

  /** @param {() => Host} host */
  async function listenForDatagrams(host) {
    const socket = createSocket("udp4", () => note(host(), "datagram"));
    await new Promise((done) => socket.bind(0, "127.0.0.1", () => done(undefined)));
    ends.push(async () => socket.close());
    return socket.address().port;
  }

  const site = await open(() => undefined);
  const own = `https://${SITE}:${site}`;
  for (const way of ways) {
    for (const kind of kindsOf(way)) {
      /** @type {Host} */
      const host = { way, kind, got: [], to: /** @type {To} */ ({}) };
      const port = await open(() => host);
      const domain = way.alias && kind === "listed" ? OWN : DOMAINS[kind];
      const name = `${way.id}.${domain}`;
      const origin = `https://${name}:${port}`;
      const datagrams = way.datagrams ? await listenForDatagrams(() => host) : 0;
      host.to = { name, port, origin, url: `${origin}/way`, datagrams, own, hop: `https://${HOP}:${site}`, files: `${own}/files/${way.id}/${kind}`, };
      hosts.set(String(port), host);
      names.set(name, host);
      if (way.alias) names.set(`${way.id}.${DOMAINS[kind]}`, host);
    }
  }
  /** @param {Way} way @param {Kind} kind */
  const hostOf = (way, kind) => {
    const found = [...hosts.values()].find((host) => host.way === way && host.kind === kind);
    if (!found) throw new Error(`${way.id} has no host that is ${kind}`);
    return found;
  };

  /** @param {Request} request @param {Response} response */
  function answer(request, response) {
    const { ":authority": authority = request.headers.host ?? "" } = request.headers;
    const { hostname, port } = new URL(`https://${authority}`);
    if (request.url.startsWith("/dns-query")) return resolve(request, response);
    const host = hosts.get(port);
    if (hostname === SITE && port === String(site)) return answerOwn(request, response);
    return answerAsHost(host, request, response);
  }

  /** @param {Host | undefined} host @param {Request} request @param {Response} response */
  function answerAsHost(host, request, response) {
    const { method, url, headers } = request;
    let body = "";
    request.on("data", (part) => (body += part));
    request.on("end", () => {
      if (method !== "OPTIONS") note(host, `${method} ${url} ${headers.referer ?? ""} ${body}`);
    });
    const { origin = "*" } = headers;
    response.setHeader("Access-Control-Allow-Origin", origin);
    response.setHeader("Access-Control-Allow-Credentials", "true");
    response.setHeader("Access-Control-Allow-Methods", "GET, POST");
    response.setHeader("Access-Control-Allow-Headers", "content-type");
    response.setHeader("Cross-Origin-Resource-Policy", "cross-origin");
    response.setHeader("Timing-Allow-Origin", "*");
    const dest = headers["sec-fetch-dest"];
    const asked = new URL(url, own);
    const onward = asked.searchParams.get("to");
    if (onward !== null) {
      response.writeHead(302, { Location: onward });
      response.end();
    } else if (asked.search === "?nothing") {
      response.writeHead(204);
      response.end();
    } else if (dest === "script" || String(dest).endsWith("worklet") || String(dest).endsWith("worker")) {
      response.setHeader("Content-Type", TYPES["js"] ?? "");
      response.end("export default 0;");
    } else if (dest === "style") {
      response.setHeader("Content-Type", TYPES["css"] ?? "");
      response.end("a{}");
    } else if (dest === "image") {
      response.setHeader("Content-Type", "image/gif");
      response.end(GIF);
    } else if (headers.accept === "text/event-stream") {
      response.setHeader("Content-Type", "text/event-stream");
      response.end("data: a\n\n");
    } else if (headers.accept?.startsWith("text/html")) {
      response.setHeader("Content-Type", "text/html");
      response.end(host?.way.frame ?? "<!doctype html><title>a frame</title>");
    } else response.end();
  }

  /** The site's own answers. @param {Request} request @param {Response} response */
  function answerOwn(request, response) {
    request.resume();
    const { pathname, searchParams } = new URL(request.url, own);
    const [, first, id, kind, name = ""] = pathname.split("/");
    const onward = searchParams.get("to");
    response.setHeader("Cache-Control", "no-cache");
    if (onward !== null) {
      response.writeHead(302, { Location: onward });
      response.end();
    } else if (first === "files") {
      const way = ways.find((one) => one.id === id);
      const file = way?.files?.[name];
      if (!way || !file) {
        response.writeHead(404);
        response.end();
        return;
      }
      const { to } = hostOf(way, /** @type {Kind} */ (kind));
      response.setHeader("Content-Type", TYPES[name.split(".").pop() ?? ""] ?? "text/plain");
      for (const [header, value] of Object.entries(way.fileHeaders?.(to) ?? {})) response.setHeader(header, value);
      response.end(file(to));
    } else if (pathname.startsWith("/oncologist/")) {
      void document(searchParams.get("in") ?? "", response);
    } else {
      response.setHeader("Content-Type", "text/html");
      response.end("<!doctype html><title>elsewhere</title><link rel=icon href=data:,>");
    }
  }

  /** @param {string} group @param {Response} response */
  async function document(group, response) {
    const here = [...hosts.values()].filter(({ way }) => way.in === group);
    /** @type {Map<string, string[]>} */
    const headers = new Map();
    const hints = [];
    let head = "";
    let html = "";
    let script = "";
    for (const { way, to } of here) {
      for (const [header, value] of Object.entries(way.headers?.(to) ?? {})) {
        headers.set(header, [...(headers.get(header) ?? []), value]);
      }
      if (way.hint) hints.push(way.hint(to));
      const part = way.html?.(to) ?? "";
      // Icons and manifests count in a head only.
      if (part.startsWith("<link")) head += part;
      else html += part;
      if (way.run) script += `doing.push(() => (${way.run})(${JSON.stringify(to)}));\n`;
    }
    if (hints.length > 0) {
      // As a server does that takes a while for its page. Chromium drops a hint that it
      // reads before it has seen its own request off; so a busy one gets another.
      for (let left = HINTS; left > 0 && !here.every(({ got }) => got.length > 0); left--) {
        response.writeEarlyHints({ link: hints });
        await sleep(HINT_EVERY);
      }
    }
    response.setHeader("Content-Type", "text/html");
    for (const [header, values] of headers) response.setHeader(header, values);
    if (!head.includes("rel=icon")) head += "<link rel=icon href=data:,>";
    response.end(`<!doctype html><title>${group}</title>${head}<body><script>
const web = globalThis, doing = [];
${script}
function goOut() {
  const late = new Promise((done) => setTimeout(done, 4000));
  return Promise.race([late, Promise.allSettled(doing.map(async (go) => go()))]);
}
</script>${html}`);
  }

  secure.on("request", answer);
  const sockets = new WebSocketServer({ noServer: true });
  secure.on("upgrade", (request, socket, head) => {
    const host = hosts.get(new URL(`https://${request.headers.host}`).port);
    note(host, `GET ${request.url}`);
    sockets.handleUpgrade(request, socket, head, (client) => client.on("error", () => {}));
  });

  return {
    resolver: `https://127.0.0.1:${site}/dns-query`,
    key: createHash("sha256").update(new X509Certificate(cert).publicKey.export({ type: "spki", format: "der" })).digest("base64"),
    page: (group) => `${own}/${SEARCH}&in=${group}`,
    elsewhere: `${own}/elsewhere`,
    host: hostOf,
    traffic: () => traffic,
    reset: () => {
      for (const host of hosts.values()) host.got.length = 0;
    },
    close: async () => {
      for (const client of sockets.clients) client.terminate();
      for (const end of ends) await end();
    },
  };
}

/** @param {Way} way @returns {Kind[]} */
export function kindsOf(way) {
  const kind = way.to ?? "listed";
  return way.single ? [kind] : [kind, "needed"];
}
