// What the page knows of a market, live or replayed: the newest of each stream, taken from flushes.

import {
  type BookView, type Candle, type Change, compareDecimals, type Decimal, type Flush, type Interval, type Passed, type Status, type Ticker, type Trade,
} from "@tickwire/client";

import { BARS, Bars } from "./bars.js";

/** Trades that are kept for the list. */
export const TAPE_MAX = 500;

/** A symbol of the watchlist. */
export interface Instrument {
  readonly symbol: string;
  ticker: Ticker | undefined;
  status: Status | undefined;
  /** Where the last price went: 1 up, −1 down, 0 not known. */
  trend: -1 | 0 | 1;
  /** Counts changes of the last price, to flash. */
  moves: number;
  /** Counts all changes. */
  version: number;
  /** When something came last, milliseconds of this machine's clock; 0 = never. */
  heard: number;
  /** Milliseconds that the token's scope has it late; 0 = live. */
  delayMs: number;
}

/** A line of the list of trades; `passed` stands for trades that nobody was shown. */
export interface TapeLine {
  /** Counts lines, for what is new. */
  number: number;
  trade?: Trade;
  passed?: Passed;
}

export class Market {
  readonly #instruments = new Map<string, Instrument>();
  readonly #bars = new Map<string, Bars>();
  /** Which of them are in the chart. */
  #charted = "";
  readonly #books = new Map<string, BookView | null>();
  readonly #tapes = new Map<string, TapeLine[]>();
  #lines = 0;
  /** Records and messages that came, for the overlay. */
  records = 0;
  flushes = 0;
  gaps = 0;
  version = 0;

  instrument(symbol: string): Instrument {
    let found = this.#instruments.get(symbol);
    if (found === undefined) {
      found = { symbol, ticker: undefined, status: undefined, trend: 0, moves: 0, version: 0, heard: 0, delayMs: 0 };
      this.#instruments.set(symbol, found);
    }
    return found;
  }

  bars(symbol: string, interval: Interval): Bars {
    const key = `${symbol} ${interval}`;
    let found = this.#bars.get(key);
    if (found === undefined) this.#bars.set(key, (found = new Bars()));
    return found;
  }

  /** `null` while there is none to be trusted; `undefined` before the first. */
  book(symbol: string): BookView | null | undefined {
    return this.#books.get(symbol);
  }

  /** Newest first. */
  tape(symbol: string): readonly TapeLine[] {
    return this.#tapes.get(symbol) ?? [];
  }

  clear(): void {
    this.clearList(() => true);
    for (const bars of this.#bars.values()) bars.replace([]);
    this.#books.clear();
    this.#tapes.clear();
    this.version += 1;
  }

  /** What the watchlist shows is void: another place of a recording. Bars of a second go where `isToGo`. */
  clearList(isToGo: (symbol: string) => boolean): void {
    for (const instrument of this.#instruments.values()) {
      Object.assign(instrument, { ticker: undefined, status: undefined, trend: 0, heard: 0, version: instrument.version + 1 });
      if (isToGo(instrument.symbol)) this.#bars.get(`${instrument.symbol} 1s`)?.replace([]);
    }
  }

  /** What is shown of the focused symbol is void. */
  clearFocus(symbol: string, interval: Interval): void {
    this.forget(symbol);
    this.#bars.get(`${symbol} ${interval}`)?.replace([]);
  }

  /** What is only of interest while it is looked at is let go. */
  forget(symbol: string): void {
    this.#books.delete(symbol);
    this.#tapes.delete(symbol);
  }

  /** These are looked at in a chart; what the chart had before is let go, but for what a row needs. */
  chart(symbol: string, interval: Interval): void {
    const key = `${symbol} ${interval}`;
    if (key === this.#charted) return;
    const before = this.#bars.get(this.#charted);
    if (before !== undefined) before.most = BARS.row;
    if (!this.#charted.endsWith(" 1s")) this.#bars.delete(this.#charted);
    this.#charted = key;
    this.bars(symbol, interval).most = BARS.chart;
  }

  take(flush: Flush): void {
    for (const change of flush.changes) this.#take(change);
    this.gaps += flush.gaps.length + flush.gapsPassed;
    this.flushes += 1;
    this.version += 1;
  }

  #take(change: Change): void {
    this.records += change.updates;
    switch (change.channel) {
      case "ticker":
        this.#ticker(change);
        break;
      case "status": {
        const instrument = this.instrument(change.symbol);
        instrument.status = change.record as Status | undefined;
        instrument.version += 1;
        break;
      }
      case "book":
        if (change.book !== undefined) this.#books.set(change.symbol, change.book);
        break;
      case "candles":
        this.#candles(change, change.bars ?? []);
        break;
      case "trades":
        this.#trades(change);
    }
  }

  #ticker(change: Change): void {
    const instrument = this.instrument(change.symbol);
    const ticker = change.record as Ticker | undefined;
    const [before, after] = [instrument.ticker?.last_price, ticker?.last_price];
    instrument.ticker = ticker;
    instrument.heard = change.heard;
    instrument.version += 1;
    if (before === undefined || after === undefined || before === after) return;
    const trend = directionOf(before, after);
    if (trend === 0) return;
    instrument.trend = trend;
    instrument.moves += 1;
  }

  #candles(change: Change, candles: Candle[]): void {
    const bars = this.bars(change.symbol, change.interval ?? "1m");
    if (change.isReset) bars.replace(candles);
    else bars.update(candles);
  }

  #trades(change: Change): void {
    const tape = change.isReset ? [] : (this.#tapes.get(change.symbol) ?? []);
    const lines: TapeLine[] = (change.trades ?? []).map((trade) => ({ number: ++this.#lines, trade }));
    const { passed } = change;
    if (passed !== undefined && passed.trades > 0) lines.unshift({ number: ++this.#lines, passed });
    lines.reverse();
    this.#tapes.set(change.symbol, [...lines, ...tape].slice(0, TAPE_MAX));
  }
}

function directionOf(before: Decimal, after: Decimal): -1 | 0 | 1 {
  return compareDecimals(after, before) as -1 | 0 | 1;
}
