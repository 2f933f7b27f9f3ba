// The bars of one symbol and interval, oldest first; a bar replaces the one with the same start.

import { type Candle, type Interval, toMilliseconds } from "@tickwire/client";

/** So many are kept behind a row of the watchlist, in a chart, and in a chart that was scrolled back: the oldest go first. */
export const BARS = { row: 180, chart: 500, history: 5000 };
/** So many more may gather until the oldest go, a share of those that are kept. */
const SLACK = 0.2;

export interface Bar {
  /** Start, seconds since 1970. */
  time: number;
  candle: Candle;
}

export const INTERVALS: readonly Interval[] = ["1s", "1m", "5m", "15m", "1h", "1d"];

export const SECONDS: Record<Interval, number> = { "1s": 1, "1m": 60, "5m": 300, "15m": 900, "1h": 3600, "1d": 86_400 };

export class Bars {
  readonly all: Bar[] = [];
  /** Counts changes; `resets` those that are more than new or changed bars at the end. */
  version = 0;
  resets = 0;
  /** How many are kept. */
  most = BARS.row;

  get last(): Bar | undefined {
    return this.all.at(-1);
  }

  replace(candles: readonly Candle[]): void {
    this.all.length = 0;
    for (const candle of candles) this.#put(candle);
    this.resets += 1;
    this.version += 1;
  }

  update(candles: readonly Candle[]): void {
    for (const candle of candles) this.#put(candle);
    if (this.all.length > this.most * (1 + SLACK)) {
      this.all.splice(0, this.all.length - this.most);
      this.resets += 1;
    }
    this.version += 1;
  }

  /** Puts bars of the past in front, to be kept beside the others; how many of them are new. */
  prepend(candles: readonly Candle[]): number {
    const first = this.all[0]?.time ?? Number.POSITIVE_INFINITY;
    const older = candles.map(barOf).filter(({ time }) => time < first);
    this.all.unshift(...older);
    this.most = Math.min(BARS.history, this.most + older.length);
    this.resets += 1;
    this.version += 1;
    return older.length;
  }

  /** A bar whose trades were all taken back is none any more. */
  #put(candle: Candle): void {
    const bar = barOf(candle);
    const put = candle.corrected && candle.trades === 0 ? [] : [bar];
    const last = this.all.at(-1);
    if (last === undefined || bar.time > last.time) {
      this.all.push(...put);
      return;
    }
    let at = this.all.length - 1;
    while (at >= 0 && this.all[at]!.time > bar.time) at--;
    const known = at >= 0 && this.all[at]!.time === bar.time;
    if (!known) at += 1;
    const isLast = known && at === this.all.length - 1 && put.length > 0;
    this.all.splice(at, known ? 1 : 0, ...put);
    if (!isLast) this.resets += 1;
  }
}

function barOf(candle: Candle): Bar {
  return { time: Math.round(toMilliseconds(candle.start) / 1000), candle };
}
