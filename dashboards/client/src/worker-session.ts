// The page's side of a session that runs in a worker: the same words, and what changed once per frame.

import { type Account, streamKey } from "./accounts.js";
import type { DataAge } from "./ages.js";
import type { Token } from "./connection.js";
import { Emitter, type Observable, type Off, Value } from "./emitter.js";
import { ClosedError, RequestError, TickwireError } from "./errors.js";
import type { SessionEvents } from "./events.js";
import { freshnessOf, type Freshness, Standings } from "./freshness.js";
import { byFrame, type Change, type Flush, type Schedule } from "./latest.js";
import { type Surroundings, watchPage } from "./page.js";
import type { Ack, Channel, Interval, LedgerAck, Message, Rejected, SubscribeAck } from "./protocol.js";
import type { ReplayAck, ReplayOptions } from "./replay-state.js";
import { type ConnectionState, FIRST_STATE } from "./state.js";
import type { SubscribeRequest } from "./subscription.js";
import type { Command, Port, SourceId, Told, ToldError, WorkerConnectOptions, WorkerStoreOptions } from "./worker-messages.js";
import { Taken, WorkerReplay, WorkerSubscription } from "./worker-sources.js";
import { startWorker, type TrustedAddress, watchWorker } from "./worker-start.js";

export interface WorkerOptions extends WorkerConnectOptions, WorkerStoreOptions {
  /** It stays on the page, and is given where it is needed. */
  token?: Token;
  /** When flushes are handed out: at the next frame unless given. */
  schedule?: Schedule;
  surroundings?: Surroundings;
}

/** As of a session, but for records: these come by `onFlush`. */
export interface WorkerEvents {
  rejected: { rejected: Rejected };
  unsubscribed: SessionEvents["unsubscribed"];
  notice: Message;
  message: Message;
  error: TickwireError;
  violation: TickwireError;
}

/** How long a worker that is to end may take. */
const GOODBYE_MS = 1000;

/**
 * Connects in a worker: the address of the file `worker.js` of this package, at best of the page's own origin, or a worker
 * or port that serves already. A worker that is started here ends with its session.
 */
export function connectInWorker(worker: string | URL | TrustedAddress | Port<Command, Told>, options: WorkerOptions): WorkerSession {
  if (typeof worker === "object" && "postMessage" in worker) return new WorkerSession(worker, options);
  const started = startWorker(worker);
  return new WorkerSession(started as Port<Command, Told>, options, () => started.terminate());
}

export class WorkerSession {
  readonly url: string;
  readonly #port: Port<Command, Told>;
  readonly #token: Token | undefined;
  readonly #state = new Value<ConnectionState>(FIRST_STATE);
  readonly #events = new Emitter<WorkerEvents>();
  readonly #calls = new Map<number, { resolve(value: never): void; reject(error: Error): void }>();
  readonly #replays = new Map<SourceId, WorkerReplay>();
  readonly #subscriptions = new Map<number, WorkerSubscription>();
  readonly #standings = new Standings();
  readonly #schedule: Schedule;
  readonly #taken: Taken;
  readonly #unwatch: Off;
  #dataAge: DataAge = { lastMs: null, averageMs: { second: null, minute: null, fiveMinutes: null } };
  #goodbye: ReturnType<typeof setTimeout> | undefined;
  #count = 0;

