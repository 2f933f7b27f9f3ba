// The last value wins, once per flush; what is passed over is counted.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Book, type Data, type Flush, LatestStore, type Schedule, type Source, type SourceEvents } from "../../src/index.js";
import { Emitter } from "../../src/emitter.js";

/** A source that says what it is told to, and a flush when it is told to. */
function stage(options: { tradesMax?: number; bookDepth?: number } = {}) {
  const events = new Emitter<SourceEvents>();
  const books = new Map<string, Book>();
  const source: Source = { on: (name, listener) => events.on(name, listener), book: (symbol) => books.get(symbol) };
  let due: (() => void) | undefined;
  let scheduled = 0;
  const schedule: Schedule = (run) => {
    scheduled += 1;
    due = run;
    return () => (due = undefined);
  };
  const store = new LatestStore(source, { schedule, now: () => 5, ...options });
  const flushes: Flush[] = [];
  store.onFlush((flush) => flushes.push(flush));
  const say = (kind: string, channel: string, records: object[], empty: string[] = []): void => {
    events.emit("data", { kind, channel, records, empty, cursor: "e:1" } as unknown as Data);
  };
  const frame = (): Flush => {
    due?.();
    due = undefined;
    return flushes.at(-1)!;
  };
  return { store, events, books, flushes, say, frame, scheduled: () => scheduled };
}

test("one flush for many records, with the newest of each stream", () => {
  const { say, frame, flushes, store, scheduled } = stage();
  say("snapshot", "quotes", [{ symbol: "A", sequence: 1 }, { symbol: "B", sequence: 9 }]);
  for (let sequence = 2; sequence <= 100; sequence++) say("update", "quotes", [{ symbol: "A", sequence }]);
  say("update", "quotes", [{ symbol: "A", sequence: 104, prev_sequence: 100, coalesced: 3 }]);
  assert.equal(flushes.length, 0);
  assert.equal(scheduled(), 1);
  const [a, b] = frame().changes;
  assert.deepEqual([a!.record!.sequence, a!.updates, a!.coalesced, a!.isReset], [104, 101, 3, true]);
  assert.deepEqual([b!.record!.sequence, b!.updates], [9, 1]);
  frame();
  assert.equal(flushes.length, 1);
  say("update", "quotes", [{ symbol: "B", sequence: 10 }]);
  assert.deepEqual(frame().changes.map(({ key, isReset }) => [key, isReset]), [["quotes B", false]]);
  assert.equal(store.latest("quotes", "A")!.record!.sequence, 104);
  store.close();
  say("update", "quotes", [{ symbol: "B", sequence: 11 }]);
  assert.equal(scheduled(), 2);
});

test("what is forgotten goes, with what waited of it, and is told; what comes behind it is new", () => {
  const { events, say, frame, store } = stage();
  for (const channel of ["quotes", "trades"]) say("update", channel, [{ symbol: "A", sequence: 1, size: "1" }, { symbol: "B", sequence: 1, size: "1" }]);
  frame();
  say("update", "quotes", [{ symbol: "A", sequence: 2 }]);
  for (const channel of ["quotes", "trades"] as const) events.emit("forgotten", { channel, symbol: "A" });
  say("update", "trades", [{ symbol: "A", sequence: 7, size: "1" }]);
  const { changes, forgotten } = frame();
  assert.deepEqual(changes.map(({ key, updates }) => [key, updates]), [["trades A", 1]]);
  assert.deepEqual(forgotten, [{ channel: "quotes", symbol: "A" }, { channel: "trades", symbol: "A" }]);
  assert.deepEqual([store.latest("quotes", "A"), store.trades("A").map(({ sequence }) => sequence)], [undefined, [7]]);
  assert.equal(store.latest("quotes", "B")!.record!.sequence, 1);
  say("update", "quotes", [{ symbol: "B", sequence: 2 }]);
  assert.equal(frame().forgotten, undefined);
});

