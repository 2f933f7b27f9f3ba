// The real server over plain HTTP: states, and a past that joins what is live.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { candles, candlesBefore, history, historyPages, type Http, HttpError, recordedCandles, recordings, snapshot, symbols, type Trade } from "../../src/index.js";
import { MANY_REQUESTS, Plant, SIM } from "../support/plant.js";
import { until } from "../support/until.js";

let plant: Plant;
const MORE = '[recording]\nfolder = "recordings"\n[streams]\ndelays = ["1h"]\n';
before(async () => (plant = await Plant.start({ config: `${MANY_REQUESTS}http_requests_per_second = 1000\n${MORE}${SIM}` })));
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

test("bars of a recording: the same from both ends, page by page, and as its records say", async () => {
  const http = { url: plant.url, token: plant.token(["stream:*", "replay"]) };
  const { recording } = (await recordings(http))[0]!;
  const query = { recording, symbol: "BTC-USD", interval: "1s" } as const;
  await until(async () => (await recordedCandles(http, query)).data.length > 8, "there are bars");
  const to = (await recordedCandles(http, query)).data.at(-2)!.start;
  const walk = async (order: "asc" | "desc"): Promise<string[]> => {
    const seen: string[] = [];
    let page = await recordedCandles(http, { ...query, to, order, limit: 3 });
    for (;;) {
      assert.deepEqual([page.recording, page.interval, page.data.length <= 3], [recording, "1s", true]);
      seen.push(...page.data.map(({ start, close, trades }) => `${start} ${close} ${trades}`));
      if (page.next === undefined) return seen;
      const answer = await fetch(`http://${plant.address}${page.next}`, { headers: { Authorization: `Bearer ${http.token}` } });
      page = await answer.json();
    }
  };
  const up = await walk("asc");
  assert.ok(up.length > 6);
  assert.deepEqual((await walk("desc")).reverse(), up);
  const lines = await fetch(`http://${plant.address}/v1/recordings/${recording}?format=ndjson&channels=candles&symbols=BTC-USD&interval=1s`, { headers: { Authorization: `Bearer ${http.token}` } });
  const last = new Map((await lines.text()).trim().split("\n").map((line) => JSON.parse(line)).map(({ start, close, trades }) => [start, `${start} ${close} ${trades}`]));
  assert.deepEqual([...last.keys()].filter((start) => start < to).map((start) => last.get(start)), up);
  const bars = await candlesBefore(http, "BTC-USD", "1s", to, 2, recording);
  assert.deepEqual(bars.map(({ start }) => start), up.slice(-2).map((line) => line.split(" ")[0]));
});

test("bars of a recording: whoever may not have them is told why", async () => {
  const of = (...scopes: string[]): Http => ({ url: plant.url, token: plant.token(scopes) });
  const all = of("stream:*", "replay");
  const { recording } = (await recordings(all))[0]!;
  const query = { recording, symbol: "BTC-USD" };
  const refused = async (http: Http, more: object, status: number, code: string): Promise<string> => {
    const error = await recordedCandles(http, { ...query, ...more }).then(() => assert.fail("it was answered"), (error: HttpError) => error);
    assert.deepEqual([error.status, error.code], [status, code], error.message);
    return error.message;
  };
  assert.match(await refused(of("stream:*"), {}, 403, "forbidden"), /lacks the scope replay/);
  assert.match(await refused(of("stream:ETH-*", "replay"), {}, 403, "forbidden"), /does not cover BTC-USD on candles/);
  assert.match(await refused(all, { symbol: "BTC-USX" }, 404, "unknown_symbol"), /Did you mean BTC-USD/);
  assert.match(await refused(all, { recording: `${recording}0` }, 404, "unknown_recording"), /Did you mean/);
  await refused(all, { recording: "../x" }, 404, "unknown_recording");
  assert.match(await refused(all, { from_sequence: 1 }, 400, "invalid_request"), /by their time/);
  await refused(all, { limit: 5001 }, 400, "invalid_request");
  // What is had an hour late is an hour late here as well: nothing of it is that old.
  assert.deepEqual((await recordedCandles(of("stream:*?delay_ms=3600000", "replay"), query)).data, []);
});

test("refusals say why", async () => {
  const isRefused = (status: number, code: string) => (error: HttpError) => error.status === status && error.code === code;
  const http = { url: plant.url, token: plant.token() };
  await assert.rejects(history(http, { channel: "book" as never, symbol: "BTC-USD" }), isRefused(400, "invalid_request"));
  await assert.rejects(history({ url: plant.url, token: "no" }, { channel: "trades", symbol: "BTC-USD" }), isRefused(401, "token_invalid"));
});