  constructor(
    port: Port<Command, Told>,
    options: WorkerOptions,
    readonly terminate: () => void = () => {},
  ) {
    const { token, schedule, surroundings, flushMs, tradesMax, bookDepth, ...rest } = options;
    this.url = options.url;
    this.#port = port;
    this.#token = token;
    this.#schedule = schedule ?? byFrame();
    this.#taken = new Taken(this.#schedule, () => port.postMessage({ do: "flushed", of: 0 }));
    port.onmessage = ({ data }: { data: Told }) => this.#take(data);
    watchWorker(port, (reason) => this.#end(reason));
    const store = { ...(flushMs && { flushMs }), ...(tradesMax && { tradesMax }), ...(bookDepth !== undefined && { bookDepth }) };
    port.postMessage({ do: "connect", options: rest, store, hasToken: token !== undefined });
    this.#unwatch = watchPage(surroundings ?? (globalThis as Surroundings), () => this.wake());
  }

  get state(): Observable<ConnectionState> {
    return this.#state;
  }

  /** As of the last flush. */
  get account(): Readonly<Account> {
    return this.#taken.account;
  }

  /** As of the last flush. */
  get dataAge(): DataAge {
    return this.#dataAge;
  }

  on<N extends keyof WorkerEvents>(name: N, listener: (event: WorkerEvents[N]) => void): Off {
    return this.#events.on(name, listener);
  }

  /** Calls `listener` with what changed, in a frame. */
  onFlush(listener: (flush: Flush) => void): Off {
    return this.#taken.on(listener);
  }

  latest(channel: Channel, symbol: string, interval?: Interval): Change | undefined {
    return this.#taken.latest.get(streamKey(channel, symbol, channel === "candles" ? (interval ?? "1m") : undefined));
  }

  freshness(channel: Channel, symbol: string, interval?: Interval): Freshness {
    const change = this.latest(channel, symbol, interval);
    const stream = change && { void: change.book === null, heard: change.heard };
    return freshnessOf(this.#state.value, stream, this.#standings.get(symbol), Date.now());
  }

  subscribe(request: SubscribeRequest): WorkerSubscription {
    const call = ++this.#count;
    const ready = this.#ask<SubscribeAck>(call, { do: "subscribe", call, request });
    const subscription = new WorkerSubscription(ready, (what, options) => {
      const id = ++this.#count;
      if (what === "unsubscribe") this.#subscriptions.delete(call);
      return this.#ask(id, { do: "subscription", call: id, of: call, what, ...(options && { options }) });
    });
    this.#subscriptions.set(call, subscription);
    ready.catch(() => this.#subscriptions.delete(call));
    return subscription;
  }

  request<A extends Message = Ack>(op: string, fields: object = {}): Promise<A> {
    const call = ++this.#count;
    return this.#ask(call, { do: "request", call, op, fields });
  }

  ledger(): Promise<LedgerAck> {
    return this.request("ledger");
  }

  pace(fields: { bytes_per_second?: number; adaptive?: boolean }): Promise<Ack> {
    const call = ++this.#count;
    return this.#ask(call, { do: "pace", call, fields });
  }

  async openReplay(options: ReplayOptions): Promise<WorkerReplay> {
    const call = ++this.#count;
    const taken = new Taken(this.#schedule, () => this.#port.postMessage({ do: "flushed", of: call }));
    const replay = new WorkerReplay(taken, (what, argument) => {
      const id = ++this.#count;
      return this.#ask(id, { do: "replay", call: id, of: call, what, argument });
    });
    this.#replays.set(call, replay);
    try {
      replay.opened = await this.#ask<ReplayAck>(call, { do: "openReplay", call, options });
    } catch (error) {
      this.#replays.delete(call);
      throw error;
    }
    return replay;
  }

  wake(): void {
    this.#port.postMessage({ do: "wake" });
  }

  close(): void {
    if (this.#goodbye !== undefined || this.#state.value.phase === "closed") return;
    this.#port.postMessage({ do: "close" });
    this.#goodbye = setTimeout(() => this.#end("closed by this client"), GOODBYE_MS);
  }

  #take(told: Told): void {
    if (this.#state.value.phase === "closed") return;
    switch (told.tell) {
      case "state":
        this.#state.set(told.state);
        if (told.state.phase === "closed") this.#closed(told.state.reason);
        break;
      case "subscription":
        this.#subscriptions.get(told.of)?.told(told);
        break;
      case "flush": {
        if (told.of !== 0) {
          this.#replays.get(told.of)?.taken.take(told.flush, told.account);
          break;
        }
        this.#dataAge = told.dataAge;
        for (const { channel, symbol } of told.flush.forgotten ?? []) if (channel === "status") this.#standings.forget(symbol);
        for (const { channel, record } of told.flush.changes) if (channel === "status" && record) this.#standings.take([record]);
        this.#taken.take(told.flush, told.account);
        break;
      }
      case "event":
        this.#event(told.name, told.event);
        break;
      case "replay":
        this.#replays.get(told.of)?.told(told.state, told.opened);
        if (this.#replays.get(told.of)?.isOver) this.#replays.delete(told.of);
        break;
      case "answer": {
        const call = this.#calls.get(told.call);
        this.#calls.delete(told.call);
        if (told.error === undefined) call?.resolve(told.value as never);
        else call?.reject(errorOf(told.error));
        break;
      }
      case "token":
        void this.#giveToken(told.call);
    }
  }

  #event(name: keyof WorkerEvents, event: unknown): void {
    const isError = name === "error" || name === "violation";
    const error = isError ? errorOf(event as ToldError) : undefined;
    if (this.#events.emit(name, (error ?? event) as never) || name !== "violation") return;
    queueMicrotask(() => {
      throw error;
    });
  }

  /** The worker cannot tell that it is over. */
  #end(reason: string): void {
    if (this.#state.value.phase === "closed") return;
    this.#state.set({ phase: "closed", retryAt: null, reason });
    this.#closed(reason);
  }

  #closed(reason: string): void {
    clearTimeout(this.#goodbye);
    this.#unwatch();
    for (const { reject } of this.#calls.values()) reject(new ClosedError(reason));
    for (const replay of this.#replays.values()) replay.end(reason);
    for (const kept of [this.#calls, this.#replays, this.#subscriptions]) kept.clear();
    this.terminate();
  }

  async #giveToken(call: number): Promise<void> {
    try {
      const token = typeof this.#token === "function" ? await this.#token() : this.#token!;
      this.#port.postMessage({ do: "token", call, token });
    } catch (error) {
      this.#port.postMessage({ do: "token", call, error: error instanceof Error ? error.message : String(error) });
    }
  }

  #ask<T>(call: number, command: Command): Promise<T> {
    const { phase, reason } = this.#state.value;
    if (phase === "closed") return Promise.reject(new ClosedError(reason));
    return new Promise((resolve, reject) => {
      this.#calls.set(call, { resolve, reject });
      this.#port.postMessage(command);
    });
  }
}

/** The error that it was in the worker, as far as that crosses. */
function errorOf({ name, message, op, code, retryable, details }: ToldError): TickwireError {
  if (code === undefined) return Object.assign(new TickwireError(message), { name });
  return new RequestError(op ?? "", { code, message, retryable: retryable ?? false, ...(details && { details }) });
}
