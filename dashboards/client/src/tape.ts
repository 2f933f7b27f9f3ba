// The newest trades of a symbol, and an honest count of those that nobody was shown.

import { addDecimals, compareDecimals } from "./decimal.js";
import type { Decimal, Trade } from "./protocol.js";

/** What was passed over: it came, and made room for newer trades before it was handed out. */
export interface Passed {
  records: number;
  /** Trades; a summary stands for several. */
  trades: number;
  /** The exact sum of their sizes. */
  volume: Decimal;
  /** The least and the most that was paid; absent where there were none. */
  low?: Decimal;
  high?: Decimal;
}

const NOTHING: Passed = { records: 0, trades: 0, volume: "0" };

function passOver({ records, trades, volume, low, high }: Passed, { price, ...trade }: Trade): Passed {
  const [least, most] = [trade.low ?? price, trade.high ?? price];
  return {
    records: records + 1,
    trades: trades + (trade.trades ?? 1),
    volume: addDecimals(volume, trade.volume ?? trade.size ?? "0"),
    low: low === undefined || compareDecimals(least, low) < 0 ? least : low,
    high: high === undefined || compareDecimals(most, high) > 0 ? most : high,
  };
}

export class Tape {
  /** Oldest first. */
  #trades: Trade[] = [];
  /** How many of the newest were not handed out yet. */
  #fresh = 0;
  #passed: Passed = NOTHING;
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
    if (trade.correction !== undefined) return this.#correct(trade);
    this.#trades.push(trade);
    this.#fresh += 1;
    if (this.#trades.length <= this.most) return;
    const oldest = this.#trades.shift()!;
    if (this.#fresh <= this.most) return;
    this.#fresh = this.most;
    this.#passed = passOver(this.#passed, oldest);
  }

  /** What was handed out of the trade is not true any more: all of it is handed out again. */
  #correct({ correction, trade_id, new_trade_id, price, size, side }: Trade): void {
    const at = this.#trades.findLastIndex((trade) => trade.trade_id === trade_id);
    if (at < 0) return;
    const told = this.#trades[at]!;
    const now = correction === "cancel" ? [] : [{ ...told, trade_id: new_trade_id ?? trade_id, price, size, side }];
    this.#trades.splice(at, 1, ...(now as Trade[]));
    this.#fresh = this.#trades.length;
    this.#isReset = true;
  }

  /** What came since the last time: `isReset` says that it replaces what was had. */
  take(): { trades: Trade[]; passed: Passed; isReset: boolean } {
    const taken = { trades: this.#trades.slice(this.#trades.length - this.#fresh), passed: this.#passed, isReset: this.#isReset };
    this.#fresh = 0;
    this.#passed = NOTHING;
    this.#isReset = false;
    return taken;
  }
}
