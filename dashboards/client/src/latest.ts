// The last value wins: what changed is handed out once per flush, so that nothing is drawn while messages come.
//
// What waits is bounded by the number of streams, however long nobody takes it, as on a page that is not seen.

import { type Gap, streamKey, type StreamName } from "./accounts.js";
import type { Book } from "./book.js";
import type { Off } from "./emitter.js";
import type { Data, SourceEvents } from "./events.js";
import type { AnyRecord, BookRecord, Candle, Channel, Interval, Level, Time, Trade } from "./protocol.js";
import { type Passed, Tape } from "./tape.js";

/** Bars of one stream that wait for a flush, and gaps of all. */
const BARS_MAX = 1000;
const GAPS_MAX = 1000;

/** A session or a replay. */
export interface Source {
  on<N extends keyof SourceEvents>(name: N, listener: (event: SourceEvents[N]) => void): Off;
  book(symbol: string): Book | undefined;
}

/** The best levels of a book at a flush. */
export interface BookView {
  sequence: number;
  /** Best first. */
  bids: readonly Level[];
  asks: readonly Level[];
  crossed: boolean;
  ts_event?: Time;
  ts_recv?: Time;
}

/** What became of a stream since the flush before. */
export interface Change {
  /** `channel symbol`, of candles with the interval behind it. */
  key: string;
  channel: Channel;
  symbol: string;
  interval?: Interval;
  /** The newest; none where a snapshot says that there is nothing, and of books see `book`. */
  record?: AnyRecord;
  /** Records since the flush before, this one included. */
  updates: number;
  /** Events that were folded into them on the way. */
  coalesced: number;
  /** A snapshot was among them: what was known before is replaced. */
  isReset: boolean;
  /** Candles: every bar that changed, by start; and how many older ones were passed over. */
  bars?: Candle[];
  barsPassed?: number;
  /** Trades: those that are new, oldest first; and what was passed over. */
  trades?: Trade[];
  passed?: Passed;
  /** Books: `null` while there is none to be trusted. */
  book?: BookView | null;
  /** When something came last, milliseconds of this machine's clock. */
  heard: number;
}

export interface Flush {
  changes: Change[];
  gaps: Gap[];
  /** Gaps beyond those. */
  gapsPassed: number;
  /** Streams of which nothing of before counts, as they are not subscribed to any more; absent where there are none. */
  forgotten?: readonly StreamName[];
  /** The replay went elsewhere: what stands here is of there, and all that was shown before is not. */
  isElsewhere: boolean;
}

/** Calls `run` once, when it is time; what is returned takes that back. */
export type Schedule = (run: () => void) => Off;

export interface LatestOptions {
  /** When to flush: at the next frame where there are frames, else every 100 ms. */
  schedule?: Schedule;
  /** Trades of a symbol that are kept, 200 unless given. */
  tradesMax?: number;
  /** Levels a side of `book`, 20 unless given; 0 = all. */
  bookDepth?: number;
  now?: () => number;
}

export class LatestStore {
  readonly #source: Source;
  readonly #options: Required<LatestOptions>;
  readonly #changes = new Map<string, Change>();
  readonly #latest = new Map<string, Change>();
  readonly #bars = new Map<string, Map<Time, Candle>>();
  readonly #tapes = new Map<string, Tape>();
  readonly #listeners = new Set<(flush: Flush) => void>();
  readonly #offs: Off[];
  readonly #forgotten = new Map<string, StreamName>();
  #gaps: Gap[] = [];
  #gapsPassed = 0;
  #isElsewhere = false;
  #scheduled: Off | undefined;

