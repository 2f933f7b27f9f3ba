// The subscriptions of a session: made, changed, and asked for again on each connection, from where it stood.

import type { Gap } from "./accounts.js";
import type { Clock } from "./clock.js";
import type { Connection } from "./connection.js";
import { ClosedError, RequestError, TickwireError } from "./errors.js";
import type { Ack, Channel, Cursor, Interval, LedgerEntry, Rejected, StreamOptions, SubscribeAck } from "./protocol.js";
import { type Requests, promised } from "./requests.js";
import type { Streams } from "./streams.js";
import { type SubscribeRequest, type Subscriber, Subscription } from "./subscription.js";

/** How long until symbols are asked for again that a server that has just started does not know yet. */
const UNLISTED_AGAIN_MS = 2000;

export interface SubscribingListener {
  rejected(subscription: Subscription, rejected: Rejected): void;
  error(error: TickwireError): void;
  /** All that was asked for again is there. */
  resumed(): void;
  /** What a subscription began with was cut off, and does not come again. */
  cut(gap: Gap): void;
}

/** Streams that only one subscription has. */
interface Only {
  channels: Channel[];
  symbols: string[];
  interval: Interval | undefined;
}

export class Subscribing implements Subscriber {
  #all: Subscription[] = [];
  #connection: Connection | undefined;
  /** Resumes that wait for their answer: until then the session's cursor stays. */
  #resuming = 0;

  constructor(
    readonly requests: Requests,
    readonly streams: Streams,
    readonly clock: Clock,
    readonly listener: SubscribingListener,
  ) {}

  get all(): readonly Subscription[] {
    return this.#all;
  }

  /** Not all streams stand where the newest message does. */
  get isResuming(): boolean {
    return this.#resuming > 0;
  }

