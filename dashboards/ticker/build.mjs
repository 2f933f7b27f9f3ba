// Builds `dist/ticker.js`: one classic script, with all that it needs, plain and packed; with `--tests`, the tests behind it.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build } from "esbuild";

rmSync("dist", { recursive: true, force: true });
mkdirSync("dist");
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
const script = readFileSync("dist/ticker.js");
writeFileSync("dist/ticker.js.br", brotliCompressSync(script));
writeFileSync("dist/ticker.js.gz", gzipSync(script, { level: 9 }));
if (process.argv.includes("--tests")) {
  const entryPoints = ["test/ticker.test.ts"];
  await build({ entryPoints, outdir: "dist/test", bundle: true, format: "esm", platform: "node", target: "es2022", packages: "external" });
}
