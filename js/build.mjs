/**
 * Bundles into the Python package: `widget.js` and `widget.css` from src/index.ts; `page.js` and `page.css` from
 * src/page.ts, for pages that are one file; and the licences of the packages that are inside the bundles, which they
 * ask to be shipped with.
 */
import { readFile, writeFile } from "node:fs/promises";
import * as esbuild from "esbuild";

const STATIC = "../rnnbow_widget/static";
const watch = process.argv.includes("--watch");

const options = {
  outdir: STATIC,
  bundle: true,
  target: "es2022",
  minify: !watch,
  legalComments: "none",
  logLevel: "info",
  metafile: true,
};

const bundles = [
  // Both are ASCII, as esbuild writes them. Pages have to be; and of a text with other letters browsers keep two bytes
  // for each, in a copy for every widget that is made.
  { ...options, entryPoints: { widget: "src/index.ts" }, format: "esm" },
  // Within HTML, a script must not hold what ends it; esbuild sees to that.
  { ...options, entryPoints: { page: "src/page.ts" }, format: "iife", platform: "browser" },
];

if (watch) {
  for (const bundle of bundles) await (await esbuild.context(bundle)).watch();
} else {
  const built = await Promise.all(bundles.map((bundle) => esbuild.build(bundle)));
  const inputs = built.flatMap(({ metafile }) => Object.keys(metafile.inputs));
  await writeFile(`${STATIC}/LICENSES.txt`, await licences(inputs));
}

async function licences(inputs) {
  const names = inputs.flatMap((path) => path.match(/^node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1] ?? []);
  const texts = [...new Set(names)].sort().map(async (name) => {
    const text = await readFile(`node_modules/${name}/LICENSE`, "utf8");
    return `${name}\n\n${text.trim()}\n`;
  });
  return (await Promise.all(texts)).join("\n\n");
}
