// The page before a live market: it fills, it moves nothing, it complains of nothing, and it comes back.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { missing, pill, prices, says, sees, Stage, until } from "../support/browser.js";

describe("a live market", { skip: missing }, () => {
  let stage: Stage;
  before(async () => void (stage = await Stage.open()));
  after(() => stage.close());

  test("is there within moments, goes on, and nothing moves", async (t) => {
    const began = Date.now();
    const page = await stage.page("", {}, "nothing");
    await page.evaluate(() => {
      const shifts: string[] = ((window as unknown as { shifts: string[] }).shifts = []);
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries() as unknown as { sources: { node: Node | null; previousRect: DOMRect; currentRect: DOMRect }[] }[]) {
          for (const { node, previousRect, currentRect } of entry.sources) {
            const element = node instanceof Element ? node : node?.parentElement;
            shifts.push(`${node?.nodeName} in ${element?.outerHTML.slice(0, 120)}: ${JSON.stringify(previousRect)} ${JSON.stringify(currentRect)}`);
          }
        }
      }).observe({ type: "layout-shift", buffered: true });
    });
    await prices(page);
    t.diagnostic(`prices after ${Date.now() - began} ms`);
    const first = await page.locator(".strip .price").innerText();
    await sees(page, "another price", (before) => document.querySelector(".strip .price")!.textContent !== before, first);
    await sees(page, "a flash", () => document.querySelectorAll('.watchlist [data-cell="last"].flash').length > 0);
    assert.match(await pill(page), /LIVE/);
    await sees(page, "delays", () => /ms.*ms/.test(document.querySelector(".link-numbers")!.textContent!));
    const shifts = await page.evaluate(() => (window as unknown as { shifts: string[] }).shifts);
    assert.deepEqual(shifts, []);
    assert.deepEqual(stage.complaints, []);
    const size = await page.evaluate(() => [document.documentElement.scrollWidth > innerWidth, document.documentElement.scrollHeight > innerHeight]);
    assert.deepEqual(size, [false, false]);
    await page.context().close();
  });

  test("shows the server's own book", async () => {
    const page = await stage.page("#symbol=BTC-USD");
    // Both change all the time: they are equal at some moment, or they are not the same.
    await until("the ladder has a book that the server had", async () => {
      const book = await stage.plant.get("/v1/snapshot?channel=book&symbols=BTC-USD&depth=10");
      const { bids, asks } = book.data[0];
      const shown = await page.evaluate(() => {
        const of = (side: string) => [...document.querySelectorAll(`[data-side="${side}"] tr`)].map((row) => (row as HTMLElement).dataset.price);
        return { bids: of("bid"), asks: of("ask").reverse() };
      });
      const best = (levels: string[][]): string[] => levels.slice(0, 5).map(([price]) => price!);
      return String(shown.bids.slice(0, 5)) === String(best(bids)) && String(shown.asks.slice(0, 5)) === String(best(asks));
    });
    await page.context().close();
  });

  test("sums up the server's ledger for whoever asks", async () => {
    const page = await stage.page();
    await page.locator(".pill").hover();
    const value = async (name: string): Promise<number> => {
      const text = await page.locator(`.details dl > div:has(dt:text-is("${name}")) dd`).innerText();
      return Number(text.replaceAll(",", ""));
    };
    await until("the account is there", async () => (await value("Published")) > 0);
    const [published, delivered, coalesced, skipped, pending] = await page.evaluate(() => {
      const rows = Object.fromEntries([...document.querySelectorAll(".details dl > div")].map((row) => [row.querySelector("dt")!.textContent!, row.querySelector("dd")!.textContent!]));
      return ["Published", "Delivered", "Coalesced", "Skipped", "Pending"].map((name) => Number(rows[name]!.replaceAll(",", "")));
    });
    assert.equal(published, delivered! + coalesced! + skipped! + pending!);
    assert.match(await page.locator(".details").innerText(), /Session\s+[0-9a-f]{16}/);
    await page.context().close();
  });

  test("silence makes it stale, and the end of silence live", async () => {
    const page = await stage.page();
    stage.plant.hold();
    await says(page, /STALE|RECONNECTING/, 60_000);
    await sees(page, "all greyed", () => document.querySelector(".watchlist tr.doubtful") !== null && document.querySelector(".ladder.doubtful") !== null);
    const kept = await page.locator(".strip .price").innerText();
    assert.match(kept, /\d/, "what was shown last stays, greyed");
    stage.plant.release();
    await says(page, /LIVE/);
    await sees(page, "rows alive", () => document.querySelectorAll(".watchlist tr.doubtful").length < 5);
    await page.context().close();
  });

  test("comes back after the server was killed and started again", async () => {
    const page = await stage.page("#symbol=ETH-USD");
    const before = await page.evaluate(() => document.querySelector(".watchlist tbody")!.children.length);
    await stage.plant.kill();
    await says(page, /RECONNECTING \(attempt \d+/);
    assert.match(await page.locator("#link-says").innerText(), /Connection lost/);
    await stage.plant.run();
    await says(page, /LIVE/);
    await sees(page, "the ladder alive", () => document.querySelector(".ladder.doubtful") === null);
    const first = await page.locator(".strip .price").innerText();
    await sees(page, "another price", (old) => document.querySelector(".strip .price")!.textContent !== old, first);
    assert.equal(await page.evaluate(() => document.querySelector(".watchlist tbody")!.children.length), before);
    const odd = stage.complaints.filter((text) => !/WebSocket connection|Failed to load resource/.test(text));
    assert.deepEqual(odd, []);
    stage.complaints.length = 0;
    await page.context().close();
  });
});
