// A session: what is subscribed to, asked and replayed over a line that comes back by itself.

import type { Account, StreamAccount, StreamName, Taken } from "./accounts.js";
import { Ages, type DataAge } from "./ages.js";
import type { Book } from "./book.js";
import type { Clock } from "./clock.js";
import type { Connection } from "./connection.js";
import { Emitter, type Observable, type Off } from "./emitter.js";
import { ClosedError, RequestError, TickwireError, type Violation } from "./errors.js";
import { dataOf, type SessionEvents } from "./events.js";
import { freshnessOf, type Freshness, Standings } from "./freshness.js";
import { Line, tokenState } from "./line.js";
import { type ConnectOptions, lineOptions } from "./options.js";
import { type Surroundings, watchPage } from "./page.js";
import type { Ack, Channel, Cursor, DataMessage, GapMessage, Interval, LedgerAck, Message, ReplayMessage } from "./protocol.js";
import type { Replay } from "./replay.js";
import type { ReplayOptions } from "./replay-state.js";
import { Replays } from "./replays.js";
import { promised, Requests } from "./requests.js";
import type { ConnectionState } from "./state.js";
import { Streams } from "./streams.js";
import { Subscribing } from "./subscribing.js";
import type { SubscribeRequest, Subscription } from "./subscription.js";
import { toMilliseconds } from "./times.js";

/** Connects, and comes back until `close`, or until something must change first (see `state`). */
export function connect(options: ConnectOptions): Session {
  return new Session(options);
}

export class Session {
  /** The address, without anything secret. */
  readonly url: string;
  readonly #events = new Emitter<SessionEvents>();
  readonly #clock: Clock;
  readonly #requests: Requests;
  readonly #streams: Streams;
  readonly #subscribing: Subscribing;
  readonly #replays: Replays;
  readonly #line: Line;
  readonly #ages = new Ages();
  readonly #standings = new Standings();
  readonly #unwatch: Off;
  #cursor: Cursor | undefined;
  #epoch: string | undefined;
  #pace: object | undefined;

