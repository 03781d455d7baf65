/**
 * Who carries a page: organisations that see it as the browser does, because
 * the site lets them answer in its name. No extension can change that, so it is
 * only said. They are known by what their servers write into the document's
 * response headers; one that writes nothing is not seen, so that nobody named
 * does not mean that nobody is there.
 */

import { api } from "./api.js";
import { noteCarriers } from "./visits.js";

/** @typedef {import("./visits.js").Carrier} Carrier */

/** What is kept of a header's value. */
const MAX_EVIDENCE = 80;

/**
 * Registers the listener, which must come before the one that begins a visit
 * with the same response. It wakes nobody whom that one does not.
 */
export function watchCarriers() {
  api.webRequest.onResponseStarted.addListener(
    ({ tabId, responseHeaders = [] }) => {
      if (tabId >= 0) noteCarriers(tabId, carriersOf(responseHeaders));
    },
    { urls: ["<all_urls>"], types: ["main_frame"] },
    ["responseHeaders"],
  );
}

/**
 * A header tells by its name alone, or by a value that it has. The sources are
 * the carriers' own documentation, but for those said to be seen.
 * @type {{name: string, country: string, source: string, headers: Record<string, RegExp | true>}[]}
 */
const CARRIERS = [
  // Countries are those of the organisations' seats.
  {
    name: "Cloudflare",
    country: "US",
    source: "https://developers.cloudflare.com/fundamentals/reference/http-headers/",
    headers: { "cf-ray": true, server: /^cloudflare\b/i },
  },
  {
    name: "Amazon",
    country: "US",
    // CloudFront, its load balancer, API Gateway and Lambda, S3.
    source: "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/RequestAndResponseBehaviorCustomOrigin.html and https://docs.aws.amazon.com/elasticloadbalancing/latest/application/header-modification.html",
    headers: {
      "x-amz-cf-id": true,
      "x-amz-cf-pop": true,
      via: /\.cloudfront\.net\b/i,
      server: /^(CloudFront|AmazonS3|awselb\/)/i,
      "x-amzn-requestid": true,
      "x-amzn-trace-id": true,
      "x-amz-apigw-id": true,
      "x-amz-request-id": true,
    },
  },
  {
    name: "Fastly",
    country: "US",
    source: "https://www.fastly.com/documentation/reference/http/http-headers/X-Served-By",
    // Anyone can run a Varnish; the names of the caches are Fastly's.
    headers: { "x-served-by": /\bcache-[a-z\d-]+-[A-Z]{3}\b/i, "fastly-debug-digest": true, "x-fastly-request-id": true },
  },
  {
    name: "Akamai Technologies",
    country: "US",
    source: "https://techdocs.akamai.com/property-mgr/docs/global-req-number",
    headers: { "akamai-grn": true, server: /^Akamai/i, "x-akamai-transformed": true, "x-akamai-request-id": true, "akamai-cache-status": true },
  },
  {
    name: "Microsoft",
    country: "US",
    source: "https://learn.microsoft.com/azure/frontdoor/front-door-http-headers-protocol",
    headers: { "x-azure-ref": true, via: /\bAzure\b/i, server: /^(Microsoft-Azure|Windows-Azure)/i, "x-msedge-ref": true },
  },
  {
    name: "Google",
    country: "US",
    source: "https://cloud.google.com/load-balancing/docs/https",
    headers: { via: /\b1\.1 google\b/i, server: /^(Google Frontend|gws|ESF|GSE|UploadServer)\b/i, "x-cloud-trace-context": true },
  },
  {
    name: "Vercel",
    country: "US",
    source: "https://vercel.com/docs/headers/response-headers",
    headers: { "x-vercel-id": true, server: /^Vercel\b/i },
  },
  {
    name: "Netlify",
    country: "US",
    source: "seen on its own site, https://www.netlify.com/",
    headers: { "x-nf-request-id": true, server: /^Netlify\b/i },
  },
  {
    name: "Imperva",
    country: "US",
    source: "https://http.dev/x-cdn",
    headers: { "x-cdn": /^(Imperva|Incapsula)\b/i, "x-iinfo": true },
  },
  {
    name: "BunnyWay (bunny.net)",
    country: "SI",
    source: "https://bunny.net/docs/cdn/request-headers-to-origin.md",
    headers: { server: /^BunnyCDN\b/i, via: /\bBunnyCDN\b/i, "cdn-pullzone": true },
  },
];

/**
 * @param {readonly {name: string, value?: string}[]} headers of a document's response
 * @returns {Carrier[]}
 */
export function carriersOf(headers) {
  const written = headers.map(({ name, value = "" }) => ({ name: name.toLowerCase(), value }));
  return CARRIERS.flatMap(({ name, country, headers: known }) => {
    const told = written.find((header) => Object.hasOwn(known, header.name) && isTold(known[header.name], header.value));
    return told ? [{ name, country, evidence: `${told.name}: ${told.value}`.slice(0, MAX_EVIDENCE) }] : [];
  });
}

/**
 * @param {RegExp | true | undefined} known
 * @param {string} value
 */
function isTold(known, value) {
  return known === true ? value !== "" : Boolean(known?.test(value));
}
