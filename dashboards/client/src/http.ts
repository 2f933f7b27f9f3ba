// States and pages of the past over plain HTTP, with `fetch`.

import type { Token } from "./connection.js";
import { RequestError } from "./errors.js";
import type { Candle, Channel, Cursor, DataMessage, Decimal, Interval, Rejected, RecordOf, StreamOptions, Time } from "./protocol.js";

export interface Http {
  /** The server's address, or that of its stream: `https://HOST`, `wss://HOST/v1/stream`. */
  url: string;
  /** Sent in a header, never in the address. Without it a page is known by its cookie. */
  token?: Token;
  fetch?: typeof fetch;
  signal?: AbortSignal;
}

/** A request over plain HTTP was refused. */
export class HttpError extends RequestError {
  override name = "HttpError";

  constructor(
    path: string,
    readonly status: number,
    code: string,
    message: string,
    /** Milliseconds, where the server says so. */
    readonly retryAfterMs: number | undefined,
  ) {
    super(path, { code, message, retryable: status === 429 || status === 503 });
  }
}

export interface HistoryQuery extends Pick<StreamOptions, "fields" | "filter"> {
  channel: Exclude<Channel, "book">;
  symbol: string;
  interval?: Interval;
  /** Records in a page, up to 5000; 500 unless given. */
  limit?: number;
  order?: "asc" | "desc";
  /** Both included. */
  from_sequence?: number;
  to_sequence?: number;
  /** Of `ts_event`, of candles `start`: not before `from`, and before `to`. */
  from?: Time;
  to?: Time;
  /** Only what came after it. */
  cursor?: Cursor;
}

export interface HistoryPage<C extends Channel = Channel> {
  channel: C;
  symbol: string;
  /** Where to go on later, here or as the `resume` of a subscription. */
  cursor: Cursor;
  oldest_sequence?: number;
  newest_sequence?: number;
  /** What was asked for and is not there. */
  gap?: { from_sequence?: number; to_sequence?: number; count?: number; reason: string };
  /** The next page; absent where this is all there is by now. */
  next?: string;
  data: RecordOf[C][];
}

/** Bars of a recording: found by their time, without places in its streams. */
export interface RecordedQuery extends Pick<HistoryQuery, "symbol" | "interval" | "limit" | "order" | "from" | "to"> {
  recording: string;
}

export interface RecordedPage {
  channel: "candles";
  symbol: string;
  interval: Interval;
  recording: string;
  /** The next page; absent where this is all there is. */
  next?: string;
  /** Parts of the recording that do not read: bars may be missing. */
  damages?: string[];
  data: Candle[];
}

export interface SnapshotMessage extends DataMessage {
  rejected?: Rejected[];
}

/** An instrument that the token may see. */
export interface Instrument {
  symbol: string;
  channels?: Channel[];
  tick_size?: Decimal;
  lot_size?: Decimal;
  [field: string]: unknown;
}

/** A page of one stream's past, as far as the server's logs go. */
export function history<Q extends HistoryQuery>(http: Http, query: Q): Promise<HistoryPage<Q["channel"]>> {
  return get(http, "/v1/history", query);
}

/** All pages, one after the other: every sequence once, or a `gap` that names it. */
export async function* historyPages<Q extends HistoryQuery>(http: Http, query: Q): AsyncGenerator<HistoryPage<Q["channel"]>> {
  let page = await history(http, query);
  for (;;) {
    yield page;
    if (page.next === undefined) return;
    page = await get(http, page.next, {});
  }
}

/** A page of bars; `order: "desc"` begins with the newest. */
export function candles(http: Http, query: Omit<HistoryQuery, "channel">): Promise<HistoryPage<"candles">> {
  return get(http, "/v1/candles", query);
}

/** A page of a recording's bars. The token needs the scope `replay`. */
export function recordedCandles(http: Http, query: RecordedQuery): Promise<RecordedPage> {
  return get(http, "/v1/candles", query);
}

/** The bars before a time, for a chart that is scrolled back; oldest first. Of a recording where it is named. */
export async function candlesBefore(http: Http, symbol: string, interval: Interval, to: Time, limit = 500, recording?: string): Promise<Candle[]> {
  const query = { symbol, interval, to, limit, order: "desc" } as const;
  const page = recording === undefined ? candles(http, query) : recordedCandles(http, { ...query, recording });
  return (await page).data.reverse();
}

/** The state of one channel, now. */
export function snapshot(http: Http, query: { channel: Channel; symbols: string[] } & StreamOptions): Promise<SnapshotMessage> {
  return get(http, "/v1/snapshot", query);
}

/** The instruments that the token may see: all, or those of these patterns. */
export async function symbols(http: Http, patterns?: string[]): Promise<Instrument[]> {
  const answer = await get<{ symbols: Instrument[] }>(http, "/v1/symbols", { symbols: patterns });
  return answer.symbols;
}

/** A recording of the server. */
export interface RecordingInfo {
  /** Its name, as `openReplay` wants it. */
  recording: string;
  /** It is being made. */
  running: boolean;
  /** It was ended in order. */
  complete: boolean;
  /** Times of receipt; absent where it is empty. */
  from?: Time;
  to?: Time;
  records: number;
  bytes: number;
}

/** The recordings that may be replayed; the token needs the scope `replay`. */
export async function recordings(http: Http): Promise<RecordingInfo[]> {
  return (await get<{ recordings: RecordingInfo[] }>(http, "/v1/recordings", {})).recordings;
}

async function get<T>(http: Http, path: string, query: object): Promise<T> {
  const url = new URL(path, origin(http.url));
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, text(value));
  }
  const token = typeof http.token === "function" ? await http.token() : http.token;
  const headers: Record<string, string> = token === undefined ? {} : { Authorization: `Bearer ${token}` };
  const ask = http.fetch ?? fetch;
  const answer = await ask(url, { headers, ...(http.signal && { signal: http.signal }) });
  if (answer.ok) return (await answer.json()) as T;
  const problem = (await answer.json().catch(() => ({}))) as { code?: string; detail?: string };
  const wait = answer.headers.get("Retry-After");
  const retryAfterMs = wait === null ? undefined : Number(wait) * 1000;
  throw new HttpError(path, answer.status, problem.code ?? "http", problem.detail ?? answer.statusText, retryAfterMs);
}

/** `wss:` is `https:`, `ws:` is `http:`. */
function origin(url: string): string {
  return new URL(url.replace(/^ws/, "http")).origin;
}

function text(value: unknown): string {
  if (Array.isArray(value)) return value.join(",");
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
