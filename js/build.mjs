/**
 * Bundles src/index.ts and its styles into the Python package: `widget.js`, `widget.css`, and the licences of the
 * packages that are inside the bundle, which they ask to be shipped with.
 */
import { readFile, writeFile } from "node:fs/promises";
import * as esbuild from "esbuild";

const STATIC = "../rnnbow_widget/static";
const watch = process.argv.includes("--watch");

const options = {
  entryPoints: { widget: "src/index.ts" },
  outdir: STATIC,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: !watch,
  legalComments: "none",
  logLevel: "info",
  metafile: true,
};

if (watch) {
  const context = await esbuild.context(options);
  await context.watch();
} else {
  const { metafile } = await esbuild.build(options);
  await writeFile(`${STATIC}/LICENSES.txt`, await licences(metafile));
}

async function licences(metafile) {
  const names = Object.keys(metafile.inputs).flatMap(
    (path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1] ?? [],
  );
  const texts = [...new Set(names)].sort().map(async (name) => {
    const text = await readFile(`node_modules/${name}/LICENSE`, "utf8");
    return `${name}\n\n${text.trim()}\n`;
  });
  return (await Promise.all(texts)).join("\n\n");
}
