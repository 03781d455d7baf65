/** The README's table of ways out is the one that the suites have shown to be so. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { readme, table } from "./ways-out-table.js";

it("the README's table is made of the rows", async () => {
  assert.equal((await readme()).table, table(), "write it anew with ./build.sh ways");
});
