// What was subscribed to, to be asked for again on another connection.

import type { Channel, Interval, LedgerEntry, Rejected, StreamOptions, SubscribeAck } from "./protocol.js";
import type { Streams } from "./streams.js";

/** Every channel × every symbol; symbols are names or patterns with `*`. */
export interface SubscribeRequest extends StreamOptions {
  channels: Channel[];
  symbols: string[];
  /** Begin so many milliseconds ago, with what was recorded since. Told once: who comes back goes on live. */
  rewind_ms?: number;
}

/** What a subscription asks of its session. */
export interface Subscriber {
  change(subscription: Subscription, options: StreamOptions): Promise<SubscribeAck>;
  hold(subscription: Subscription, isPaused: boolean): Promise<void>;
  unsubscribe(subscription: Subscription): Promise<LedgerEntry[]>;
}

const DEFAULT_INTERVAL: Interval = "1m";

/** Streams of a session, for as long as nobody unsubscribes. */
export class Subscription {
  /** What was asked for, as it is by now. */
  request: SubscribeRequest;
  /** Called when `symbols` or `rejected` become others. */
  changed: () => void = () => {};
  #symbols: readonly string[] = [];
  #rejected: readonly Rejected[] = [];
  /** The first answer. */
  readonly ready: Promise<SubscribeAck>;
  /** The server has answered. */
  isKnown = false;
  isPaused = false;
  /** The replay that it begins with, as long as that goes on. */
  rewinds: string | undefined;
  resolve!: (ack: SubscribeAck) => void;
  reject!: (error: Error) => void;

  constructor(
    request: SubscribeRequest,
    readonly subscriber: Subscriber,
  ) {
    this.request = request;
    this.ready = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // Who does not wait for it hears of it by the session's `error`.
    this.ready.catch(() => {});
  }

  /** What patterns came to, and what was listed since; empty before the first answer. */
  get symbols(): readonly string[] {
    return this.#symbols;
  }

  set symbols(symbols: readonly string[]) {
    this.#symbols = symbols;
    this.changed();
  }

  /** What the server did not give. */
  get rejected(): readonly Rejected[] {
    return this.#rejected;
  }

  set rejected(rejected: readonly Rejected[]) {
    this.#rejected = rejected;
    this.changed();
  }

  /** Changes options in place, without a gap. */
  change(options: StreamOptions): Promise<SubscribeAck> {
    return this.subscriber.change(this, options);
  }

  /** Nothing comes after the answer; the place is kept. */
  pause(): Promise<void> {
    return this.subscriber.hold(this, true);
  }

  unpause(): Promise<void> {
    return this.subscriber.hold(this, false);
  }

  /** Nothing comes after the answer, which is the final account of the streams that nobody else subscribes to. */
  unsubscribe(): Promise<LedgerEntry[]> {
    return this.subscriber.unsubscribe(this);
  }

  intervalOf(channel: Channel): Interval | undefined {
    return channel === "candles" ? (this.request.interval ?? DEFAULT_INTERVAL) : undefined;
  }

  /** Takes an answer in. */
  learn(ack: SubscribeAck): void {
    this.symbols = ack.symbols;
    this.rejected = ack.rejected;
    this.isKnown = true;
  }

  /** Whether a symbol is one of those, or would be. */
  covers(symbol: string): boolean {
    return this.symbols.includes(symbol) || this.request.symbols.some((pattern) => matches(pattern, symbol));
  }

  has(channel: Channel, symbol: string, interval: Interval | undefined): boolean {
    const { channels } = this.request;
    return channels.includes(channel) && this.symbols.includes(symbol) && this.intervalOf(channel) === interval;
  }

  /** Streams of which nothing has come yet, by channel: without a state there is nothing to resume. */
  bare(streams: Streams): { channel: Channel; symbols: string[] }[] {
    return this.request.channels
      .map((channel) => {
        const interval = this.intervalOf(channel);
        return { channel, symbols: this.symbols.filter((symbol) => !streams.has(channel, symbol, interval)) };
      })
      .filter(({ symbols }) => symbols.length > 0);
  }
}

/** Whether a symbol is what a pattern stands for: `*` is any text. */
export function matches(pattern: string, symbol: string): boolean {
  if (!pattern.includes("*")) return pattern === symbol;
  const escaped = pattern.split("*").map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${escaped.join(".*")}$`).test(symbol);
}