  add(request: SubscribeRequest): Subscription {
    const subscription = new Subscription(structuredClone(request), this);
    this.#all.push(subscription);
    if (this.#connection !== undefined) this.#begin(subscription);
    return subscription;
  }

  /** What a replay has become. */
  adopt(request: SubscribeRequest, symbols: readonly string[]): Subscription {
    const subscription = new Subscription(request, this);
    subscription.symbols = symbols;
    subscription.isKnown = true;
    this.#all.push(subscription);
    return subscription;
  }

  async change(subscription: Subscription, options: StreamOptions): Promise<SubscribeAck> {
    const before = subscription.request;
    subscription.request = { ...before, ...options };
    try {
      return await promised<SubscribeAck>((answer) => {
        this.requests.send(this.#connection, "subscribe", { ...subscription.request, snapshot: options.snapshot ?? true }, answer);
      });
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== "connection_lost") subscription.request = before;
      throw error;
    }
  }

  async hold(subscription: Subscription, isPaused: boolean): Promise<void> {
    const { channels, symbols } = subscription.request;
    subscription.isPaused = isPaused;
    await promised((answer) => this.requests.send(this.#connection, isPaused ? "pause" : "unpause", { channels, symbols }, answer));
  }

  async unsubscribe(subscription: Subscription): Promise<LedgerEntry[]> {
    if (!this.#all.includes(subscription)) return [];
    this.#all = this.#all.filter((other) => other !== subscription);
    subscription.reject(new ClosedError("It was unsubscribed from before the answer."));
    if (this.#connection === undefined) {
      this.#forget(subscription);
      return [];
    }
    // All at once: what is subscribed to from here on comes behind them.
    const left = this.#onlyOf(subscription).map((only) => this.#leave(subscription, only));
    return (await Promise.all(left)).flat();
  }

  /** A connection serves: all is asked for again, and what has a state goes on behind the cursor. */
  attach(connection: Connection, cursor: Cursor | undefined): void {
    this.#connection = connection;
    this.#resuming = 0;
    for (const subscription of this.#all) {
      if (!subscription.isKnown || cursor === undefined) this.#begin(subscription);
      else this.#resume(subscription, cursor);
    }
    if (this.#resuming === 0) this.listener.resumed();
  }

  detach(): void {
    this.#connection = undefined;
    this.#resuming = 0;
  }

  /** An answer that nobody asked for: what was listed later, what a replay has become, what a new token takes. */
  told(ack: Ack): void {
    const { channels, symbols } = ack as SubscribeAck;
    for (const subscription of this.#all) {
      if (!channels.some((channel) => subscription.request.channels.includes(channel))) continue;
      if (ack.op === "unsubscribe") {
        const { channels: all } = subscription.request;
        if (all.every((channel) => channels.includes(channel))) {
          subscription.symbols = subscription.symbols.filter((symbol) => !symbols.includes(symbol));
        }
      } else {
        const isNew = (symbol: string): boolean => !subscription.symbols.includes(symbol) && subscription.covers(symbol);
        subscription.symbols = [...subscription.symbols, ...symbols.filter(isNew)];
      }
    }
  }

  /** Asks for the books again that were not the source's. */
  restate(): void {
    for (const symbol of this.streams.broken) {
      const subscription = this.#all.find((one) => one.has("book", symbol, undefined));
      if (subscription !== undefined) this.#state(subscription, ["book"], [symbol]);
    }
    this.streams.broken.clear();
  }

  #begin(subscription: Subscription): void {
    const { request } = subscription;
    // What a recording has is brought once; another one that is being made now may not have it.
    const wish = subscription.isKnown ? { ...request, rewind_ms: undefined } : request;
    this.requests.send(this.#connection, "subscribe", wish, {
      answered: (message) => {
        const ack = message as SubscribeAck;
        subscription.learn(ack);
        subscription.rewinds = ack.replay;
        this.#reject(subscription, ack.rejected);
        if (subscription.isPaused) void this.hold(subscription, true).catch(() => {});
        subscription.resolve(ack);
      },
      failed: (error) => this.#fail(subscription, error),
    });
  }

  #resume(subscription: Subscription, cursor: Cursor): void {
    const { request, symbols: before } = subscription;
    if (subscription.rewinds !== undefined) this.#cut(subscription);
    const bare = request.snapshot === false ? [] : subscription.bare(this.streams);
    // These come first: what the session has already is `kept` by the resume, and begins with its state.
    for (const { channel, symbols } of bare) this.#state(subscription, [channel], symbols);
    this.#resuming += 1;
    this.requests.send(this.#connection, "subscribe", { ...request, rewind_ms: undefined, resume: cursor }, {
      answered: (message) => {
        const ack = message as SubscribeAck;
        subscription.learn(ack);
        this.#reject(subscription, ack.rejected);
        // What is not served any more is not to be shown as if it were.
        const gone = before.filter((symbol) => !ack.symbols.includes(symbol));
        for (const channel of request.channels) this.streams.forget([channel], gone, subscription.intervalOf(channel));
        this.#askAgain(subscription, before);
        if (subscription.isPaused) void this.hold(subscription, true).catch(() => {});
        this.#isResumed();
      },
      failed: (error) => {
        this.#fail(subscription, error);
        if (!(error instanceof RequestError && error.code === "connection_lost")) this.#isResumed();
      },
    });
  }

  /** Its streams stand somewhere in the past: what lies between is told as lost, and they begin anew. */
  #cut(subscription: Subscription): void {
    subscription.rewinds = undefined;
    for (const channel of subscription.request.channels) {
      const interval = subscription.intervalOf(channel);
      this.streams.forget([channel], subscription.symbols, interval);
      for (const symbol of subscription.symbols) {
        const range = { from_sequence: null, to_sequence: null, count: null };
        this.listener.cut({ channel, symbol, ...(interval && { interval }), ...range, reason: "rewind_lost" });
      }
    }
  }

  #isResumed(): void {
    this.#resuming -= 1;
    if (this.#resuming === 0) this.listener.resumed();
  }

