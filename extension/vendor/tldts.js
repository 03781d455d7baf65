// In a package this file is the tldts library itself, one readable module with
// its licence beside it, put here by tools/package.js. In the source tree it
// leads to the same pinned library, so that tests and type checks see it too.
export { getDomain } from "tldts";
