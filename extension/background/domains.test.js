import assert from "node:assert/strict";
import test from "node:test";
import { getDomain } from "tldts";
import { publicSuffixes } from "../tools/suffixes.js";
import { covering, hostOf, registrable, takeSuffixes } from "./domains.js";

takeSuffixes(publicSuffixes());

test("a host's site is its registrable domain, and never wider", () => {
  for (const [host, site] of [
    ["www.doctolib.fr", "doctolib.fr"],
    ["doctolib.fr", "doctolib.fr"],
    ["a.b.example.co.uk", "example.co.uk"],
    ["a.b.example.ck", "b.example.ck"],
    ["a.www.ck", "www.ck"],
    ["example.ck", "example.ck"],
    ["a.xn--55qx5d.cn", "a.xn--55qx5d.cn"],
    ["alice.github.io", "alice.github.io"],
    ["metrics.booking.localhost", "booking.localhost"],
    ["booking.localhost", "booking.localhost"],
    ["localhost", "localhost"],
    ["co.uk", "co.uk"],
    ["127.0.0.1", "127.0.0.1"],
    ["[::1]", "[::1]"],
    ["xn--mgbh0fb.xn--kgbechtv", "xn--mgbh0fb.xn--kgbechtv"],
    ["", ""],
  ]) {
    assert.equal(registrable(host), site, host);
  }
});

test("every rule is understood as tldts understands it", () => {
  const rules = publicSuffixes().trimEnd().split("\n");
  assert.ok(rules.length > 10_000);
  for (const rule of rules) {
    const name = rule.replace(/^!/, "").replace("*", "wild");
    for (const host of [name, `one.${name}`, `two.one.${name}`, `three.two.one.${name}`, name.slice(name.indexOf(".") + 1), `x${name}`]) {
      assert.equal(registrable(host), getDomain(host, { allowPrivateDomains: true }) || host, host);
    }
  }
});

test("only addresses on the network have a host", () => {
  for (const [url, host] of [
    ["https://www.doctolib.fr/x?y#z", "www.doctolib.fr"],
    ["wss://user:word@A.example:8080/", "a.example"],
    ["https://a.example./", "a.example"],
    ["about:blank", ""],
    ["data:text/html,x", ""],
    ["blob:https://a.example/1", ""],
    ["moz-extension://x/y", ""],
    ["https://", ""],
    ["", ""],
    [undefined, ""],
  ]) {
    assert.equal(hostOf(url), host, String(url));
  }
});

test("the most specific domain covers a host, whole labels only", () => {
  const domains = new Set(["example.org", "shop.example.org"]);
  for (const [host, domain] of [
    ["example.org", "example.org"],
    ["a.example.org", "example.org"],
    ["x.shop.example.org", "shop.example.org"],
    ["badexample.org", ""],
    ["org", ""],
    ["", ""],
  ]) {
    assert.equal(covering(host, domains), domain, host);
  }
});
