/** Coverage of what needs no page: `npm run coverage`. What draws is tested in Chromium, by tests/browser. */

import { defineConfig } from "vitest/config";

/** Modules that make or move elements of a page. */
const DRAWS = [
  "src/{index,lifecycle,page}.ts",
  "src/browser/{dom,theme}.ts",
  "src/comparison/{controls,line_styles,side,trend,view}.ts",
  "src/controls/!(setting_text).ts",
  "src/help/{how_to_read,offer,pointer,targets,tour}.ts",
  "src/panels/!(alternatives|cell_words|gradient_form|horizon_notes).ts",
  "src/sweep/{session,show,table,view}.ts",
  "src/view/view.ts",
];

export default defineConfig({
  test: {
    coverage: {
      include: ["src/**/*.ts"],
      exclude: ["src/css.d.ts", ...DRAWS],
      reporter: ["text"],
      thresholds: { perFile: true, lines: 90, branches: 80 },
    },
  },
});