  constructor(source: Source, options: LatestOptions = {}) {
    const { schedule = byFrame(), tradesMax = 200, bookDepth = 20, now = Date.now } = options;
    this.#source = source;
    this.#options = { schedule, tradesMax, bookDepth, now };
    this.#offs = [
      source.on("data", (data) => this.#take(data)),
      source.on("gap", (gap) => this.#gap(gap)),
      source.on("forgotten", (stream) => this.#forget(stream)),
      source.on("elsewhere", () => this.#clear()),
    ];
  }

  /** Calls `listener` with what changed, at each flush in which anything did. */
  onFlush(listener: (flush: Flush) => void): Off {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The newest record of a stream, as of the last flush. */
  latest(channel: Channel, symbol: string, interval?: Interval): Change | undefined {
    return this.#latest.get(keyOf(channel, symbol, interval));
  }

  /** The newest trades of a symbol, oldest first. */
  trades(symbol: string): readonly Trade[] {
    return this.#tapes.get(symbol)?.trades ?? [];
  }

  /** Hands out what changed, at once. */
  flush(): void {
    this.#scheduled?.();
    this.#scheduled = undefined;
    if (this.#changes.size === 0 && this.#gaps.length === 0 && this.#forgotten.size === 0 && !this.#isElsewhere) return;
    const changes = [...this.#changes.values()];
    const flush: Flush = { changes, gaps: this.#gaps, gapsPassed: this.#gapsPassed, isElsewhere: this.#isElsewhere };
    if (this.#forgotten.size > 0) flush.forgotten = [...this.#forgotten.values()];
    this.#changes.clear();
    this.#forgotten.clear();
    this.#gaps = [];
    this.#gapsPassed = 0;
    this.#isElsewhere = false;
    for (const change of flush.changes) this.#complete(change);
    for (const listener of [...this.#listeners]) listener(flush);
  }

  close(): void {
    for (const off of this.#offs) off();
    this.#scheduled?.();
  }

  #take(data: Data): void {
    const isReset = data.kind === "snapshot";
    // A snapshot may be of several symbols: each is replaced by what it has of it.
    const begun = new Set<string>();
    for (const record of data.records) {
      const change = this.#change(data.channel, record.symbol, (record as Candle).interval);
      change.updates += 1;
      change.coalesced += record.coalesced ?? 0;
      change.record = record;
      if (isReset && !begun.has(change.key)) this.#reset(change);
      begun.add(change.key);
      if (data.channel === "trades") this.#tape(record.symbol).add(record as Trade);
      if (data.channel === "candles") this.#bar(change, record as Candle);
    }
    for (const symbol of data.empty) {
      // Of candles it does not say of which interval.
      if (data.channel !== "candles") this.#reset(this.#change(data.channel, symbol));
    }
    this.#schedule();
  }

  #gap(gap: Gap): void {
    if (this.#gaps.length < GAPS_MAX) this.#gaps.push(gap);
    else this.#gapsPassed += 1;
    // A book is not to be shown from here on: that is a change, too.
    if (gap.channel === "book") this.#change(gap.channel, gap.symbol);
    this.#schedule();
  }

  /** What comes of it from here on is of another subscription. */
  #forget(stream: StreamName): void {
    const { channel, symbol, interval } = stream;
    const key = keyOf(channel, symbol, interval);
    for (const kept of [this.#changes, this.#latest, this.#bars]) kept.delete(key);
    if (channel === "trades") this.#tapes.delete(symbol);
    this.#forgotten.set(key, stream);
    this.#schedule();
  }

  /** What waits is of a place that nobody is at any more. */
  #clear(): void {
    for (const kept of [this.#changes, this.#latest, this.#bars, this.#tapes, this.#forgotten]) kept.clear();
    this.#gaps = [];
    this.#gapsPassed = 0;
    this.#isElsewhere = true;
    this.#schedule();
  }

  #schedule(): void {
    this.#scheduled ??= this.#options.schedule(() => {
      this.#scheduled = undefined;
      this.flush();
    });
  }

  #change(channel: Channel, symbol: string, interval?: Interval): Change {
    const key = keyOf(channel, symbol, interval);
    let change = this.#changes.get(key);
    if (change === undefined) {
      change = { key, channel, symbol, updates: 0, coalesced: 0, isReset: false, heard: 0 };
      if (channel === "candles") change.interval = interval ?? "1m";
      this.#changes.set(key, change);
    }
    change.heard = this.#options.now();
    return change;
  }

  #reset(change: Change): void {
    change.isReset = true;
    if (change.channel === "trades") this.#tape(change.symbol).replace([]);
    if (change.channel === "candles") this.#bars.delete(change.key);
    if (change.updates === 0) delete change.record;
  }

  #tape(symbol: string): Tape {
    let tape = this.#tapes.get(symbol);
    if (tape === undefined) this.#tapes.set(symbol, (tape = new Tape(this.#options.tradesMax)));
    return tape;
  }

  #bar(change: Change, bar: Candle): void {
    let bars = this.#bars.get(change.key);
    if (bars === undefined) this.#bars.set(change.key, (bars = new Map()));
    bars.set(bar.start, bar);
    if (bars.size <= BARS_MAX) return;
    bars.delete(bars.keys().next().value!);
    change.barsPassed = (change.barsPassed ?? 0) + 1;
  }

  /** Adds what is looked at only once per flush. */
  #complete(change: Change): void {
    const { channel, symbol, key } = change;
    if (channel === "trades") {
      const { trades, passed, isReset } = this.#tape(symbol).take();
      Object.assign(change, { trades, passed, isReset: change.isReset || isReset });
    } else if (channel === "candles") {
      change.bars = [...(this.#bars.get(key)?.values() ?? [])].sort((a, b) => (a.start < b.start ? -1 : 1));
      this.#bars.delete(key);
    } else if (channel === "book") {
      change.book = viewOf(this.#source.book(symbol), this.#options.bookDepth);
    }
    this.#latest.set(key, change);
  }
}

function keyOf(channel: Channel, symbol: string, interval?: Interval): string {
  return streamKey(channel, symbol, channel === "candles" ? (interval ?? "1m") : undefined);
}

function viewOf(book: Book | undefined, depth: number): BookView | null {
  if (book === undefined) return null;
  const most = depth === 0 ? undefined : depth;
  const view: BookView = { sequence: book.sequence, bids: book.bids(most), asks: book.asks(most), crossed: book.crossed };
  const { ts_event, ts_recv }: Pick<BookRecord, "ts_event" | "ts_recv"> = book;
  return { ...view, ...(ts_event && { ts_event }), ...(ts_recv && { ts_recv }) };
}

/** At the next frame; where there are no frames, after 100 ms. */
export function byFrame(): Schedule {
  if (typeof requestAnimationFrame === "undefined") return everyMs(100);
  return (run) => {
    const frame = requestAnimationFrame(run);
    return () => cancelAnimationFrame(frame);
  };
}

/** So many milliseconds after the first change: ten times a second is as much text as eyes read. */
export function everyMs(ms: number): Schedule {
  return (run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  };
}
