// Builds the page into `dist`; with `--watch`, again and again; with `--tests`, the tests into `dist-test`.

import { copyFileSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { build, context } from "esbuild";

import { notices } from "./notices.mjs";

process.chdir(join(dirname(fileURLToPath(import.meta.url)), ".."));

const browser = {
  bundle: true,
  format: "esm",
  platform: "browser",
  target: "es2022",
  minify: true,
  metafile: true,
  logLevel: "warning",
  outdir: "dist/assets",
  entryNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  loader: { ".woff2": "file" },
  jsx: "automatic",
  jsxImportSource: "preact",
};

/** The output that was made of an entry. */
function outputOf({ outputs }, entry) {
  const found = Object.entries(outputs).find(([, output]) => output.entryPoint === entry);
  return `assets/${basename(found[0])}`;
}

function assetOf({ outputs }, ending) {
  return `assets/${basename(Object.keys(outputs).find((name) => name.endsWith(ending)))}`;
}

async function worker() {
  const result = await build({ ...browser, entryPoints: ["src/worker.ts"] });
  return { url: outputOf(result.metafile, "src/worker.ts"), inputs: result.metafile.inputs };
}

function writePage(made, inputs) {
  const html = readFileSync("src/index.html", "utf8")
    .replace("%SCRIPT%", outputOf(made, "src/main.tsx"))
    .replace("%STYLE%", outputOf(made, "src/styles/main.css"))
    .replace("%FONT%", assetOf(made, ".woff2"));
  writeFileSync("dist/index.html", html);
  writeFileSync("dist/icon.svg", readFileSync("src/icon.svg"));
  writeFileSync("dist/manifest.webmanifest", readFileSync("src/manifest.webmanifest"));
  writeFileSync("dist/THIRD-PARTY-NOTICES.txt", notices({ ...inputs, ...made.inputs }));
  // The element for other people's pages is served beside the page.
  copyFileSync("../ticker/dist/ticker.js", "dist/ticker.js");
  for (const name of readdirSync("dist", { recursive: true })) if (/\.(html|js|css|svg|txt|webmanifest)$/.test(name)) pack(join("dist", name));
}

/** Packed once, at the highest level: servers send it as it is. */
function pack(file) {
  const bytes = readFileSync(file);
  writeFileSync(`${file}.br`, brotliCompressSync(bytes));
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
}

async function page() {
  rmSync("dist", { recursive: true, force: true });
  const { url, inputs } = await worker();
  return {
    ...browser,
    entryPoints: ["src/main.tsx", "src/styles/main.css"],
    define: { WORKER_URL: JSON.stringify(url) },
    plugins: [
      {
        name: "page",
        setup: ({ onEnd }) => onEnd(({ metafile, errors }) => void (errors.length === 0 && writePage(metafile, inputs))),
      },
    ],
  };
}

if (process.argv.includes("--tests")) {
  rmSync("dist-test", { recursive: true, force: true });
  const entryPoints = readdirSync("test", { recursive: true })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => `test/${name}`);
  const node = { bundle: true, format: "esm", platform: "node", target: "node20", logLevel: "warning", sourcemap: "inline" };
  await build({ ...node, entryPoints, outbase: "test", outdir: "dist-test", packages: "external" });
} else if (process.argv.includes("--watch")) {
  await (await context(await page())).watch();
  console.log("watching");
} else {
  await build(await page());
}
