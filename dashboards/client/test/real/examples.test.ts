// The examples of the README run as they stand there.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { build } from "esbuild";

import { Plant } from "../support/plant.js";

const readme = readFileSync("README.md", "utf8");
const [node, browser] = [...readme.matchAll(/```js\n([^]*?)```/g)].map(([, code]) => code!);

test("the one for Node is the file beside it, and prints ten changes", async () => {
  assert.equal(node, readFileSync("examples/node.mjs", "utf8"));
  const plant = await Plant.start();
  // As its user has it: the package by its name, but built from these sources.
  const folder = resolve("dist/test/example");
  mkdirSync(folder, { recursive: true });
  const alias = { "@tickwire/client": resolve("src/index.ts") };
  const outfile = `${folder}/node.mjs`;
  await build({ stdin: { contents: node!, resolveDir: folder }, outfile, bundle: true, platform: "node", format: "esm", alias, external: ["ws", "@msgpack/msgpack"] });
  try {
    const env = { ...process.env, TICKWIRE_TOKEN: plant.token() };
    const { stdout } = await promisify(execFile)(process.execPath, [outfile, plant.url], { env, timeout: 30_000 });
    const lines = stdout.trim().split("\n");
    assert.equal(lines.length, 10);
    for (const line of lines) assert.match(line, /^(BTC|ETH)-USD [\d.]+ [\d.]+ live [\d.]+$/);
  } finally {
    await plant.stop();
  }
});

test("the one for a browser is a module that is understood", async () => {
  const contents = `const draw = () => {};\n${browser!}`;
  const alias = { "@tickwire/client": resolve("src/index.ts") };
  const { outputFiles } = await build({ stdin: { contents, resolveDir: resolve(".") }, bundle: true, format: "esm", platform: "browser", alias, write: false });
  assert.ok(outputFiles[0]!.contents.length > 10_000);
});
