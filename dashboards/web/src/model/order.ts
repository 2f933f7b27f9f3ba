// In which order the watchlist stands, and that it stays put while somebody points at it.

import { compareDecimals, type Decimal } from "@tickwire/client";

import type { Instrument } from "./market.js";

export type SortKey = "added" | "symbol" | "last" | "change" | "volume";

export interface Sort {
  key: SortKey;
  isDescending: boolean;
}

const VALUES: Record<Exclude<SortKey, "added" | "symbol">, (instrument: Instrument) => Decimal | undefined> = {
  last: ({ ticker }) => ticker?.last_price,
  change: ({ ticker }) => ticker?.change_percent,
  volume: ({ ticker }) => ticker?.volume,
};

/** Symbols in order; those without a value come last, whichever way. Equals keep the order in which they were added. */
export function sorted(symbols: readonly string[], { key, isDescending }: Sort, of: (symbol: string) => Instrument): string[] {
  const sign = isDescending ? -1 : 1;
  if (key === "added") return isDescending ? [...symbols].reverse() : [...symbols];
  if (key === "symbol") return [...symbols].sort((a, b) => sign * (a < b ? -1 : a > b ? 1 : 0));
  const value = VALUES[key];
  return [...symbols].sort((a, b) => {
    const [left, right] = [value(of(a)), value(of(b))];
    if (left === undefined || right === undefined) return Number(left === undefined) - Number(right === undefined);
    return sign * compareDecimals(left, right);
  });
}