  constructor(options: ConnectOptions) {
    this.url = options.url;
    const line = lineOptions(options);
    this.#clock = line.clock;
    this.#requests = new Requests(this.#clock);
    this.#streams = new Streams(this.#clock.now, (stream) => this.#forgotten(stream));
    this.#subscribing = new Subscribing(this.#requests, this.#streams, this.#clock, {
      rejected: (subscription, rejected) => this.#events.emit("rejected", { subscription, rejected }),
      error: (error) => this.#error(error),
      resumed: () => this.#line.settle(),
      cut: (gap) => this.#events.emit("gap", gap),
    });
    this.#replays = new Replays(this.#clock, this.#requests, () => this.#line.current, (violation) => this.#violation(violation));
    if (options.onGap !== undefined) this.on("gap", options.onGap);
    this.#line = new Line(line, {
      attached: (connection) => this.#attached(connection),
      message: (connection, message) => this.#take(connection, message),
      detached: (connection) => this.#detached(connection),
      closed: (reason) => this.#closed(reason),
    });
    this.#unwatch = watchPage(options.surroundings ?? (globalThis as Surroundings), () => this.wake());
    this.#line.open();
  }

  /** How the connection stands. */
  get state(): Observable<ConnectionState> {
    return this.#line.state;
  }

  /** Where to go on: up to here every message was handled. */
  get cursor(): Cursor | undefined {
    return this.#cursor;
  }

  /** What has come of all streams, over all connections. */
  get account(): Readonly<Account> {
    return { ...this.#streams.account };
  }

  /** The same of each stream that is subscribed to. */
  get accounts(): StreamAccount[] {
    return this.#streams.accounts();
  }

  get subscriptions(): readonly Subscription[] {
    return this.#subscribing.all;
  }

  /** How old messages are when they come (`ts_sent`, by the server's clock); see `stamp` of subscriptions. */
  get dataAge(): DataAge {
    return this.#ages.read(this.#clock.now());
  }

  on<N extends keyof SessionEvents>(name: N, listener: (event: SessionEvents[N]) => void): Off {
    return this.#events.on(name, listener);
  }

  /** Streams, from now until unsubscribed, over whatever connections. */
  subscribe(request: SubscribeRequest): Subscription {
    if (this.state.value.phase === "closed") throw new ClosedError(this.state.value.reason);
    return this.#subscribing.add(request);
  }

  /** The book of a symbol; none where there is none, or none to be trusted. It goes on with the session. */
  book(symbol: string): Book | undefined {
    return this.#streams.book(symbol);
  }

  /** Whether what is shown of a stream may be shown as live, and why not. Subscribe to `status` as well. */
  freshness(channel: Channel, symbol: string, interval?: Interval): Freshness {
    const stream = this.#streams.get(channel, symbol, channel === "candles" ? (interval ?? "1m") : undefined);
    return freshnessOf(this.state.value, stream, this.#standings.get(symbol), this.#clock.now());
  }

  /** Any request of the protocol; where there is no connection it waits for one. Rejects with `RequestError`. */
  request<A extends Message = Ack>(op: string, fields: object = {}): Promise<A> {
    return promised((answer) => this.#requests.send(this.#line.current, op, fields, answer));
  }

  /** The server's account of this connection, to be compared. */
  ledger(): Promise<LedgerAck> {
    return this.request("ledger");
  }

  /** How much and how often this session may be sent, on all connections from here on. */
  pace(fields: { bytes_per_second?: number; adaptive?: boolean }): Promise<Ack> {
    this.#pace = { ...this.#pace, ...fields };
    return this.request("pace", fields);
  }

  /** Plays what the server has recorded, beside what is live. */
  openReplay(options: ReplayOptions): Promise<Replay> {
    return this.#replays.open(options);
  }

  /** Tries at once instead of waiting; where there is a line, asks whether it is alive. */
  wake(): void {
    this.#line.wake();
  }

  close(): void {
    this.#line.close("closed by this client");
  }

  #attached(connection: Connection): void {
    const { epoch } = connection.welcome!;
    if (this.#epoch !== undefined && this.#epoch !== epoch) this.#streams.forgetPositions();
    this.#epoch = epoch;
    this.#requests.attach(connection, () => {
      if (this.#pace !== undefined) this.request("pace", this.#pace).catch(() => {});
      this.#subscribing.attach(connection, this.#cursor);
      this.#replays.attach(connection);
    });
  }

  #detached(connection: Connection): void {
    if (this.#line.current === undefined) {
      this.#subscribing.detach();
      this.#replays.detach();
    }
    this.#requests.detach(connection);
  }

  #closed(reason: string): void {
    this.#unwatch();
    this.#requests.close(reason);
    this.#replays.close(reason);
    for (const subscription of this.#subscribing.all) subscription.reject(new ClosedError(reason));
  }

  #take(connection: Connection, message: Message): void {
    const answered = this.#requests.take(connection, message);
    // A connection that another one has taken the place of answers what it was asked, and is not heard otherwise.
    if (connection !== this.#line.current) return;
    this.#age(message);
    switch (message.type) {
      case "snapshot":
      case "update":
        this.#data(message as DataMessage);
        break;
      case "gap":
        this.#gap(message as GapMessage);
        break;
      case "replay":
        this.#replay(message as ReplayMessage);
        return;
      case "ack":
        this.#ack(message as Ack, answered);
        break;
      case "error":
        // What ends a session comes with its close code, too.
        if (!answered) this.#error(new RequestError(String(message.op ?? ""), message as never));
        break;
      case "notice":
        if (message.code === "slow_consumer") this.#line.state.set({ behind: message.state === "started" });
        this.#events.emit("notice", message);
        break;
      case "draining":
        this.#line.drain(message.reconnect_after_ms as number, `the server is going (${String(message.reason)})`);
        break;
      case "heartbeat":
      case "token_expiring":
      case "pong":
      case "echo":
      case "flushed":
        break;
      default:
        this.#events.emit("message", message);
    }
    // With the message handled, and all streams where it stands, this is where to go on.
    const cursor = message.cursor as Cursor | undefined;
    if (cursor !== undefined && message.replay === undefined && !this.#subscribing.isResuming) this.#cursor = cursor;
  }

  #ack(ack: Ack, answered: boolean): void {
    if (ack.op === "auth") this.#line.state.set(tokenState(ack));
    if (ack.op === "unsubscribe") {
      const { channels, symbols } = ack as Ack & { channels: Channel[]; symbols: string[] };
      if (!answered) this.#streams.forget(channels, symbols);
      this.#events.emit("unsubscribed", { channels, symbols });
    }
    if (!answered && (ack.op === "subscribe" || ack.op === "unsubscribe")) this.#subscribing.told(ack);
  }

  #data(message: DataMessage): void {
    this.#line.heardData();
    if (message.replay !== undefined && this.#replays.take(message)) return;
    const taken = message.type === "snapshot" ? this.#streams.snapshot(message) : this.#streams.update(message);
    this.#tell(taken);
    if (message.channel === "status") this.#standings.take(taken.records);
    if (taken.records.length > 0 || message.type === "snapshot") {
      const data = dataOf(message, taken.records);
      this.#events.emit("data", data);
      this.#replays.live(data);
    }
    this.#subscribing.restate();
  }

  #forgotten(stream: StreamName): void {
    if (stream.channel === "status") this.#standings.forget(stream.symbol);
    this.#events.emit("forgotten", stream);
    this.#replays.forgotten(stream);
  }

  #gap(message: GapMessage): void {
    this.#line.heardData();
    if (message.replay !== undefined && this.#replays.take(message)) return;
    const taken = this.#streams.gap(message);
    this.#tell(taken);
    for (const gap of taken.gaps) this.#replays.live(gap);
  }

  #replay(message: ReplayMessage): void {
    for (const subscription of this.#subscribing.all) {
      if (subscription.rewinds !== message.replay) continue;
      if (message.state === "live" || message.state === "failed") subscription.rewinds = undefined;
      if (message.state === "live") this.#cursor = message.cursor;
      if (message.state === "failed") this.#error(new TickwireError(message.message ?? "the recording cannot be read on"));
      return;
    }
    this.#replays.told(message, (request, symbols, streams) => {
      this.#streams.adopt(streams);
      this.#cursor = message.cursor;
      this.#subscribing.adopt(request, symbols);
      return this.#streams;
    });
  }

  #tell(taken: Taken): void {
    for (const violation of taken.violations) this.#violation(violation);
    for (const gap of taken.gaps) this.#events.emit("gap", gap);
  }

  #age(message: Message): void {
    const { clockOffsetMs } = this.state.value;
    if (clockOffsetMs === null || typeof message.ts_sent !== "string") return;
    const now = this.#clock.now();
    this.#ages.add(now + clockOffsetMs - toMilliseconds(message.ts_sent), now);
  }

  #violation(violation: Violation): void {
    if (this.#events.emit("violation", violation)) return;
    queueMicrotask(() => {
      throw violation;
    });
  }

  #error(error: TickwireError): void {
    this.#events.emit("error", error);
  }
}
