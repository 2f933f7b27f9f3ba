// The newest trades of a symbol, and an honest count of those that nobody was shown.

import { addDecimals } from "./decimal.js";
import type { Decimal, Trade } from "./protocol.js";

/** What was passed over: it came, and made room for newer trades before it was handed out. */
export interface Passed {
  records: number;
  /** Trades; a summary stands for several. */
  trades: number;
  /** The exact sum of their sizes. */
  volume: Decimal;
}

export class Tape {
  /** Oldest first. */
  #trades: Trade[] = [];
  /** How many of the newest were not handed out yet. */
  #fresh = 0;
  #passed: Passed = { records: 0, trades: 0, volume: "0" };
  #isReset = false;

  constructor(readonly most: number) {}

  /** The newest trades, oldest first. */
  get trades(): readonly Trade[] {
    return this.#trades;
  }

  /** A snapshot replaces all. */
  replace(trades: readonly Trade[]): void {
    this.#trades = [];
    this.#fresh = 0;
    this.#isReset = true;
    for (const trade of trades) this.add(trade);
  }

  add(trade: Trade): void {
    this.#trades.push(trade);
    this.#fresh += 1;
    if (this.#trades.length <= this.most) return;
    const oldest = this.#trades.shift()!;
    if (this.#fresh <= this.most) return;
    this.#fresh = this.most;
    const { records, trades, volume } = this.#passed;
    const size = oldest.volume ?? oldest.size ?? "0";
    this.#passed = { records: records + 1, trades: trades + (oldest.trades ?? 1), volume: addDecimals(volume, size) };
  }

  /** What came since the last time: `isReset` says that it replaces what was had. */
  take(): { trades: Trade[]; passed: Passed; isReset: boolean } {
    const taken = { trades: this.#trades.slice(this.#trades.length - this.#fresh), passed: this.#passed, isReset: this.#isReset };
    this.#fresh = 0;
    this.#passed = { records: 0, trades: 0, volume: "0" };
    this.#isReset = false;
    return taken;
  }
}
