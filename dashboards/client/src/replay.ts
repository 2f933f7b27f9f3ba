// A recording that the server plays, beside what is live: the same records, by a clock of its own.

import type { Account, Gap, StreamAccount, StreamName, Taken } from "./accounts.js";
import type { Book } from "./book.js";
import type { Connection } from "./connection.js";
import { Emitter, type Observable, type Off, Value } from "./emitter.js";
import { ClosedError, RequestError, TickwireError } from "./errors.js";
import { type Data, dataOf, type SourceEvents } from "./events.js";
import type { Ack, Cursor, DataMessage, GapMessage, Message, ReplayMessage, ReplaySpeed, Time } from "./protocol.js";
import { FIRST_REPLAY_STATE, type ReplayAck, type ReplayOptions, type ReplayState, type Stage, stateAfter } from "./replay-state.js";
import { promised } from "./requests.js";
import { Streams } from "./streams.js";

/** A recording that is played; made by `session.openReplay`. */
export class Replay {
  /** The answer with which it began. */
  opened!: ReplayAck;
  readonly #state = new Value<ReplayState>(FIRST_REPLAY_STATE);
  readonly #events = new Emitter<SourceEvents>();
  readonly #stage: Stage;
  #options: ReplayOptions;
  #streams: Streams;
  #name: string | undefined;
  /** Messages that came before whoever opened it could listen. */
  #held: Message[] | undefined;
  /** Where it goes on over another connection. */
  #since: { cursor: Cursor } | { from: Time } | undefined;
  #steps = 0;
  #isRest = false;
  /** How it stood where it begins has come: what follows, states too, is of the recording. */
  #isBegun = false;
  /** The streams of the session, once it is live. */
  #became: Streams | undefined;
  #again: Promise<void> = Promise.resolve();
  #closing: Promise<Ack | undefined> | undefined;

  constructor(stage: Stage, options: ReplayOptions) {
    this.#stage = stage;
    this.#options = { ...options };
    this.#streams = new Streams(stage.now);
  }

  get name(): string | undefined {
    return this.#name;
  }

  get options(): Readonly<ReplayOptions> {
    return this.#options;
  }

  get state(): Observable<ReplayState> {
    return this.#state;
  }

  get account(): Readonly<Account> {
    return { ...this.#streams.account };
  }

  get accounts(): StreamAccount[] {
    return this.#streams.accounts();
  }

  get streams(): Streams {
    return this.#streams;
  }

  /** As of the newest record that came. */
  book(symbol: string): Book | undefined {
    return (this.#became ?? this.#streams).book(symbol);
  }

  on<N extends keyof SourceEvents>(name: N, listener: (event: SourceEvents[N]) => void): Off {
    return this.#events.on(name, listener);
  }

  /** It waits. Nothing of it comes after the answer. */
  async pause(): Promise<void> {
    await this.#ask("replay_pause", {}, () => this.#paused(true, 0));
  }

  /** It goes on. */
  async resume(): Promise<void> {
    await this.#ask("replay_resume", {}, () => this.#paused(false, 0));
  }

  /** So many records more, and it waits. */
  async step(records = 1): Promise<void> {
    await this.#ask("replay_step", { records }, () => this.#paused(true, this.#steps + records));
  }

  /** It goes on from there; what comes after the answer is of there. */
  async seek(place: { to: Time } | { cursor: Cursor }): Promise<void> {
    await this.#ask("replay_seek", place, () => {
      this.#since = "to" in place ? { from: place.to } : place;
      this.#elsewhere();
      this.#state.set({ phase: "seeking", records: 0, digest: null });
    });
  }

