/** Serves the widget with a mock kernel at http://127.0.0.1:8000, built anew on every load. */
import * as esbuild from "esbuild";

const context = await esbuild.context({
  entryPoints: { harness: "dev/harness.ts" },
  bundle: true,
  format: "esm",
  target: "es2022",
  outdir: "dev",
  write: false,
  logLevel: "info",
});
await context.serve({ host: "127.0.0.1", port: 8000, servedir: "dev" });
