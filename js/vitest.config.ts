/** Coverage of what needs no page: `npm run coverage`. What draws is tested in Chromium, by tests/browser. */

import { defineConfig } from "vitest/config";

/** Modules that make or move elements of a page. */
const DRAWS = [
  "src/{code_line,dom,findings,icons,index,lifecycle,page,segments,status,surface_chooser,theme,toolbar,tooltip,view}.ts",
  "src/comparison/{controls,line_styles,side,trend,view}.ts",
  "src/help/{how_to_read,offer,pointer,targets,tour}.ts",
  "src/panels/!(gradient_form|horizon_notes).ts",
  "src/sweep/{session,show,table,view}.ts",
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
