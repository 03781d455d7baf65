import assert from "node:assert/strict";
import test from "node:test";
import { covering, hostOf, registrable } from "./domains.js";

test("a host's site is its registrable domain, and never wider", () => {
  for (const [host, site] of [
    ["www.doctolib.fr", "doctolib.fr"],
    ["doctolib.fr", "doctolib.fr"],
    ["a.b.example.co.uk", "example.co.uk"],
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
