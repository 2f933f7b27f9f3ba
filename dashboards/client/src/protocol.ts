// What is said on the wire (`tickwire.v1`), as types. Names are those of the protocol, unchanged.
//
// A `Decimal` is text with the venue's own digits and trailing zeros; a `Time` is RFC 3339, UTC, nine digits.
// Both encodings give the same values: times of MessagePack become the same texts.

/** A decimal number as text, exact, with the venue's own trailing zeros. May be negative. */
export type Decimal = string;
/** An instant as text: RFC 3339, UTC, nine digits of a second. */
export type Time = string;
/** Where a session stands in the server's order of events: `epoch:number`, or `replay:number`. */
export type Cursor = string;
/** A level of a book: price and size. In an update exactly `"0"` removes it. */
export type Level = [price: Decimal, size: Decimal];

export type Channel = "trades" | "quotes" | "ticker" | "book" | "candles" | "status";
export type Interval = "1s" | "1m" | "5m" | "15m" | "1h" | "1d";

/** What every record has. `sequence` counts the events of its stream, from 1, without holes. */
export interface Common {
  symbol: string;
  sequence: number;
  /** The sequence before the events that this record stands for; absent: `sequence` − 1. */
  prev_sequence?: number;
  /** How many events are folded into this record, besides its own. */
  coalesced?: number;
  /** The venue's time. */
  ts_event?: Time;
  /** The server's time of receipt. */
  ts_recv?: Time;
}

/** One execution, or, with `summary`, what `trades` executions come to, or, with `correction`, the end of an earlier one: a
    cancel has no price and no side. */
export interface Trade extends Common {
  trade_id?: string;
  price: Decimal;
  /** Of a single trade only. */
  size?: Decimal;
  /** The taker's. */
  side: "buy" | "sell" | "unknown";
  summary?: true;
  /** How many trades a summary stands for. */
  trades?: number;
  open?: Decimal;
  high?: Decimal;
  low?: Decimal;
  volume?: Decimal;
  /** The exact sum of price × size. */
  notional?: Decimal;
  buy_volume?: Decimal;
  sell_volume?: Decimal;
  first_ts_event?: Time;
  /** It is no execution: the one with this `trade_id` is taken back, or `price`, `size` and `side` hold instead. */
  correction?: "cancel" | "correct";
  /** Where that one stood, and what was told of it, where that is still known. */
  original_sequence?: number;
  original_price?: Decimal;
  original_size?: Decimal;
  original_side?: "buy" | "sell" | "unknown";
  original_ts_event?: Time;
  /** The id of what holds instead, where it is another. */
  new_trade_id?: string;
}

/** Best bid and offer; an empty side is `null`. */
export interface Quote extends Common {
  bid_price: Decimal | null;
  bid_size: Decimal | null;
  ask_price: Decimal | null;
  ask_size: Decimal | null;
  /** Computed from the book, where the venue sends none. */
  derived?: boolean;
  /** Of the best of several venues: the symbols at whose venues bid and offer stand. */
  bid_source?: string;
  ask_source?: string;
  /** There and true while the bid is at or above the ask, and while both are one price. */
  crossed?: boolean;
  locked?: boolean;
}

/** The last 24 hours, to the minute. What is not known is absent. */
export interface Ticker extends Common {
  last_price?: Decimal;
  last_size?: Decimal;
  bid_price?: Decimal | null;
  bid_size?: Decimal | null;
  ask_price?: Decimal | null;
  ask_size?: Decimal | null;
  open?: Decimal;
  high?: Decimal;
  low?: Decimal;
  volume?: Decimal;
  change?: Decimal;
  /** In percent of `open`. */
  change_percent?: Decimal;
  window?: string;
}

/** A whole book (of a snapshot, best first) or what changed. */
export interface BookRecord extends Common {
  /** Levels a side; 0 = all. Of a snapshot only. */
  depth?: number;
  bids: Level[];
  asks: Level[];
  /** CRC-32 of the book that results, where the subscription asked for it. */
  checksum?: number;
  /** There and true while the best bid is at or above the best ask. */
  crossed?: boolean;
  /** There and true while they are one price. */
  locked?: boolean;
}

/** A bar; it replaces the one with the same `start`. */
export interface Candle extends Common {
  interval: Interval;
  start: Time;
  open: Decimal;
  high: Decimal;
  low: Decimal;
  close: Decimal;
  volume: Decimal;
  trades: number;
  closed: boolean;
  /** It is told anew: a trade came late, was taken back or corrected. Without `trades` it is none any more. */
  corrected?: true;
}

