/**
 * Paravent's engine and its peers behind one face. Each is asked as its users
 * ask it: strings in, an answer out, with whatever it does in between to read
 * addresses and to tell third parties. The same file runs in Node and in a
 * page, where an import map says what the bare names are.
 */

import { Engine as AdGuardEngine, Request as AdGuardRequest, RequestType } from "@adguard/tsurlfilter";
import { FiltersEngine, Request as GhosteryRequest } from "@ghostery/adblocker";
// @ts-expect-error the package has no types
import { StaticNetFilteringEngine, pslInit } from "@gorhill/ubo-core";
import { Engine } from "../background/engine.js";

/** @typedef {import("../background/wasm.js").Module} Module */

/** @typedef {"paravent" | "ubo-core" | "ghostery" | "tsurlfilter"} Name */

/**
 * An engine that has its list.
 * @typedef {object} Decider
 * @property {(url: string, page: string, type: string) => boolean} stops whether it stops a request, type as webRequest names it
 * @property {(url: string, page: string, type: string) => string} why the rule that decides, "" if none does
 */

/**
 * What an engine starts from.
 * @typedef {object} Surroundings
 * @property {string} suffixes the public suffix list
 * @property {() => Promise<Module>} module starts Paravent's WebAssembly
 */

/**
 * @typedef {object} Contender
 * @property {string} form what it loads
 * @property {(surroundings: Surroundings) => Promise<void>} [prepare] once, before its first load, beside all timing
 * @property {(list: string) => Promise<Uint8Array>} [serialize] of a list; left out, it loads the list's text
 * @property {(bytes: Uint8Array, surroundings: Surroundings) => Promise<Decider>} load
 */

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** @type {Record<string, any>} numbers of a const enum */
const ADGUARD_TYPES = {
  main_frame: RequestType.Document,
  sub_frame: RequestType.SubDocument,
  script: RequestType.Script,
  stylesheet: RequestType.Stylesheet,
  object: RequestType.Object,
  image: RequestType.Image,
  imageset: RequestType.Image,
  xmlhttprequest: RequestType.XmlHttpRequest,
  media: RequestType.Media,
  font: RequestType.Font,
  websocket: RequestType.WebSocket,
  ping: RequestType.Ping,
  beacon: RequestType.Ping,
  csp_report: RequestType.CspReport,
};

/** @type {Record<Name, Contender>} */
export const contenders = {
  // Its bundle is compiled by the paravent program.
  paravent: {
    form: "bundle",
    load: async (bytes, { module }) => {
      const engine = await Engine.open(bytes, module());
      return {
        stops: (url, page, type) => engine.decide(url, page, type, "protect").action !== "allow",
        why: (url, page, type) => {
          const { reason } = engine.decide(url, page, type, "protect");
          return engine.explain() || (reason === "unlisted" ? "" : reason);
        },
      };
    },
  },

  "ubo-core": {
    form: "selfie",
    prepare: async ({ suffixes }) => {
      pslInit(suffixes);
    },
    serialize: async (list) => {
      const engine = await StaticNetFilteringEngine.create({ noPSL: true });
      await engine.useLists([{ name: "list", raw: list }]);
      const selfie = await engine.serialize();
      await StaticNetFilteringEngine.release();
      return encoder.encode(selfie);
    },
    load: async (bytes) => {
      const engine = await StaticNetFilteringEngine.create({ noPSL: true });
      await engine.deserialize(decoder.decode(bytes));
      return {
        stops: (url, page, type) => engine.matchRequest({ originURL: page, url, type }) === 1,
        why: (url, page, type) => (engine.matchRequest({ originURL: page, url, type }) === 0 ? "" : engine.toLogData().raw),
      };
    },
  },

  ghostery: {
    form: "serialized engine",
    serialize: async (list) => FiltersEngine.parse(list, { loadCosmeticFilters: false }).serialize(),
    load: async (bytes) => {
      const engine = FiltersEngine.deserialize(bytes);
      /** @type {(url: string, page: string, type: any) => ReturnType<FiltersEngine["match"]>} */
      const match = (url, page, type) => engine.match(GhosteryRequest.fromRawDetails({ url, sourceUrl: page, type }));
      return {
        stops: (url, page, type) => match(url, page, type).match,
        why: (url, page, type) => {
          const { exception, filter } = match(url, page, type);
          return String(exception ?? filter ?? "");
        },
      };
    },
  },

  tsurlfilter: {
    form: "text: it has no other",
    load: async (bytes) => {
      const engine = AdGuardEngine.createSync({ filters: [{ id: 1, content: decoder.decode(bytes), ignoreCosmetic: true }] });
      /** @type {(url: string, page: string, type: string) => any} */
      const match = (url, page, type) =>
        engine.matchRequest(new AdGuardRequest(url, page, ADGUARD_TYPES[type] ?? RequestType.Other)).getBasicResult();
      return {
        stops: (url, page, type) => {
          const rule = match(url, page, type);
          return rule !== null && !rule.isAllowlist();
        },
        why: (url, page, type) => {
          const rule = match(url, page, type);
          return rule === null ? "" : (engine.retrieveRuleText(rule.getFilterListId(), rule.getIndex()) ?? "");
        },
      };
    },
  },
};
