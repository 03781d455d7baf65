/**
 * The browser is started straight on a leaking page, as by a link in an e-mail:
 * the extension is not awake yet when the page begins to load.
 */

import assert from "node:assert/strict";
import path from "node:path";
import { after, before, it } from "node:test";
import { contacted } from "./drive/demo.js";
import { installed, wantPhotos } from "./popup.js";
import { BROWSERS, createWorld } from "./world.js";

/** @type {import("./world.js").World} */
let world;
before(async () => {
  world = await createWorld({ whole: true });
});
after(() => world.close());

for (const name of BROWSERS) {
  it(`${name}, started on the page, tells nobody`, async () => {
    const options = {
      extension: await world.extension(name),
      profile: path.join(world.dir, `profile-${name}`),
      permanent: true,
    };
    const first = await world.launch(name, options);
    await installed(first);
    await wantPhotos(first, `${world.demo.site}/oncologist/paris`);
    await first.close();

    await world.demo.reset();
    const url = `${world.demo.site}/oncologist/paris?insurance=private&motive=second-opinion`;
    const again = await world.launch(name, { ...options, url });
    const tab = again.tab();
    await tab.waitFor(() => document.documentElement.dataset["ready"] === "yes", { what: `${url} to be ready` });
    await tab.waitFor(
      () => {
        const photos = [...document.querySelectorAll("img[data-photo]:not([loading=lazy])")];
        return photos.length === 6 && photos.every((photo) => /** @type {HTMLImageElement} */ (photo).src.startsWith("data:"));
      },
      { what: "the photos to come the private way" },
    );
    assert.deepEqual(contacted(await world.demo.settled()), []);
    await again.close();
  });
}