test("trades are not last values: the newest are kept, and what is passed over is counted exactly", () => {
  const { say, frame, store } = stage({ tradesMax: 3 });
  const trade = (sequence: number, more: object = {}): object => ({ symbol: "A", sequence, price: "1.00", size: "0.10", side: "buy", ...more });
  say("snapshot", "trades", [trade(1), trade(2)]);
  const first = frame().changes[0]!;
  assert.deepEqual([first.isReset, first.trades!.length, first.passed!.records], [true, 2, 0]);
  say("update", "trades", [trade(3), trade(4)]);
  assert.deepEqual(frame().changes[0]!.trades!.map(({ sequence }) => sequence), [3, 4]);
  say("update", "trades", [trade(5), { ...trade(8), summary: true, trades: 3, low: "0.98", high: "1.20", volume: "0.35", size: undefined }, trade(9), trade(10), trade(11)]);
  const last = frame().changes[0]!;
  assert.deepEqual(last.trades!.map(({ sequence }) => sequence), [9, 10, 11]);
  assert.deepEqual(last.passed, { records: 2, trades: 4, volume: "0.45", low: "0.98", high: "1.20" });
  assert.deepEqual(store.trades("A").map(({ sequence }) => sequence), [9, 10, 11]);
  say("snapshot", "trades", [trade(20)]);
  const again = frame().changes[0]!;
  assert.deepEqual([again.isReset, again.trades!.length], [true, 1]);
});

test("every bar that changed is handed out once, by start", () => {
  const { say, frame } = stage();
  const bar = (sequence: number, start: string, closed: boolean): object => ({ symbol: "A", sequence, interval: "1m", start, closed, close: `${sequence}` });
  say("update", "candles", [bar(1, "t1", false), bar(2, "t1", true), bar(3, "t2", false), bar(4, "t2", false)]);
  const change = frame().changes[0]!;
  assert.equal(change.key, "candles A 1m");
  assert.deepEqual(change.bars!.map(({ sequence, closed }) => [sequence, closed]), [[2, true], [4, false]]);
  say("update", "candles", [bar(5, "t2", false)]);
  assert.deepEqual(frame().changes[0]!.bars!.map(({ sequence }) => sequence), [5]);
});

test("books are looked at once per flush; none where a gap was told", () => {
  const { say, frame, books, events } = stage({ bookDepth: 1 });
  books.set("A", new Book({ symbol: "A", sequence: 3, depth: 0, bids: [["2", "1"], ["1", "1"]], asks: [["3", "1"]] }));
  say("snapshot", "book", [{ symbol: "A", sequence: 3 }]);
  const { book } = frame().changes[0]!;
  assert.deepEqual([book!.sequence, book!.bids, book!.asks], [3, [["2", "1"]], [["3", "1"]]]);
  books.delete("A");
  events.emit("gap", { channel: "book", symbol: "A", from_sequence: 4, to_sequence: 6, count: 3, reason: "feed_gap" });
  const flush = frame();
  assert.equal(flush.changes[0]!.book, null);
  assert.deepEqual([flush.gaps.length, flush.gapsPassed], [1, 0]);
});

test("a replay that goes elsewhere takes what waited along: nothing of before is shown as of there", () => {
  const { say, frame, events, store, flushes } = stage();
  say("update", "quotes", [{ symbol: "A", sequence: 1 }]);
  assert.equal(frame().isElsewhere, false);
  say("update", "quotes", [{ symbol: "A", sequence: 2 }, { symbol: "B", sequence: 7 }]);
  say("update", "trades", [{ symbol: "A", sequence: 1, price: "1", size: "1", side: "buy" }]);
  events.emit("elsewhere", undefined);
  say("snapshot", "quotes", [{ symbol: "B", sequence: 3 }]);
  const { isElsewhere, changes } = frame();
  assert.deepEqual([isElsewhere, changes.map(({ key, record }) => [key, record!.sequence])], [true, [["quotes B", 3]]]);
  assert.equal(store.latest("quotes", "A"), undefined);
  assert.deepEqual(store.trades("A"), []);
  // Also where there is nothing yet.
  events.emit("elsewhere", undefined);
  assert.deepEqual([frame().isElsewhere, frame().changes.length, flushes.length], [true, 0, 3]);
});
