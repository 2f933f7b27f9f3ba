// How fast the page is beside one that writes the document for each message, in one run, as a table.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { CDPSession, Page } from "playwright-core";

import { missing, prices, sees, Stage } from "../support/browser.js";
import { NAIVE_HTML, NAIVE_JS } from "../support/naive.js";

const SYMBOLS = 200;
const WARM_MS = 4000;
const MEASURED_MS = 5000;

interface Measured {
  fps: number;
  /** Share of the main thread. */
  busy: number;
  /** The age of the newest trade that is shown, milliseconds, half the time. */
  lag: number;
}

async function taskSeconds(session: CDPSession): Promise<number> {
  const { metrics } = await session.send("Performance.getMetrics");
  return metrics.find(({ name }) => name === "TaskDuration")!.value;
}

/** Counts frames and looks at the newest trade, from within. */
const WATCH = `((ms, newest) => new Promise((done) => {
  let frames = 0; const lags = []; const began = performance.now();
  const frame = (time) => { frames += 1; if (time - began < ms) requestAnimationFrame(frame); else done({ fps: frames / ((time - began) / 1000), lags }); };
  requestAnimationFrame(frame);
  const look = () => { const at = newest(); if (at) lags.push(Date.now() - at); if (performance.now() - began < ms) setTimeout(look, 50); };
  look();
}))`;
const OURS = `() => { const text = document.querySelector('.tape [data-cell="time"]').textContent; return Date.parse(new Date().toISOString().slice(0, 11) + text + "Z"); }`;
const NAIVE = `() => Date.parse(document.getElementById("newest").textContent)`;

async function measure(page: Page, newest: string, throttle: number): Promise<Measured> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  await session.send("Emulation.setCPUThrottlingRate", { rate: throttle });
  await new Promise((done) => setTimeout(done, WARM_MS));
  const [began, before] = [performance.now(), await taskSeconds(session)];
  const { fps, lags } = (await page.evaluate(`${WATCH}(${MEASURED_MS}, ${newest})`)) as { fps: number; lags: number[] };
  const busy = ((await taskSeconds(session)) - before) / ((performance.now() - began) / 1000);
  lags.sort((a, b) => a - b);
  await page.context().close();
  return { fps, busy, lag: lags[lags.length >> 1] ?? Number.NaN };
}

describe("speed", { skip: missing }, () => {
  const table: string[] = [];
  for (const rate of [2000, 10_000]) {
    describe(`${rate} events a second`, () => {
      let stage: Stage;
      before(async () => {
        stage = await Stage.open({ symbols: SYMBOLS, rate, recording: false });
        stage.site.files.set("/naive.html", NAIVE_HTML).set("/naive.js", NAIVE_JS);
      });
      after(() => stage.close());

      const ours = async (throttle: number): Promise<Measured> => {
        const page = await stage.page("#symbol=BTC-USD&interval=1s", {}, "nothing");
        const { symbols } = await stage.plant.get("/v1/symbols");
        await page.evaluate((names) => localStorage.setItem("tickwire.watchlist", JSON.stringify(names)), symbols.map(({ symbol }: { symbol: string }) => symbol));
        await page.reload();
        await prices(page);
        await sees(page, "all rows", (count) => document.querySelectorAll(".watchlist tbody tr").length === count, symbols.length);
        return measure(page, OURS, throttle);
      };
      const naive = async (throttle: number, conflate: number): Promise<Measured> => {
        const page = await stage.page(`naive.html?conflate=${conflate}`, { viewport: { width: 1440, height: 900 } }, "nothing");
        await sees(page, "rows", () => document.querySelectorAll("#t tr").length > 20);
        return measure(page, NAIVE, throttle);
      };

      for (const throttle of [1, 4]) {
        test(throttle === 1 ? "as it is" : `with a processor ${throttle} times slower`, async () => {
          const rows = { "the page": await ours(throttle), "naive, all updates": await naive(throttle, 0), "naive, conflated": await naive(throttle, 100) };
          for (const [name, { fps, busy, lag }] of Object.entries(rows)) {
            table.push(`| ${name} | ${rate} | ${throttle}× | ${fps.toFixed(1)} | ${(busy * 100).toFixed(0)} % | ${lag.toFixed(0)} ms |`);
          }
          const page = rows["the page"];
          assert.ok(page.busy < rows["naive, all updates"].busy || page.fps > rows["naive, all updates"].fps, "better than naive");
          if (throttle === 1) assert.ok(page.fps > 30, `${page.fps} frames a second`);
          assert.ok(page.lag < 2000, `${page.lag} ms behind`);
        });
      }
    });
  }
  after(() => {
    console.log(["| page | events/s | slower | frames/s | main thread | age of the newest trade |", "|---|---|---|---|---|---|", ...table].join("\n"));
  });
});
