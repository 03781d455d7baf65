import shared from "../../../extension/eslint.config.js";
import globals from "../../../extension/node_modules/globals/index.js";

const [recommended, ours] = shared;

export default [
  recommended,
  ours,
  { languageOptions: { globals: { ...globals.node, ...globals.serviceworker, Go: "readonly" } } },
];
