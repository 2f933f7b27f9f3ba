// The real server over plain HTTP: states, and a past that joins what is live.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { candles, candlesBefore, history, historyPages, HttpError, snapshot, symbols, type Trade } from "../../src/index.js";
import { MANY_REQUESTS, Plant, SIM } from "../support/plant.js";
import { until } from "../support/until.js";

let plant: Plant;
before(async () => (plant = await Plant.start({ config: `${MANY_REQUESTS}http_requests_per_second = 1000\n${SIM}` })));
after(() => plant.stop());

test("pages of the past: every sequence once", async () => {
  const http = { url: plant.url, token: plant.token() };
  const symbol = "BTC-USD";
  await until(async () => (await history(http, { channel: "trades", symbol })).data.length > 50, "there is a past");
  const seen: number[] = [];
  for await (const page of historyPages(http, { channel: "trades", symbol, limit: 10 })) {
    seen.push(...page.data.map((trade: Trade) => trade.sequence));
    if (seen.length > 45) break;
  }
  assert.deepEqual(seen, Array.from({ length: seen.length }, (_, at) => seen[0]! + at));
});

test("states, bars and instruments", async () => {
  const http = { url: `http://${plant.address}`, token: () => plant.token() };
  const symbol = "BTC-USD";
  const book = await snapshot(http, { channel: "book", symbols: [symbol], depth: 5 });
  assert.equal(book.type, "snapshot");
  assert.equal(book.data[0]!.symbol, symbol);
  const all = await symbols(http);
  assert.equal(all.length, 6);
  assert.ok((await symbols(http, ["BTC-*"])).every((instrument) => instrument.symbol.startsWith("BTC-")));
  await until(async () => (await candles(http, { symbol, interval: "1s" })).data.length > 2, "there are bars");
  const bars = await candlesBefore(http, symbol, "1s", "2100-01-01T00:00:00Z", 2);
  assert.equal(bars.length, 2);
  assert.ok(bars[0]!.start < bars[1]!.start);
});

test("refusals say why", async () => {
  const isRefused = (status: number, code: string) => (error: HttpError) => error.status === status && error.code === code;
  const http = { url: plant.url, token: plant.token() };
  await assert.rejects(history(http, { channel: "book" as never, symbol: "BTC-USD" }), isRefused(400, "invalid_request"));
  await assert.rejects(history({ url: plant.url, token: "no" }, { channel: "trades", symbol: "BTC-USD" }), isRefused(401, "token_invalid"));
});
