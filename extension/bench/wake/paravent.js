/** The first decision of the packaged engine with the packaged list. */

import { Engine } from "../../background/engine.js";
import { packagedBundle } from "../../background/store.js";
import { onWake } from "./worker.js";

onWake(async () => {
  const engine = await Engine.open(packagedBundle());
  return engine.decide("https://stats.g.doubleclick.net/r/collect?v=1", "https://www.booking.example/oncologist", "image", "protect").reason;
});