  async setSpeed(speed: ReplaySpeed): Promise<void> {
    await this.#ask("replay_speed", { speed }, () => {
      this.#options.speed = speed;
      this.#state.set({ speed });
    });
  }

  /** It is over. The answer has the `ledger` of its streams since the last seek; once more does no harm. */
  close(): Promise<Ack | undefined> {
    return (this.#closing ??= this.#close().finally(() => (this.#closing = undefined)));
  }

  async #close(): Promise<Ack | undefined> {
    const { phase } = this.#state.value;
    if (phase === "live") throw new TickwireError("it is live by now: unsubscribe from what it has become");
    if (phase === "closed" || phase === "failed" || this.#name === undefined) {
      this.#end("closed", "closed by this client");
      return undefined;
    }
    try {
      return await this.#ask("replay_close", {}, () => this.#end("closed", "closed by this client"));
    } catch (error) {
      if (!(error instanceof RequestError) || error.code !== "connection_lost") throw error;
      this.#end("closed", "closed by this client");
      return undefined;
    }
  }

  /** Opens it, on a connection; how it stands is kept where it goes on. */
  open(connection: Connection | undefined): Promise<ReplayAck> {
    const { requests } = this.#stage;
    const opening = promised<ReplayAck>((answer) => {
      requests.send(connection, "replay_open", this.#opening(), {
        answered: (message) => {
          this.#opens(message as ReplayAck);
          answer.answered(message);
        },
        failed: answer.failed,
      });
    });
    (this.#again = opening.then(() => {})).catch(() => {});
    return opening;
  }

  /** Its connection is gone. */
  lose(): void {
    const { phase } = this.#state.value;
    if (phase === "closed" || phase === "failed" || phase === "live") return;
    this.#name = undefined;
    if (phase === "finished") return;
    if (this.#options.join !== undefined) {
      this.#end("failed", "the connection was lost, and what was played meanwhile with it: join again");
      return;
    }
    this.#isRest ||= this.#streams.account.delivered > 0;
    this.#isBegun = false;
    this.#state.set({ phase: "opening" });
  }

  /** Goes on over another connection, where it has to. */
  return(connection: Connection): void {
    if (this.#state.value.phase !== "opening" || this.opened === undefined) return;
    // How it stood there is known, and is told again as a snapshot.
    this.#streams.once = true;
    const steps = this.#steps;
    this.open(connection).then(
      () => {
        if (steps > 0) this.#ask("replay_step", { records: steps }, () => {}).catch(() => {});
      },
      (error: Error) => {
        if (!(error instanceof RequestError && error.code === "connection_lost")) this.#end("failed", error.message);
      },
    );
  }

  take(message: Message): void {
    if (this.#held !== undefined) this.#held.push(message);
    else if (message.type === "gap") this.#tell(this.#streams.gap(message as GapMessage));
    else this.#data(message as DataMessage);
  }

  /** From here on it is what the session has. */
  become(streams: Streams): void {
    this.#became = streams;
  }

  /** Records and gaps of what it has become. */
  live(event: Data | Gap): void {
    if (this.#became === undefined || !this.opened.channels.includes(event.channel)) return;
    const { symbols } = this.opened;
    if ("records" in event) {
      const records = event.records.filter((record) => symbols.includes(record.symbol));
      if (records.length > 0) this.#events.emit("data", { ...event, records } as Data);
    } else if (symbols.includes(event.symbol)) this.#events.emit("gap", event);
  }

  forgotten(stream: StreamName): void {
    if (this.#became !== undefined) this.#events.emit("forgotten", stream);
  }

  told(message: ReplayMessage): void {
    if (this.#held !== undefined) return void this.#held.push(message);
    const { state: phase, cursor } = message;
    // Who has its clock has sought: what came before counts no more.
    if (this.#options.join !== undefined && phase === "seeking") this.#elsewhere();
    if (phase !== "seeking") this.#since = { cursor };
    if (phase === "finished") this.#steps = 0;
    if (phase === "paused" || phase === "playing") this.#isBegun = true;
    this.#state.set(stateAfter(this.#state.value, message, this.#isRest));
  }

  /** Over for good. */
  #end(phase: "closed" | "failed", reason: string): void {
    this.#name = undefined;
    if (this.#state.value.phase !== "failed") this.#state.set({ phase, reason });
  }

  end(reason: string): void {
    if (this.#state.value.phase !== "closed") this.#end("closed", reason);
  }

  #data(message: DataMessage): void {
    const taken = message.type === "snapshot" ? this.#streams.snapshot(message) : this.#streams.update(message);
    if (this.#isBegun) {
      const events = taken.records.reduce((sum, record) => sum + 1 + (record.coalesced ?? 0), 0);
      this.#steps = Math.max(0, this.#steps - events);
    }
    this.#since = { cursor: message.cursor };
    this.#tell(taken);
    if (taken.records.length > 0 || message.type === "snapshot") this.#events.emit("data", dataOf(message, taken.records));
    this.#streams.broken.clear();
  }

  #tell(taken: Taken): void {
    for (const violation of taken.violations) if (!this.#events.emit("violation", violation)) this.#stage.violation(violation);
    for (const gap of taken.gaps) this.#events.emit("gap", gap);
  }

  #opening(): object {
    const { from, cursor, ...options } = this.#options;
    if (this.opened === undefined) return this.#options;
    // The one that is being made may be another one by now.
    return { ...options, recording: this.opened.recording, ...(this.#since ?? (cursor ? { cursor } : { from })) };
  }

  #opens(ack: ReplayAck): void {
    const isFirst = this.opened === undefined;
    this.opened = ack;
    this.#name = ack.replay;
    if (!isFirst) return;
    if (this.#options.join === undefined && this.#options.cursor === undefined) this.#since = { from: ack.from };
    this.#held = [];
  }

  /** Whoever opened it listens by now. */
  release(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const message of held) {
      if (message.type === "replay") this.told(message as ReplayMessage);
      else this.take(message);
    }
  }

  #paused(paused: boolean, steps: number): void {
    [this.#options.paused, this.#steps] = [paused, steps];
  }

  /** It is elsewhere: nothing of before counts. */
  #elsewhere(): void {
    this.#streams = new Streams(this.#stage.now);
    this.#isRest = this.#isBegun = false;
    this.#steps = 0;
    this.#events.emit("elsewhere", undefined);
  }

  async #ask(op: string, fields: object, answered: () => void): Promise<Ack> {
    const { phase, reason } = this.#state.value;
    if (phase === "closed" || phase === "failed" || phase === "live") throw new ClosedError(`the replay is ${phase}: ${reason}`);
    await this.#again;
    if (this.#name === undefined) await this.#openHere(op, fields);
    return promised<Ack>((answer) => {
      this.#stage.requests.send(this.#stage.current(), op, { replay: this.#name, ...fields }, {
        answered: (message) => {
          answered();
          answer.answered(message);
        },
        failed: answer.failed,
      });
    });
  }

  /** A finished replay ended with its connection: it is opened again, where it stood, for what is asked of it. */
  async #openHere(op: string, fields: object): Promise<void> {
    if (this.#stage.current() === undefined) throw new RequestError(op, { code: "connection_lost", message: "There is no connection.", retryable: true });
    this.#streams.once = true;
    if ("to" in fields) this.#since = { from: (fields as { to: Time }).to };
    await this.open(this.#stage.current());
  }
}
