/** A visit as the background keeps it, through the desk: saved, opened again, judged by its requests alone. */

import assert from "node:assert/strict";
import test from "node:test";
import { compiled, openDesk, openEngine } from "../tools/modules.js";
import { judge } from "./judge.js";
import { toBase64 } from "./pack.js";
import { Sites } from "./sites.js";

const LIST = `paravent list 1
[sites]
booking.example\tBooking
[recipients]
ads.example\tUS\tPlaza Ads\tadvertising
metrics.booking.example\tFR\tSillage\tanalytics
[needs]
||pay.example^$domain=booking.example
[exceptions]
[photos]
||photos.example/doctors/
[hosts]
ads.example
metrics.booking.example
[rules]
`;
const PAGE = "https://www.booking.example/oncologist/paris?insurance=private";

/** @type {[url: string, type: string, body?: string][]} */
const ASKED = [
  ["https://www.booking.example/site.js", "script"],
  [`https://ads.example/p?dl=${encodeURIComponent(PAGE)}`, "image"],
  ["https://metrics.booking.example/e", "beacon", `{"page": "${btoa(PAGE)}"}`],
  ["https://photos.example/doctors/1.jpg", "image"],
  ["https://photos.example/doctors/2.jpg", "imageset"],
  ["https://errors.example/e", "xmlhttprequest", `url=${encodeURIComponent(PAGE)}`],
  ["https://pay.example/frame?return=https%3A%2F%2Fwww.booking.example%2F", "sub_frame"],
  ["https://let.ads.example/p?q=oncologist+paris", "image"],
  ["wss://chat.example/", "websocket"],
  ["https://cdn.example/a.css", "stylesheet"],
];

for (const mode of /** @type {const} */ (["watch", "protect", "strict"])) {
  test(`a visit in mode ${mode} gives the same report when it is opened again`, async () => {
    const desk = await openDesk();
    const bundle = compiled(desk, new TextEncoder().encode(LIST));
    const engine = await openEngine(bundle);
    const allow = ["let.ads.example"];
    const sites = new Sites(["booking.example"], { modes: { "booking.example": mode }, allowed: { "booking.example": allow } });
    const document = { type: "main_frame", outcome: /** @type {const} */ ("allow"), reason: "document", rule: "", told: [], body: "" };
    /** @type {import("./visits.js").Visit} */
    const visit = {
      domain: "booking.example", mode, started: 1795366486344, dropped: 2, pages: [{ url: PAGE, mode, at: 0, allow }],
      carriers: [{ name: "Cloudflare", country: "US", evidence: "cf-ray" }],
      requests: [{ ...document, page: 0, at: 0, url: PAGE, method: "GET", referer: "" }],
    };
    for (const [at, [url, type, body]] of ASKED.entries()) {
      const method = body ? "POST" : "GET";
      const { action, would, reason, rule, told } = judge({ url, type, page: PAGE, method, body }, sites, engine);
      const kept = body && told.some(({ place }) => place === "body") ? toBase64(new TextEncoder().encode(body)) : "";
      const outcome = action === "allow" && would !== "allow" ? "would" : action;
      visit.requests.push({ page: 0, at, url, type, method, outcome, reason, rule, told, body: kept, referer: "" });
    }
    const happened = await desk.visit(visit, bundle);
    assert.deepEqual(await desk.audit(await desk.export("har", visit, bundle), bundle), happened);

    const by = Object.fromEntries(happened.report.recipients.map((one) => [one.name, one]));
    const stopped = mode === "watch" ? "would" : "block";
    assert.deepEqual([by["Plaza Ads"].purposes, by["Plaza Ads"].counts[stopped], by["Plaza Ads"].counts.allow], [["advertising"], 1, 1]);
    assert.equal(by["photos.example"].photos, 2);
    assert.deepEqual(by["Sillage"].learnt.map(({ what, place }) => [what, place]), [["address", "body"]]);
    assert.deepEqual(by["errors.example"].outcomes, [{ action: "block", reason: "leak", requests: 1 }]);
    assert.equal(by["cdn.example"].counts.allow, mode === "strict" ? 0 : 1);
    assert.equal(by["booking.example"], undefined);
    await assert.rejects(desk.export(/** @type {any} */ ("pdf"), visit, bundle), /want har, inspection or csv/);
    await assert.rejects(desk.visit({ ...visit, pages: [] }, bundle), /requests\[0\]: page/);
  });
}
