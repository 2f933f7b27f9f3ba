// Builds `dist/ticker.js`: one classic script, with all that it needs; with `--tests`, the tests behind it.

import { rmSync } from "node:fs";
import { build } from "esbuild";

rmSync("dist", { recursive: true, force: true });
await build({
  entryPoints: ["src/ticker.ts"],
  outfile: "dist/ticker.js",
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  // ASCII only: it is read as whatever the page around it is written in.
  charset: "ascii",
  logLevel: "warning",
});
if (process.argv.includes("--tests")) {
  const entryPoints = ["test/ticker.test.ts"];
  await build({ entryPoints, outdir: "dist/test", bundle: true, format: "esm", platform: "node", target: "es2022", packages: "external" });
}