export type StatusState = "open" | "closed" | "halted" | "suspect" | "stale" | "source_down" | "delayed" | "quiet_expected";

/** How a symbol's feed stands. */
export interface Status extends Common {
  state: StatusState;
  reason?: string;
  feed?: string;
  since?: Time;
}

export interface RecordOf {
  trades: Trade;
  quotes: Quote;
  ticker: Ticker;
  book: BookRecord;
  candles: Candle;
  status: Status;
}
export type AnyRecord = RecordOf[Channel];

/** What a subscription may say besides channels and symbols; the defaults are the server's. */
export interface StreamOptions {
  snapshot?: boolean;
  /** Trades or candles in a snapshot at most, 1 to 500. */
  snapshot_limit?: number;
  /** Levels a side: 1, 5, 10, 20, 50, 0 = all. */
  depth?: number;
  interval?: Interval;
  /** At most one update of a stream in so many milliseconds. */
  conflate_ms?: number;
  overflow?: "coalesce" | "gap" | "disconnect";
  checksum?: boolean;
  /** Messages carry `ts_sent`, which data age is made of. */
  stamp?: boolean;
  /** Milliseconds. */
  max_age_ms?: number;
  trade_safe?: boolean;
  priority?: "high" | "normal" | "low";
  fields?: string[];
  filter?: { min_size?: Decimal; side?: "buy" | "sell"; min_price?: Decimal; max_price?: Decimal };
}

/** A message as it came; what a client does not know, it passes over. */
export interface Message {
  type: string;
  id?: number | string;
  [field: string]: unknown;
}

export interface Welcome extends Message {
  type: "welcome";
  protocol: string;
  server: string;
  /** Names the connection in the server's logs. */
  session: string;
  /** The life of the server's order of events. */
  epoch: string;
  authenticated: boolean;
  auth_timeout_ms: number;
  heartbeat_ms: number;
  limits: Record<string, number>;
}

export interface DataMessage extends Message {
  type: "snapshot" | "update";
  channel: Channel;
  cursor: Cursor;
  data: AnyRecord[];
  as_of?: Cursor;
  ts_sent?: Time;
  replay?: string;
  /** Of which there is nothing, and where these stand. */
  symbols?: string[];
  sequences?: number[];
}

export interface GapMessage extends Message {
  type: "gap";
  channel: Channel;
  symbol: string;
  interval?: Interval;
  from_sequence?: number;
  to_sequence?: number;
  count?: number;
  reason: string;
  cause?: string;
  cursor?: Cursor;
  ts_sent?: Time;
  replay?: string;
}

export interface Ack extends Message {
  type: "ack";
  op: string;
}

/** A symbol that cannot be had, and why, in words. */
export interface Rejected {
  symbol: string;
  code: string;
  message: string;
  [field: string]: unknown;
}

export interface SubscribeAck extends Ack {
  channels: Channel[];
  /** What patterns came to. */
  symbols: string[];
  rejected: Rejected[];
  resumed: boolean;
  cursor: Cursor;
  streams?: { channel: Channel; state: "filled" | "missing" | "kept"; symbols: string[] }[];
  narrowed?: { channel: Channel; symbols: string[]; [bound: string]: unknown }[];
  replay?: string;
}

/** One stream's account at the server: `published = delivered + coalesced + skipped + pending`. */
export interface LedgerEntry {
  channel: Channel;
  symbol: string;
  interval?: Interval;
  published: number;
  delivered: number;
  coalesced: number;
  skipped: number;
  pending: number;
  last_sequence: number;
}

export interface LedgerAck extends Ack {
  subscriptions: LedgerEntry[];
  lag: { oldest_pending_ms?: number; source_lag_ms?: number; mode: "keeping_up" | "coalescing" };
}

export interface ErrorMessage extends Message {
  type: "error";
  op?: string;
  code: string;
  message: string;
  retryable: boolean;
  details?: { retry_after_ms?: number; [field: string]: unknown };
}

export type ReplaySpeed = number | "max";
export type ReplayPhase = "seeking" | "paused" | "playing" | "finished" | "live" | "failed";

/** How a replay stands, as the server says. */
export interface ReplayMessage extends Message {
  type: "replay";
  replay: string;
  state: ReplayPhase;
  /** The time in the recording. */
  position?: Time;
  cursor: Cursor;
  speed: ReplaySpeed;
  /** The part of its time that is over, 0 to 1. */
  progress: number;
  records: number;
  digest?: { records: number; sha256: string };
  /** By how many milliseconds a record was late at most since the last message. */
  late_ms?: number;
  damages?: unknown[];
  code?: string;
  message?: string;
}
