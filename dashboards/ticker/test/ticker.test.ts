// The ticker in a page of another origin, as a browser shows it. Needs TICKWIRE_CHROMIUM, and a server program.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";

import { Plant, SIM } from "../../client/test/support/plant.js";
import { until } from "../../client/test/support/until.js";
import { rowsOf, said, Site } from "./site.js";

const chromium = process.env["TICKWIRE_CHROMIUM"];
const inBrowser = { skip: chromium === undefined && "TICKWIRE_CHROMIUM does not say where a Chromium is: what a page shows is not tried", timeout: 120_000 };

let site: Site;
let plant: Plant;
let options: { server: string; config: string };

before(async () => {
  if (chromium === undefined) return;
  site = await Site.open(chromium);
  options = { server: `allowed_origins = ["${site.origin}"]\n[auth]\nguests = ["stream:*"]\n`, config: SIM };
  plant = await Plant.start(options);
  site.plant = plant.address;
});
after(async () => {
  await site?.close();
  await plant?.stop();
});

const ticker = (symbols: string, more = ""): string => `<tickwire-ticker symbols="${symbols}" server="http://${plant.address}" ${more}></tickwire-ticker>`;

test("the script is ASCII: it reads the same in a page of any encoding", () => {
  assert.equal(/[^\x00-\x7f]/.test(readFileSync("dist/ticker.js", "latin1")), false);
});

test("rows appear as they are named, move, say when they are not live, and come back", inBrowser, async () => {
  const page = await site.show(ticker("ETH-USD,*-USD,BTC-USD"));
  await until(async () => (await rowsOf(page)).length >= 3, "rows appear");
  await until(async () => (await rowsOf(page)).every(({ state, price }) => state === "live" && /^\d/.test(price)), "they are live");
  const names = (await rowsOf(page)).map(({ name }) => name);
  const between = names.slice(1, -1);
  assert.deepEqual([names[0], names.at(-1), between], ["ETH-USD", "BTC-USD", [...between].sort()]);
  const first = JSON.stringify((await rowsOf(page)).map(({ price }) => price));
  await until(async () => JSON.stringify((await rowsOf(page)).map(({ price }) => price)) !== first, "they move");
  for (const { change } of await rowsOf(page)) assert.match(change, /^(▲ \+|▼ −)?[\d.]+ %$/);
  plant.signal("SIGKILL");
  await plant.ended();
  await until(async () => (await rowsOf(page)).every(({ state, mark }) => state === "disconnected" && mark === "disconnected"), "they say so");
  assert.notEqual(await said(page), "");
  plant.configure({ ...options, listen: plant.address });
  await plant.run();
  await until(async () => (await rowsOf(page)).every(({ state, mark }) => state === "live" && mark === ""), "they come back");
  assert.equal(await said(page), "");
  assert.deepEqual(site.faults, []);
  await page.close();
});

test("a token given before the script is there counts, and so does one that is given later", inBrowser, async () => {
  const [early, late] = [plant.token(["stream:BTC-USD"], "10m", "early"), plant.token(["stream:BTC-USD"], "10m", "late")];
  const sent: string[] = [];
  const page = await site.show(ticker("BTC-USD"), `document.querySelector("tickwire-ticker").token = ${JSON.stringify(early)};`);
  await until(async () => (await rowsOf(page)).length === 1, "its row appears");
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => sent.push(String(payload))));
  await page.evaluate((token) => Object.assign(document.querySelector("tickwire-ticker")!, { token: async () => token }), late);
  await until(() => sent.some((message) => message.includes(late)), "the later one is used");
  await until(async () => (await rowsOf(page)).length === 1, "its row appears again");
  const seen = await page.evaluate(() => Object.hasOwn(document.querySelector("tickwire-ticker")!, "token"));
  assert.equal(seen, false);
  // Given before the script, a guest's would have been used in its place.
  const first: string[] = [];
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => first.push(String(payload))));
  await page.reload();
  await until(() => first.some((message) => message.includes('"auth"')), "a token is sent");
  assert.ok(first.some((message) => message.includes(early)));
  await page.close();
});

test("twelve changes of symbols leave no row of one that is not named", inBrowser, async () => {
  const page = await site.show(ticker("BTC-USD"));
  await until(async () => (await rowsOf(page)).length === 1, "its row appears");
  for (let turn = 0; turn < 12; turn++) {
    const wanted = turn % 2 ? "BTC-USD" : "ETH-USD";
    // Just as a flush of the one before may be due.
    await page.waitForTimeout(100 + 31 * turn);
    await page.evaluate((symbols) => document.querySelector("tickwire-ticker")!.setAttribute("symbols", symbols), wanted);
    await page.waitForTimeout(400);
    assert.deepEqual((await rowsOf(page)).filter(({ name, state }) => name !== wanted || state === undefined), [], `turn ${turn}`);
  }
  await until(async () => (await rowsOf(page)).map(({ name }) => name).join() === "BTC-USD", "the last one named is there");
  assert.deepEqual(site.faults, []);
  // Nor of another server. The policy does not know that one.
  await page.evaluate(() => document.querySelector("tickwire-ticker")!.setAttribute("server", "http://127.0.0.1:1"));
  await page.waitForTimeout(600);
  assert.deepEqual(await rowsOf(page), []);
  await page.close();
  site.faults.length = 0;
});

test("what the server refuses stays said below what it gives", inBrowser, async () => {
  const page = await site.show(ticker("BTC-USD,NO-SUCH"));
  await until(async () => (await rowsOf(page)).length === 1, "the row of what there is");
  await until(async () => (await said(page)).includes("NO-SUCH"), "what is not there");
  // Round trips change the session's state all the time.
  const words = await said(page);
  await page.waitForTimeout(1500);
  assert.equal(await said(page), words);
  assert.deepEqual(site.faults, []);
  await page.close();
});

test("a server that is no address is refused in the element, and nowhere else", inBrowser, async () => {
  for (const server of ["ticks.example", "//ticks.example", "http://", "ftp://ticks.example", ""]) {
    const page = await site.show(`<tickwire-ticker symbols="BTC-USD" server="${server}"></tickwire-ticker>`);
    assert.equal(await said(page), `tickwire-ticker: server="${server}" is no address of a server, as in server="https://ticks.example".`);
    await page.close();
  }
  assert.deepEqual(site.faults, []);
});
