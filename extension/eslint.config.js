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
    // What people read stands in _locales; what an Error says is for developers.
    files: ["ui/**/*.js"],
    ignores: ["**/*.test.js"],
    rules: {
      "no-restricted-syntax": [
        "error",
        ...["Literal[value", "TemplateLiteral > TemplateElement[value.raw"].map((text) => ({
          selector: `:not(NewExpression[callee.name=/Error$/]) > ${text}=/\\p{Letter}{2,} \\p{Letter}{2,}/u]`,
          message: "sentences stand in _locales",
        })),
        {
          selector: "AssignmentExpression[left.property.name=/^(textContent|title|ariaLabel|placeholder)$/] > Literal[value=/\\p{Letter}/u]",
          message: "words stand in _locales",
        },
      ],
    },
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
