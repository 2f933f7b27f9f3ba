// A line of the list of trades: one trade, what a summary stands for, or what was passed over.

import { toMilliseconds, type Trade } from "@tickwire/client";

import { zone } from "../feed/settings.js";
import type { TapeLine } from "../model/market.js";
import { compactDigits, fixedDigits, groupDigits, trimZeros } from "../text/numbers.js";
import { count, marks, t } from "../text/texts.js";
import { clockText } from "../text/times.js";
import { type Cell, cellsOf } from "./cell.js";

const NAMES = ["time", "price", "size"] as const;
const GLYPH = { buy: "▲", sell: "▼", unknown: "" };
const CLASS = { buy: "up", sell: "down", unknown: "" };

export class TapeRow {
  readonly #cells: Record<(typeof NAMES)[number], Cell>;
  #shown = "";

  constructor(readonly node: HTMLTableRowElement) {
    this.#cells = cellsOf(node, NAMES);
  }

  /** Sizes have so many digits behind their mark. */
  paint(line: TapeLine | undefined, digits: number): void {
    const shown = `${line?.number ?? 0} ${digits}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    const { time, price, size } = this.#cells;
    if (line === undefined) {
      for (const cell of [time, price, size]) cell.text("");
      this.#mark("", "");
    } else if (line.trade !== undefined) {
      this.#trade(line.trade, digits);
    } else {
      const { trades, volume, low, high } = line.passed!;
      const of = (text: string | undefined): string => groupDigits(text ?? "0", marks.value);
      time.text("⋯");
      price.text("");
      size.text(`${count(trades)}× ${compactDigits(trimZeros(volume), marks.value)}`);
      this.#mark("summary", t("passedOver", { count: count(trades), low: of(low), high: of(high), volume: of(volume) }));
    }
  }

  #trade(trade: Trade, column: number): void {
    const { time, price, size } = this.#cells;
    const at = trade.ts_event ?? trade.ts_recv;
    time.text(at === undefined ? "–" : clockText(toMilliseconds(at), zone.value, true));
    price.text(`${GLYPH[trade.side]} ${groupDigits(trade.price, marks.value)}`);
    price.mark(CLASS[trade.side]);
    if (trade.summary !== true) {
      size.text(fixedDigits(trade.size ?? "0", column, marks.value));
      this.#mark("", "");
      return;
    }
    const digits = (text: string | undefined): string => groupDigits(text ?? "0", marks.value);
    size.text(`${count(trade.trades ?? 0)}× ${compactDigits(trimZeros(trade.volume ?? "0"), marks.value)}`);
    this.#mark("summary", t("summaryTitle", {
      count: count(trade.trades ?? 0), low: digits(trade.low), high: digits(trade.high), volume: digits(trade.volume), buy: digits(trade.buy_volume), sell: digits(trade.sell_volume),
    }));
  }

  #mark(name: string, title: string): void {
    if (this.node.className !== name) this.node.className = name;
    if (this.node.title !== title) this.node.title = title;
  }
}
