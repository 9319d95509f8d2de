/** Bundles src/index.ts and its styles into the Python package: `widget.js` and `widget.css`. */
import * as esbuild from "esbuild";

const watch = process.argv.includes("--watch");

const options = {
  entryPoints: { widget: "src/index.ts" },
  outdir: "../rnnbow_widget/static",
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: !watch,
  legalComments: "none",
  logLevel: "info",
};

if (watch) {
  const context = await esbuild.context(options);
  await context.watch();
} else {
  await esbuild.build(options);
}
