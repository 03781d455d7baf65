import js from "@eslint/js";
import globals from "globals";

export default [
  js.configs.recommended,
  {
    rules: {
      eqeqeq: "error",
      "no-var": "error",
      "prefer-const": "error",
      "no-eval": "error",
      "no-implied-eval": "error",
      "no-new-func": "error",
      "no-unused-vars": ["error", { caughtErrors: "none" }],
    },
  },
  {
    files: ["background/**/*.js", "ui/**/*.js", "content/**/*.js"],
    languageOptions: { globals: { ...globals.browser, ...globals.webextensions, Go: "readonly" } },
  },
  {
    files: ["content/**/*.js"],
    languageOptions: { sourceType: "script" },
  },
  {
    files: ["**/*.test.js", "bench/**/*.js", "test/**/*.js", "tools/**/*.js"],
    languageOptions: { globals: { ...globals.node, ...globals.browser } },
  },
  {
    files: ["bench/wake.js", "bench/wake/*.js", "tools/prestart.js"],
    languageOptions: { globals: { ...globals.webextensions, Go: "readonly" } },
  },
];
