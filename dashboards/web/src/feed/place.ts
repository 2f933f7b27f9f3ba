// What the page looks at, as its address says it: symbol, interval, layout, and a place in a recording. Never a token.

import type { Interval, Time } from "@tickwire/client";

import { INTERVALS } from "../model/bars.js";

export type Layout = "desk" | "chart" | "book";
export const LAYOUTS: readonly Layout[] = ["desk", "chart", "book"];

export interface Place {
  symbol: string | undefined;
  interval: Interval;
  layout: Layout;
  /** Where a replay stands; absent where the page is live. */
  at: Time | undefined;
  recording: string | undefined;
}

const SYMBOL = /^[A-Za-z0-9._:/-]{1,64}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?Z$/;
const RECORDING = /^[A-Za-z0-9._-]{1,128}$/;

/** What a text after `#` means; what it does not say, or says wrong, is as it is by itself. */
export function parsePlace(hash: string): Place {
  const query = new URLSearchParams(hash.replace(/^#/, ""));
  const valid = (name: string, pattern: RegExp): string | undefined => {
    const value = query.get(name);
    return value !== null && pattern.test(value) ? value : undefined;
  };
  const interval = query.get("interval") as Interval;
  const layout = query.get("layout") as Layout;
  return {
    symbol: valid("symbol", SYMBOL),
    interval: INTERVALS.includes(interval) ? interval : "1m",
    layout: LAYOUTS.includes(layout) ? layout : "desk",
    at: valid("at", TIME),
    recording: valid("recording", RECORDING),
  };
}

/** The text after `#`; what is as it is by itself is left out. */
export function formatPlace(place: Place): string {
  const query = new URLSearchParams();
  if (place.symbol !== undefined) query.set("symbol", place.symbol);
  if (place.interval !== "1m") query.set("interval", place.interval);
  if (place.layout !== "desk") query.set("layout", place.layout);
  if (place.recording !== undefined) query.set("recording", place.recording);
  if (place.at !== undefined) query.set("at", place.at);
  // Colons and slashes are allowed there, and read better.
  return query.toString().replaceAll("%3A", ":").replaceAll("%2F", "/");
}
