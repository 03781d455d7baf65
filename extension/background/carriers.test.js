import assert from "node:assert/strict";
import test from "node:test";
import { carriersOf } from "./carriers.js";

/** What a server may write, a header a line, and whom it tells of. @type {[string, string, string[]][]} */
const CASES = [
  ["nothing", "", []],
  ["a server of one's own", "Server: nginx\nContent-Type: text/html\nX-Powered-By: PHP/8.3", []],
  ["Cloudflare by its ray", "CF-RAY: 8c1f2a3b4c5d6e7f-CDG", ["Cloudflare"]],
  ["Cloudflare by its name", "server: cloudflare", ["Cloudflare"]],
  ["Cloudflare by both", "cf-ray: 8c1f2a3b4c5d6e7f-FRA\nserver: cloudflare", ["Cloudflare"]],
  ["another server that is called like it", "server: not-cloudflare", []],
  ["CloudFront", "via: 1.1 0123456789abcdef.cloudfront.net (CloudFront)\nx-amz-cf-pop: CDG50-C1\nx-amz-cf-id: abc==", ["Amazon"]],
  ["a load balancer of Amazon's", "server: awselb/2.0", ["Amazon"]],
  ["API Gateway", "x-amzn-RequestId: 9f1c\nx-amz-apigw-id: Zx=", ["Amazon"]],
  ["S3 as a site", "Server: AmazonS3\nx-amz-request-id: 4A", ["Amazon"]],
  ["Fastly", "via: 1.1 varnish\nx-served-by: cache-cdg20732-CDG\nx-cache: HIT", ["Fastly"]],
  ["Fastly behind a shield", "x-served-by: cache-iad-kiad7000031-IAD, cache-par-lfpg1960023-PAR", ["Fastly"]],
  ["a Varnish of one's own", "via: 1.1 varnish (Varnish/7.1)\nx-varnish: 32770\nx-served-by: web3", []],
  ["Akamai", "server: AkamaiGHost", ["Akamai Technologies"]],
  ["Akamai by its request number", "akamai-grn: 0.05313217.1567801841.1457a3", ["Akamai Technologies"]],
  ["Azure Front Door", "x-azure-ref: 20240101T000000Z-abc\nvia: 1.1 Azure", ["Microsoft"]],
  ["an application gateway of Azure's", "server: Microsoft-Azure-Application-Gateway/v2", ["Microsoft"]],
  ["Microsoft's server at somebody else's", "server: Microsoft-IIS/10.0\nx-powered-by: ASP.NET", []],
  ["Google's load balancer", "via: 1.1 google", ["Google"]],
  ["Cloud Run", "server: Google Frontend\nx-cloud-trace-context: abc", ["Google"]],
  ["Vercel", "server: Vercel\nx-vercel-id: cdg1::abc", ["Vercel"]],
  ["Netlify", "server: Netlify\nx-nf-request-id: 01H", ["Netlify"]],
  ["Imperva", "x-cdn: Imperva\nx-iinfo: 14-1-2", ["Imperva"]],
  ["somebody else's X-CDN", "x-cdn: 1", []],
  ["bunny.net", "Server: BunnyCDN-FR1-1045\nCDN-PullZone: 12", ["BunnyWay (bunny.net)"]],
  ["one behind the other", "server: cloudflare\ncf-ray: 8c-CDG\nx-amz-cf-id: abc\nvia: 1.1 abc.cloudfront.net (CloudFront)", ["Cloudflare", "Amazon"]],
  ["a header without a value", "cf-ray: \nx-amz-cf-id:", []],
  ["names that objects have by themselves", "constructor: x\n__proto__: y\ntoString: z", []],
];

test("carriers are told by what their servers write", () => {
  for (const [name, text, expected] of CASES) {
    const headers = text.split("\n").filter(Boolean).map((line) => {
      const [header = "", ...value] = line.split(":");
      return { name: header, value: value.join(":").trim() };
    });
    assert.deepEqual(carriersOf(headers).map((carrier) => carrier.name), expected, name);
  }
});

test("a carrier comes with its country and the header that told", () => {
  assert.deepEqual(carriersOf([{ name: "Server", value: "cloudflare" }]), [{ name: "Cloudflare", country: "US", evidence: "server: cloudflare" }]);
  assert.equal(carriersOf([{ name: "CF-Ray", value: "9".repeat(4000) }])[0]?.evidence.length, 80);
});

test("a header without a text value is none", () => {
  assert.deepEqual(carriersOf([{ name: "cf-ray" }]), []);
});
