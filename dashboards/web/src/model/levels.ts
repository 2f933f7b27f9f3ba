// The rows of a ladder: levels of a book grouped by a price step and added up, exactly.

import { compareDecimals, type Decimal, fractionDigits, type Level } from "@tickwire/client";

export interface LadderRow {
  price: Decimal;
  size: Decimal;
  /** All sizes from the best to this one. */
  total: Decimal;
  /** 0 to 1, for a bar: this size of the largest, and the total of the deepest. */
  share: number;
  depth: number;
}

export interface Grouping {
  /** The step between rows, exact. */
  step: Decimal;
  /** Digits behind the dot that a price of that step needs. */
  digits: number;
}

/** As whole numbers of 10^-scale. `scale` may be less than the text's digits: what is beyond is cut. */
export function scaled(text: Decimal, scale: number): bigint {
  const dot = text.indexOf(".");
  if (dot < 0) return BigInt(text + "0".repeat(scale));
  const fraction = text.slice(dot + 1, dot + 1 + scale);
  return BigInt(text.slice(0, dot) + fraction.padEnd(scale, "0"));
}

export function unscaled(value: bigint, scale: number): Decimal {
  const sign = value < 0n ? "-" : "";
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, "0");
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** A tick times a whole number. */
export function groupingOf(tick: Decimal, factor: number): Grouping {
  const scale = fractionDigits(tick);
  return { step: unscaled(scaled(tick, scale) * BigInt(factor), scale), digits: scale };
}

/** The finest step that prices show, where nobody says the tick. */
export function tickOf(levels: readonly Level[]): Decimal {
  const digits = levels.reduce((most, [price]) => Math.max(most, fractionDigits(price)), 0);
  return digits === 0 ? "1" : `0.${"0".repeat(digits - 1)}1`;
}

/** Levels of a side, best first, as rows: bids fall to the step below them, asks rise to the one above. */
export function group(levels: readonly Level[], side: "bid" | "ask", { step }: Grouping): [Decimal, Decimal][] {
  const scale = levels.reduce((most, [price]) => Math.max(most, fractionDigits(price)), fractionDigits(step));
  const sizes = levels.reduce((most, [, size]) => Math.max(most, fractionDigits(size)), 0);
  const width = scaled(step, scale);
  const rows: [bigint, bigint][] = [];
  for (const [price, size] of levels) {
    const at = floorTo(side === "bid" ? scaled(price, scale) : -scaled(price, scale), width);
    const row = side === "bid" ? at : -at;
    const last = rows.at(-1);
    if (last !== undefined && last[0] === row) last[1] += scaled(size, sizes);
    else rows.push([row, scaled(size, sizes)]);
  }
  const cut = scale - fractionDigits(step);
  return rows.map(([price, size]) => [unscaled(price / 10n ** BigInt(cut), scale - cut), unscaled(size, sizes)]);
}

function floorTo(value: bigint, width: bigint): bigint {
  const rest = value % width;
  return rest < 0n ? value - rest - width : value - rest;
}

/** Rows of one side with totals; `from` says how many of the best are passed over (they count in the totals). */
export function ladderSide(levels: readonly Level[], side: "bid" | "ask", grouping: Grouping, count: number, from = 0): LadderRow[] {
  const rows = group(levels, side, grouping).slice(0, from + count);
  const digits = rows.reduce((most, [, size]) => Math.max(most, fractionDigits(size)), 0);
  let total = 0n;
  const made = rows.map(([price, size]) => {
    total += scaled(size, digits);
    return { price, size, total: unscaled(total, digits), share: Number(size), depth: Number(total) };
  });
  return made.slice(from);
}

/** Bars of both sides on one scale. */
export function scaleBars(bids: LadderRow[], asks: LadderRow[]): void {
  const all = [...bids, ...asks];
  const widest = all.reduce((most, row) => Math.max(most, row.share), 0) || 1;
  const deepest = all.reduce((most, row) => Math.max(most, row.depth), 0) || 1;
  for (const row of all) {
    row.share /= widest;
    row.depth /= deepest;
  }
}

/** The spread and the middle of a book, exact: the middle has one digit more where it needs it. */
export function middle(bid: Decimal, ask: Decimal): { spread: Decimal; mid: Decimal; isCrossed: boolean } {
  const scale = Math.max(fractionDigits(bid), fractionDigits(ask));
  const [low, high] = [scaled(bid, scale), scaled(ask, scale)];
  const sum = low + high;
  const mid = sum % 2n === 0n ? unscaled(sum / 2n, scale) : unscaled(sum * 5n, scale + 1);
  return { spread: unscaled(high - low, scale), mid, isCrossed: compareDecimals(bid, ask) >= 0 };
}