  /** Asks for the state of streams, with the options of their subscription. */
  #state(subscription: Subscription, channels: Channel[], symbols: string[], answered: (ack: SubscribeAck) => void = () => {}): void {
    const { rewind_ms: _, ...options } = subscription.request;
    const wish = { ...options, channels, symbols, snapshot: true };
    this.requests.send(this.#connection, "subscribe", wish, {
      answered: (ack) => answered(ack as SubscribeAck),
      failed: (error) => this.#tell(error),
    });
  }

  /** A server that has just started may not have listed all symbols: those that were there are asked for until they are. */
  #askAgain(subscription: Subscription, before: readonly string[]): void {
    const isUnlisted = ({ symbol, code }: Rejected): boolean => code === "unknown_symbol" && before.includes(symbol);
    const unlisted = subscription.rejected.filter(isUnlisted).map(({ symbol }) => symbol);
    if (unlisted.length === 0) return;
    const connection = this.#connection;
    this.clock.after(UNLISTED_AGAIN_MS, () => {
      if (connection !== this.#connection || !this.#all.includes(subscription)) return;
      this.#state(subscription, subscription.request.channels, unlisted, (ack) => {
        subscription.symbols = [...new Set([...subscription.symbols, ...ack.symbols])];
        subscription.rejected = subscription.rejected.filter(({ symbol }) => !ack.symbols.includes(symbol));
        this.#askAgain(subscription, unlisted);
      });
    });
  }

  #reject(subscription: Subscription, all: readonly Rejected[]): void {
    for (const rejected of all) this.listener.rejected(subscription, rejected);
  }

  /** What the server refuses whole is not asked for again; what was lost on the way is. */
  #fail(subscription: Subscription, error: TickwireError): void {
    if (error instanceof RequestError && error.code === "connection_lost") return;
    this.#all = this.#all.filter((other) => other !== subscription);
    this.#forget(subscription);
    subscription.reject(error);
    this.#tell(error);
  }

  #tell(error: TickwireError): void {
    if (error instanceof ClosedError || (error instanceof RequestError && error.code === "connection_lost")) return;
    this.listener.error(error);
  }

  /** What nobody else subscribes to: what was had of it is of the past. */
  #forget(subscription: Subscription): void {
    for (const channel of subscription.request.channels) {
      const interval = subscription.intervalOf(channel);
      const others = this.#others(channel, interval);
      const symbols = subscription.symbols.filter((symbol) => !others.some((one) => one.covers(symbol)));
      this.streams.forget([channel], symbols, interval);
    }
  }

  async #leave(subscription: Subscription, { channels, symbols, interval }: Only): Promise<LedgerEntry[]> {
    try {
      const ack = await promised<Ack & { symbols: string[]; ledger: LedgerEntry[] }>((answer) => {
        const fields = { channels, symbols, ...(interval && { interval }) };
        this.requests.send(this.#connection, "unsubscribe", fields, {
          answered: (message) => {
            // Here, not behind the promise: what comes behind the answer is of another subscription.
            this.streams.forget(channels, message.symbols as string[], interval);
            answer.answered(message);
          },
          failed: answer.failed,
        });
      });
      return ack.ledger;
    } catch (error) {
      // A session that is over has no streams.
      if (!(error instanceof RequestError) || error.code !== "connection_lost") throw error;
      this.#forget(subscription);
      return [];
    }
  }

  /** What no other subscription has: of each channel the names as they were given, or what is left of them. */
  #onlyOf(subscription: Subscription): Only[] {
    return subscription.request.channels.flatMap((channel) => {
      const interval = subscription.intervalOf(channel);
      const others = this.#others(channel, interval);
      const shared = (symbol: string): boolean => others.some((one) => one.covers(symbol));
      const names = subscription.symbols.some(shared) ? subscription.symbols : subscription.request.symbols;
      const symbols = names.filter((name) => !shared(name) && !others.some((one) => one.request.symbols.includes(name)));
      return symbols.length === 0 ? [] : [{ channels: [channel], symbols, interval }];
    });
  }

  #others(channel: Channel, interval: Interval | undefined): Subscription[] {
    return this.#all.filter((one) => one.request.channels.includes(channel) && one.intervalOf(channel) === interval);
  }
}
