/** The sheet for participants: nothing but sentences, and a button that prints it. */

import { byId } from "./page.js";
import { say, sayAll } from "./words.js";

sayAll();
document.title = say("handoutTitle");
byId("print").addEventListener("click", () => print());
