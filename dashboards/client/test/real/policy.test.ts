// A worker in a page whose policy wants Trusted Types, as a browser has it. Needs TICKWIRE_CHROMIUM.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";

import { build } from "esbuild";
import { chromium } from "playwright-core";
import { Plant } from "../support/plant.js";

const program = process.env["TICKWIRE_CHROMIUM"];
const skip = program === undefined && "TICKWIRE_CHROMIUM does not say where a Chromium is: what a page's policy says is not tried";

const PAGE = `
import { connectInWorker } from "./src/index.js";
const session = connectInWorker("/worker.js", { url: ADDRESS, token: TOKEN });
session.state.subscribe(({ phase, reason }) => (document.title = phase + reason));
if (location.search === "?missing") {
  connectInWorker("/missing.js", { url: ADDRESS }).state.subscribe(({ phase, reason }) => (document.body.textContent = phase + " " + reason));
}
`;

test("a page that wants Trusted Types starts the worker, and hears of one that is not there", { skip, timeout: 60_000 }, async () => {
  const plant = await Plant.start();
  const site = createServer(({ url }, answer) => {
    const policy = `default-src 'none'; script-src 'self'; connect-src ws://${plant.address}; require-trusted-types-for 'script'; trusted-types tickwire-worker`;
    answer.setHeader("Content-Security-Policy", policy);
    const [path] = url!.split("?");
    if (path === "/") answer.setHeader("Content-Type", "text/html").end(`<!doctype html><title>x</title><body><script type="module" src="/page.js"></script>`);
    else if (path === "/page.js") answer.setHeader("Content-Type", "text/javascript").end(script);
    else if (path === "/worker.js") answer.setHeader("Content-Type", "text/javascript").end(readFileSync("dist/worker.js"));
    else answer.writeHead(404).end();
  });
  await new Promise<void>((done) => site.listen(0, "127.0.0.1", done));
  const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`;
  plant.configure({ server: `allowed_origins = ["${origin}"]\n`, listen: plant.address });
  plant.signal("SIGKILL");
  await plant.ended();
  await plant.run();
  const define = { ADDRESS: JSON.stringify(plant.url), TOKEN: JSON.stringify(plant.token()) };
  const built = await build({ stdin: { contents: PAGE, resolveDir: "." }, bundle: true, format: "esm", define, write: false });
  const script = built.outputFiles[0]!.text;
  const browser = await chromium.launch({ executablePath: program!, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    await page.goto(`${origin}/?missing`);
    await page.waitForFunction(() => document.title === "live");
    await page.waitForFunction(() => document.body.textContent!.startsWith("closed the worker failed"));
    assert.equal(page.workers().length, 1);
  } finally {
    await browser.close();
    site.close();
    await plant.stop();
  }
});
