import assert from "node:assert/strict";
import test from "node:test";
import { publicSuffixes } from "../tools/suffixes.js";
import { takeSuffixes } from "./domains.js";
import { cutReferer, tightenPolicy } from "./referer.js";

takeSuffixes(publicSuffixes());

const page = "https://www.doctolib.fr/oncologue/paris?insurance=private";

test("a third party is told a page's origin at most", () => {
  for (const [url, referer, sent] of [
    ["https://ads.example/p.gif", page, "https://www.doctolib.fr/"],
    ["https://ads.example/p.gif", "https://www.doctolib.fr/", null],
    ["https://ads.example/p.gif", "https://embed.doctolib.fr:8443/a", "https://embed.doctolib.fr:8443/"],
    ["https://www.doctolib.fr/app.js", page, null],
    ["https://cdn.doctolib.fr/app.js", page, null],
    ["https://pay.example/api", "https://pay.example/frame?id=7", null],
    ["https://ads.example/p.gif", "nonsense", null],
  ]) {
    const headers = [{ name: "Accept", value: "*/*" }, { name: "referer", value: referer ?? "" }];
    const cut = cutReferer(url ?? "", page, headers);
    assert.deepEqual(cut, sent && [headers[0], { name: "referer", value: sent }], `${url} ${referer}`);
  }
  assert.equal(cutReferer("https://ads.example/p.gif", page, [{ name: "Accept", value: "*/*" }]), null);
});

test("a document's policy is tightened where it is weak, and nowhere else", () => {
  for (const [values, weak] of /** @type {[string[], boolean][]} */ ([
    [["unsafe-url"], true],
    [["Unsafe-URL "], true],
    [["no-referrer-when-downgrade"], true],
    [["origin-when-cross-origin"], true],
    [["no-referrer, unsafe-url"], true],
    [["no-referrer", "unsafe-url"], true],
    [["unsafe-url, no-such-policy"], true],
    [["unsafe-url, no-referrer"], false],
    [["no-referrer"], false],
    [["same-origin"], false],
    [["strict-origin-when-cross-origin"], false],
    [["no-such-policy"], false],
    [[], false],
  ])) {
    const others = [{ name: "Content-Type", value: "text/html" }];
    const headers = [...values.map((value) => ({ name: "Referrer-Policy", value })), ...others];
    const want = weak ? [...others, { name: "Referrer-Policy", value: "strict-origin-when-cross-origin" }] : null;
    assert.deepEqual(tightenPolicy(headers), want, values.join("; "));
  }
});
