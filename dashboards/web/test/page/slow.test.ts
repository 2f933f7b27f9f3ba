// A page that reads slowly: what it was not sent one by one it is shown as summaries, and nothing of it is lost.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { addDecimals, compareDecimals, type Decimal, type Trade } from "@tickwire/client";
import type { Page } from "playwright-core";

import { missing, sees, Stage, until } from "../support/browser.js";

const SYMBOL = "BTC-USD";

/** A row of the list as it is read. */
interface Row {
  time: string;
  price: string;
  size: string;
  title: string;
  isSummary: boolean;
}

function rows(page: Page): Promise<Row[]> {
  return page.evaluate(() => [...document.querySelectorAll<HTMLElement>(".tape tbody tr")].map((row) => {
    const of = (name: string): string => row.querySelector(`[data-cell="${name}"]`)!.textContent!;
    return { time: of("time"), price: of("price").replaceAll(/[^\d.]/g, ""), size: of("size"), title: row.title, isSummary: row.classList.contains("summary") };
  }).filter(({ time }) => time !== ""));
}

const number = (text: string): string => text.replaceAll(",", "");
/** What a summary of the server says; and of the page, which has no sides. */
const SAYS = /^([\d,]+) trades .*: ([\d,.]+) to ([\d,.]+), volume ([\d,.]+)(?:, bought ([\d,.]+), sold ([\d,.]+))?$/;

describe("a page that reads slowly", { skip: missing }, () => {
  let stage: Stage;
  before(async () => {
    stage = await Stage.open({ symbols: 2, rate: 4000, extra: '[logs]\nevents = 512\nbytes = "64KiB"' });
    stage.site.pace = 40_000;
  });
  after(() => stage.close());

  /** The trades that the server has recorded. */
  const recorded = async (): Promise<Trade[]> => {
    const { recordings } = await stage.plant.get("/v1/recordings");
    const url = `http://${stage.plant.address}/v1/recordings/${recordings[0].recording}?format=ndjson&channels=trades&symbols=${SYMBOL}`;
    const lines = await (await fetch(url, { headers: { Authorization: `Bearer ${stage.plant.token()}` } })).text();
    return lines.trim().split("\n").map((line) => JSON.parse(line));
  };

  /** The rows below the first are these trades, each once: where they begin in the record, newest first; else what does not fit. */
  const follows = (shown: Row[], all: Trade[]): string => {
    let why = "no trade is the newest that is shown";
    const clock = (trade: Trade): string => trade.ts_event!.slice(11, 23);
    const isOf = (row: Row, trade: Trade): boolean => row.time === "⋯" || row.time === clock(trade) && row.price === trade.price;
    for (const [start, newest] of all.entries()) {
      if (!isOf(shown[0]!, newest)) continue;
      let [at, counted, fails] = [start, 0, ""];
      for (const [index, row] of shown.entries()) {
        const trade = all[at];
        if (trade === undefined || !isOf(row, trade)) fails = `row ${index}, ${JSON.stringify(row)}, is not ${JSON.stringify(trade)}`;
        if (fails !== "") break;
        const found = row.isSummary ? SAYS.exec(row.title) : null;
        const count = found === null ? 1 : Number(number(found[1]!));
        if (found !== null) {
          const part = all.slice(at - count + 1, at + 1);
          const told = found.slice(2).filter((text) => text !== undefined).map(number);
          const sum = (some: Trade[]): Decimal => some.reduce((total, { size }) => addDecimals(total, size!), "0");
          const prices = part.map(({ price }) => price).sort(compareDecimals);
          const true_ = [prices[0]!, prices.at(-1)!, sum(part), sum(part.filter(({ side }) => side === "buy")), sum(part.filter(({ side }) => side === "sell"))];
          if (part.length !== count || told.some((value, one) => compareDecimals(value, true_[one]!) !== 0)) fails = `${row.title} is not ${true_}`;
        }
        at -= count;
        counted += count;
      }
      if (fails === "") {
        assert.equal(counted, start - at, "shown and summed up, together");
        return "";
      }
      why = fails;
    }
    return why;
  };

  test("is shown summaries that add up to what was traded", async (t) => {
    const page = await stage.page(`#symbol=${SYMBOL}`);
    await sees(page, "a summary", () => document.querySelector(".tape tr.summary") !== null);
    // The list stands still while it is read.
    await page.evaluate(() => (document.querySelector<HTMLElement>(".tape .scroll")!.scrollTop = 40));
    await sees(page, "that it is held", () => document.querySelector(".fresh") !== null);
    const shown = await rows(page);
    const summary = shown.find(({ isSummary }) => isSummary)!;
    assert.match(summary.title, SAYS);
    assert.match(summary.size, /^[\d,]+× [\d,.]+[KMBT]?$/, "how many, and how much");
    assert.equal(Number(number(/^[\d,]+/.exec(summary.size)![0])), Number(number(SAYS.exec(summary.title)![1]!)));
    let why = "";
    await until("all of it is recorded", async () => (why = follows(shown, await recorded())) === "").catch(() => assert.fail(why));
    const summed = shown.filter(({ isSummary }) => isSummary).reduce((sum, { title }) => sum + Number(number(SAYS.exec(title)![1]!)), 0);
    t.diagnostic(`${shown.length} rows, ${summed} trades of them in summaries`);
    assert.ok(summed > 64, `${summed} were summed up`);
    await page.context().close();
  });

  test("is told by the server's account that these were merged", async () => {
    const page = await stage.page(`#symbol=${SYMBOL}`);
    await page.locator(".pill").hover();
    await sees(page, "an account in which it is", () => {
      const values = Object.fromEntries([...document.querySelectorAll(".details dl > div")].map((row) => [row.querySelector("dt")!.textContent!, Number(row.querySelector("dd")!.textContent!.replaceAll(",", ""))]));
      const { Published: all, Delivered: sent, Coalesced: merged, Skipped: skipped, Pending: waits } = values as Record<string, number>;
      return merged! > 64 && all === sent! + merged! + skipped! + waits!;
    });
    assert.deepEqual(stage.complaints, []);
    await page.context().close();
  });
});
