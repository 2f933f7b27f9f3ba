// The replays of a session: which message is whose, and what becomes of them with the connection.

import type { Gap, StreamName } from "./accounts.js";
import type { Clock } from "./clock.js";
import type { Connection } from "./connection.js";
import type { Data, SourceEvents } from "./events.js";
import type { DataMessage, GapMessage, ReplayMessage } from "./protocol.js";
import { Replay } from "./replay.js";
import type { ReplayOptions } from "./replay-state.js";
import type { Requests } from "./requests.js";
import type { Streams } from "./streams.js";
import type { SubscribeRequest } from "./subscription.js";

/** Options of a replay that a subscription does not have. */
const OF_REPLAYS = [
  "recording", "from", "cursor", "to", "speed", "paused", "live", "share", "join", "client_bytes_per_second",
] satisfies (keyof ReplayOptions)[];

/** Takes over what a replay has become: its request, its symbols, and how far its streams are; gives those that go on. */
export type Turn = (request: SubscribeRequest, symbols: readonly string[], streams: Streams) => Streams;

export class Replays {
  #all: Replay[] = [];

  constructor(
    readonly clock: Clock,
    readonly requests: Requests,
    readonly current: () => Connection | undefined,
    readonly violation: (violation: SourceEvents["violation"]) => void,
  ) {}

  async open(options: ReplayOptions): Promise<Replay> {
    const { requests, current, violation } = this;
    const stage = { requests, current, violation, now: () => this.clock.now() };
    const replay = new Replay(stage, options);
    this.#prune();
    this.#all.push(replay);
    try {
      await replay.open(this.current());
    } catch (error) {
      this.#all = this.#all.filter((other) => other !== replay);
      throw error;
    }
    // Messages may stand in the same packet as the answer: whoever waits for it comes first.
    this.clock.after(0, () => replay.release());
    return replay;
  }

  attach(connection: Connection): void {
    for (const replay of this.#all) {
      replay.lose();
      replay.return(connection);
    }
    this.#prune();
  }

  detach(): void {
    for (const replay of this.#all) replay.lose();
  }

  close(reason: string): void {
    for (const replay of this.#all) replay.end(reason);
    this.#all = [];
  }

  /** Whether it is one of these replays'. */
  take(message: DataMessage | GapMessage): boolean {
    const replay = this.#all.find(({ name }) => name === message.replay);
    replay?.take(message);
    return replay !== undefined;
  }

  /** Records and gaps of the session, for what replays have become. */
  live(event: Data | Gap): void {
    for (const replay of this.#all) replay.live(event);
  }

  forgotten(stream: StreamName): void {
    for (const replay of this.#all) replay.forgotten(stream);
  }

  told(message: ReplayMessage, turn: Turn): void {
    const replay = this.#all.find(({ name }) => name === message.replay);
    if (replay === undefined) return;
    if (message.state === "live") {
      // What follows is the session's: nothing may be held back.
      replay.release();
      const of = new Set<string>(OF_REPLAYS);
      const request = Object.fromEntries(Object.entries(replay.options).filter(([field]) => !of.has(field)));
      replay.become(turn(request as unknown as SubscribeRequest, replay.opened.symbols, replay.streams));
    }
    replay.told(message);
  }

  /** What is over is not kept. */
  #prune(): void {
    this.#all = this.#all.filter(({ state }) => !["closed", "failed"].includes(state.value.phase));
  }
}
