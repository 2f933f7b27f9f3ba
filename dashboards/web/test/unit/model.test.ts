// Bars, order, search, standing and the address.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Candle, Ticker } from "@tickwire/client";

import { formatPlace, parsePlace } from "../../src/feed/place.js";
import { BARS, Bars } from "../../src/model/bars.js";
import { Market } from "../../src/model/market.js";
import { sorted } from "../../src/model/order.js";
import { find } from "../../src/model/search.js";
import { isDoubtful, standingOf } from "../../src/model/standing.js";

function bar(second: number, close = "1"): Candle {
  const start = new Date(second * 1000).toISOString().replace("Z", "000000Z");
  return { symbol: "A", sequence: second, interval: "1s", start, open: "1", high: "1", low: "1", close, volume: "1", trades: 1, closed: false };
}

test("a bar replaces the one with its start; a late one finds its place", () => {
  const bars = new Bars();
  bars.replace([bar(1), bar(2)]);
  bars.update([bar(2, "5"), bar(3)]);
  assert.deepEqual(bars.all.map(({ time, candle }) => [time, candle.close]), [[1, "1"], [2, "5"], [3, "1"]]);
  const { resets } = bars;
  bars.update([bar(3, "2")]);
  assert.equal(bars.resets, resets, "the last bar changes in place");
  bars.update([bar(1, "9")]);
  assert.equal(bars.resets, resets + 1);
  assert.equal(bars.prepend([bar(-1), bar(0), bar(1)]), 2);
  assert.deepEqual(bars.all.map(({ time }) => time), [-1, 0, 1, 2, 3]);
});

test("a row keeps what it draws, a chart more, and one that was scrolled back all of it", () => {
  const market = new Market();
  const run = (from: number, to: number): void => {
    for (let at = from; at < to; at++) market.bars("A", "1s").update([bar(at)]);
  };
  run(0, 1000);
  assert.ok(market.bars("A", "1s").all.length <= BARS.row * 1.2);
  assert.equal(market.bars("A", "1s").last!.time, 999);
  market.chart("A", "1s");
  run(1000, 2000);
  const { length } = market.bars("A", "1s").all;
  assert.ok(length >= BARS.chart && length <= BARS.chart * 1.2, String(length));
  assert.equal(market.bars("A", "1s").prepend([]), 0);
  assert.equal(market.bars("A", "1s").most, BARS.chart, "nothing was there to be kept");
  market.bars("A", "1s").prepend(Array.from({ length: 400 }, (_, at) => bar(at)));
  run(2000, 2020);
  assert.equal(market.bars("A", "1s").all[0]!.time, 0);
  run(2020, 4000);
  market.chart("B", "1m");
  run(4000, 4001);
  assert.equal(market.bars("A", "1s").all.length, BARS.row);
  market.bars("B", "1m").update([bar(60)]);
  market.chart("A", "1s");
  assert.equal(market.bars("B", "1m").all.length, 0, "nobody looks at these");
});

test("rows stand in order, those without a value last", () => {
  const market = new Market();
  const put = (symbol: string, last_price: string | undefined): void => void (market.instrument(symbol).ticker = { symbol, sequence: 1, last_price } as Ticker);
  put("B", "10.0");
  put("A", "9.99");
  put("C", undefined);
  const check = (key: "added" | "symbol" | "last", isDescending: boolean, order: string): void =>
    assert.equal(sorted(["B", "C", "A"], { key, isDescending }, (name) => market.instrument(name)).join(""), order);
  check("added", false, "BCA");
  check("symbol", false, "ABC");
  check("last", false, "ABC");
  check("last", true, "BAC");
});

test("a symbol is found by what one remembers of it", () => {
  const symbols = ["ETH-BTC", "BTC-USD", "BTC-EUR", "AAPL"];
  assert.deepEqual(find(symbols, "btc"), ["BTC-EUR", "BTC-USD", "ETH-BTC"]);
  assert.deepEqual(find(symbols, "btcusd"), ["BTC-USD"]);
  assert.deepEqual(find(symbols, "x"), []);
  assert.equal(find(symbols, "").length, 4);
});

test("the line counts before the feed, the feed before the book", () => {
  assert.equal(standingOf("stale", true, false, "halted"), "silent");
  assert.equal(standingOf("live", true, true, "halted"), "halted");
  assert.equal(standingOf("live", true, true, "open"), "void");
  assert.equal(standingOf("live", false, false, undefined), "waiting");
  assert.equal(standingOf("live", true, false, undefined), "live");
  assert.deepEqual((["live", "waiting", "closed", "silent"] as const).map(isDoubtful), [false, false, true, true]);
});

test("the address says where the page stands, and never more", () => {
  const place = { symbol: "BTC/USD", interval: "5m", layout: "book", at: "2026-11-20T14:30:00.000000001Z", recording: "live-1" } as const;
  assert.equal(formatPlace(place), "symbol=BTC/USD&interval=5m&layout=book&recording=live-1&at=2026-11-20T14:30:00.000000001Z");
  assert.deepEqual(parsePlace(`#${formatPlace(place)}`), place);
  const plain = { symbol: undefined, interval: "1m", layout: "desk", at: undefined, recording: undefined };
  assert.deepEqual(parsePlace(""), plain);
  assert.deepEqual(parsePlace("#symbol=<b>&interval=7m&layout=x&at=now&token=secret"), plain);
});
