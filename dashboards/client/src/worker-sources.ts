// What a page has of the streams and replays of a session in a worker.

import { type Account, newAccount, streamKey } from "./accounts.js";
import { type Observable, type Off, Value } from "./emitter.js";
import { ClosedError } from "./errors.js";
import type { Change, Flush, Schedule } from "./latest.js";
import type { Ack, Channel, Interval, LedgerEntry, Rejected, ReplaySpeed, StreamOptions, SubscribeAck, Time } from "./protocol.js";
import { FIRST_REPLAY_STATE, type ReplayAck, type ReplayState } from "./replay-state.js";
import type { ReplayMethod } from "./worker-messages.js";

/** What a flush brings, taken in frames. */
export class Taken {
  account: Account = newAccount();
  readonly latest = new Map<string, Change>();
  readonly #listeners = new Set<(flush: Flush) => void>();

  constructor(
    readonly schedule: Schedule,
    readonly done: () => void,
  ) {}

  take(flush: Flush, account: Account): void {
    this.schedule(() => {
      this.account = account;
      if (flush.isElsewhere) this.latest.clear();
      for (const { channel, symbol, interval } of flush.forgotten ?? []) this.latest.delete(streamKey(channel, symbol, interval));
      for (const change of flush.changes) this.latest.set(change.key, change);
      for (const listener of [...this.#listeners]) listener(flush);
      // From here on the worker may post the next one.
      this.done();
    });
  }

  on(listener: (flush: Flush) => void): Off {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

/** Streams of a session in a worker. */
export class WorkerSubscription {
  symbols: readonly string[] = [];
  rejected: readonly Rejected[] = [];

  constructor(
    readonly ready: Promise<SubscribeAck>,
    readonly ask: <T>(what: "change" | "pause" | "unpause" | "unsubscribe", options?: StreamOptions) => Promise<T>,
  ) {
    ready.then(this.told.bind(this), () => {});
  }

  /** What the server gives, as it is by now. */
  told({ symbols, rejected }: { symbols: readonly string[]; rejected: readonly Rejected[] }): void {
    [this.symbols, this.rejected] = [symbols, rejected];
  }

  change(options: StreamOptions): Promise<SubscribeAck> {
    return this.ask("change", options);
  }

  pause(): Promise<void> {
    return this.ask("pause");
  }

  unpause(): Promise<void> {
    return this.ask("unpause");
  }

  unsubscribe(): Promise<LedgerEntry[]> {
    return this.ask("unsubscribe");
  }
}

/** A replay of a session in a worker. */
export class WorkerReplay {
  /** The answer with which it was opened, the newest where it was opened again. */
  opened!: ReplayAck;
  readonly #state = new Value<ReplayState>(FIRST_REPLAY_STATE);

  constructor(
    readonly taken: Taken,
    readonly ask: <T>(what: ReplayMethod, argument?: unknown) => Promise<T>,
  ) {}

  get state(): Observable<ReplayState> {
    return this.#state;
  }

  /** As of the last flush. */
  get account(): Readonly<Account> {
    return this.taken.account;
  }

  onFlush(listener: (flush: Flush) => void): Off {
    return this.taken.on(listener);
  }

  latest(channel: Channel, symbol: string, interval?: Interval): Change | undefined {
    return this.taken.latest.get(streamKey(channel, symbol, channel === "candles" ? (interval ?? "1m") : undefined));
  }

  told(state: ReplayState, opened: ReplayAck): void {
    this.opened = opened;
    this.#state.set(state);
  }

  pause(): Promise<void> {
    return this.#ask("pause");
  }

  resume(): Promise<void> {
    return this.#ask("resume");
  }

  step(records = 1): Promise<void> {
    return this.#ask("step", records);
  }

  seek(place: { to: Time } | { cursor: string }): Promise<void> {
    return this.#ask("seek", place);
  }

  setSpeed(speed: ReplaySpeed): Promise<void> {
    return this.#ask("setSpeed", speed);
  }

  /** It is over; once more does no harm. */
  async close(): Promise<Ack | undefined> {
    return this.isOver ? undefined : this.ask("close");
  }

  get isOver(): boolean {
    return ["closed", "failed"].includes(this.#state.value.phase);
  }

  /** The session is over, and this with it. */
  end(reason: string): void {
    if (!this.isOver) this.#state.set({ phase: "closed", reason });
  }

  async #ask<T>(what: ReplayMethod, argument?: unknown): Promise<T> {
    const { phase, reason } = this.#state.value;
    if (this.isOver) throw new ClosedError(`the replay is ${phase}: ${reason}`);
    return this.ask(what, argument);
  }
}
