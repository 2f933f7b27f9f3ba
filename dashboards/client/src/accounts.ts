// What a client counts and tells of each stream.

import type { Violation } from "./errors.js";
import type { AnyRecord, Channel, GapMessage, Interval, Time } from "./protocol.js";

/** A stream: a channel and a symbol, of candles with the interval. */
export interface StreamName {
  channel: Channel;
  symbol: string;
  interval?: Interval;
}

/** What will not come: named by the server, or found missing by this client (`hole`, `checksum`). */
export interface Gap extends StreamName {
  /** Both included; `null` where the place is not known, as after another life of the server. */
  from_sequence: number | null;
  to_sequence: number | null;
  count: number | null;
  reason: string;
  cause?: string;
  ts_sent?: Time;
  replay?: string;
}

/** Counts of events. `delivered + coalesced + skipped` is how far a stream has moved since its first position. */
export interface Account {
  /** Records that came as updates. */
  delivered: number;
  /** Events folded into them, or hidden by a filter. */
  coalesced: number;
  /** Events named in gaps or replaced by a later snapshot. */
  skipped: number;
  /** Gaps told. */
  gaps: number;
  /** Records that came again after coming back, and were left out. */
  duplicates: number;
  /** Events of merged records that had been had before, in part. */
  overlapped: number;
  violations: number;
}

/** The account of one stream. */
export interface StreamAccount extends Account {
  channel: Channel;
  symbol: string;
  interval?: Interval;
  /** Up to here everything was had or explained; `null`: not known. */
  position: number | null;
}

/** What came of a message: records that are new, and what is to be told before them. */
export interface Taken {
  records: AnyRecord[];
  gaps: Gap[];
  violations: Violation[];
}

export function newAccount(): Account {
  return { delivered: 0, coalesced: 0, skipped: 0, gaps: 0, duplicates: 0, overlapped: 0, violations: 0 };
}

/** The name of a stream. */
export function streamKey(channel: Channel, symbol: string, interval?: Interval): string {
  return interval === undefined ? `${channel} ${symbol}` : `${channel} ${symbol} ${interval}`;
}

/** A gap as the server tells it, with the range that is new to this client. */
export function gapOf(message: GapMessage, from: number | null, to: number | null): Gap {
  const { channel, symbol, interval, reason, cause, ts_sent, replay } = message;
  const count = from === null || to === null ? null : to - from + 1;
  const gap: Gap = { channel, symbol, from_sequence: from, to_sequence: to, count, reason };
  if (interval !== undefined) gap.interval = interval;
  if (cause !== undefined) gap.cause = cause;
  if (ts_sent !== undefined) gap.ts_sent = ts_sent;
  if (replay !== undefined) gap.replay = replay;
  return gap;
}
