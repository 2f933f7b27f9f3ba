// A recording that the page follows instead of the market: the focused symbol leads, the watchlist goes by its clock.

import { type Signal, signal } from "@preact/signals";
import {
  type Cursor, type Flush, fromMilliseconds, type Interval, type ReplaySpeed, type ReplayState, type Time, toMilliseconds, type WorkerReplay, type WorkerSession,
} from "@tickwire/client";

import { BARS } from "../model/bars.js";
import { Market } from "../model/market.js";

export const SPEEDS: readonly ReplaySpeed[] = [0.5, 1, 2, 5, 10, 50, "max"];

/** What the page looks at, in a recording as live. */
export interface View {
  symbol: string;
  interval: Interval;
  watched: readonly string[];
}

/** How the replay stands; times in milliseconds since 1970. */
export interface Playing {
  recording: string;
  from: number;
  to: number;
  position: number;
  /** The same, exactly, as the server said it. */
  at: Time;
  cursor: Cursor | null;
  phase: ReplayState["phase"];
  speed: ReplaySpeed;
  lateMs: number;
  reason: string;
  /** When that was heard, by the page's own clock. */
  heard: number;
}

interface Wish {
  recording?: string;
  from?: Time;
  cursor?: Cursor;
  speed: ReplaySpeed;
  paused: boolean;
}

export class Replaying {
  readonly market = new Market();
  readonly playing: Signal<Playing | null> = signal(null);
  #leader: WorkerReplay | undefined;
  #follower: WorkerReplay | undefined;
  /** One thing at a time: what is asked meanwhile waits. */
  #queue: Promise<unknown> = Promise.resolve();
  /** What was asked for and not refused: how it stands may lag behind, or be between two connections. */
  #isPaused = false;
  /** Counts what was opened: words of one that is gone count nothing. */
  #life = 0;

  constructor(
    readonly session: () => WorkerSession | undefined,
    readonly view: () => View,
    readonly failed: (error: Error) => void,
    readonly changed: () => void,
  ) {}

  get isOn(): boolean {
    return this.playing.peek() !== null;
  }

  /** Opens a recording at a place; the newest one unless named. */
  open(wish: Partial<Wish>): Promise<void> {
    return this.#inTurn(() => this.#open({ speed: 1, paused: false, ...wish }));
  }

  /** The same place with another view: another symbol, another interval, another list. */
  reopen(): Promise<void> {
    return this.#inTurn(async () => {
      const before = this.playing.value;
      if (before === null) return;
      const { recording, speed, cursor, at } = before;
      const place = cursor === null ? { from: at } : { cursor };
      await this.#open({ recording, speed, paused: this.#isPaused, ...place });
    });
  }

  toggle(): Promise<void> {
    return this.#inTurn(async () => {
      const { playing } = this;
      if (this.#leader === undefined || playing.value === null) return;
      const { phase, from } = playing.value;
      if (phase === "playing") {
        await this.#leader.pause();
        this.#isPaused = true;
        return;
      }
      if (phase === "finished") await this.#seek(fromMilliseconds(from));
      await this.#leader.resume();
      this.#isPaused = false;
    });
  }

  step(records = 1): Promise<void> {
    return this.#inTurn(async () => {
      await this.#leader?.step(records);
      this.#isPaused = true;
    });
  }

  seek(to: Time): Promise<void> {
    return this.#inTurn(() => this.#seek(to));
  }

  setSpeed(speed: ReplaySpeed): Promise<void> {
    return this.#inTurn(() => this.#setSpeed(speed));
  }

  /** The next faster, or slower, of the speeds. */
  shift(by: 1 | -1): Promise<void> {
    return this.#inTurn(() => {
      const at = SPEEDS.indexOf(this.playing.value?.speed ?? 1) + by;
      return this.#setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at))]!);
    });
  }

  /** Back to what happens now. */
  close(): Promise<void> {
    return this.#inTurn(async () => {
      this.playing.value = null;
      await this.#leave();
      this.market.clear();
    });
  }

  /** The time of the recording now: what the server said last, and what has passed since. */
  now(): number {
    const playing = this.playing.value;
    if (playing === null) return 0;
    const { phase, position, speed, heard, to } = playing;
    if (phase !== "playing" || speed === "max") return position;
    return Math.min(to, position + Math.min(1200, performance.now() - heard) * speed);
  }

  async #open(wish: Wish): Promise<void> {
    const session = this.session();
    if (session === undefined) return;
    const { symbol, interval, watched } = this.view();
    await this.#leave();
    const life = this.#life;
    this.market.clear();
    this.market.chart(symbol, interval);
    this.#isPaused = wish.paused;
    // It waits until the others are there.
    const leader = await session.openReplay({
      ...wish, paused: true, channels: ["trades", "book", "candles"], symbols: [symbol], interval, depth: 50, snapshot_limit: BARS.chart, share: true,
    });
    this.#leader = leader;
    leader.onFlush((flush) => {
      if (flush.isElsewhere) this.market.clearFocus(symbol, interval);
      this.#take(flush);
    });
    const { recording, from, to, share } = leader.opened;
    const [fromMs, toMs] = [toMilliseconds(from), toMilliseconds(to)];
    const before = this.playing.value;
    const span = before?.recording === recording ? { from: before.from, to: Math.max(before.to, toMs) } : { from: fromMs, to: toMs };
    const position = wish.from === undefined && before !== null ? before.position : fromMs;
    this.playing.value = {
      recording, ...span, position, at: fromMilliseconds(position), cursor: null, phase: "opening", speed: wish.speed, lateMs: 0, reason: "",
      heard: performance.now(),
    };
    leader.state.subscribe((state) => life === this.#life && this.#told(state));
    const all = [...new Set([symbol, ...watched])];
    this.#follower = await session.openReplay({
      ...(share !== undefined && { join: share }), channels: ["ticker", "status", "candles"], symbols: all, interval: "1s", conflate_ms: 100, snapshot_limit: BARS.row,
    });
    this.#follower.onFlush((flush) => {
      if (flush.isElsewhere) this.market.clearList((name) => name !== symbol || interval !== "1s");
      this.#take(flush);
    });
    this.#follower.state.subscribe(({ phase }) => {
      // Its leader, or the connection, is gone: what is left is opened anew.
      if (life === this.#life && phase === "failed") void this.reopen();
    });
    if (!wish.paused) await leader.resume();
  }

  async #seek(to: Time): Promise<void> {
    await this.#leader?.seek({ to });
    const position = toMilliseconds(to);
    this.#set({ position, at: to, heard: performance.now() });
  }

  async #setSpeed(speed: ReplaySpeed): Promise<void> {
    await this.#leader?.setSpeed(speed);
    this.#set({ speed });
  }

  async #leave(): Promise<void> {
    const left = [this.#follower, this.#leader];
    this.#life += 1;
    this.#leader = this.#follower = undefined;
    for (const replay of left) await replay?.close().catch(() => {});
  }

  #take(flush: Flush): void {
    this.market.take(flush);
    this.changed();
  }

  #told(state: ReplayState): void {
    const { phase, position, cursor, late_ms, reason } = state;
    const place = position === null ? {} : { position: toMilliseconds(position), at: position };
    this.#set({ ...place, phase, cursor, lateMs: late_ms, reason, heard: performance.now() });
    if (phase === "failed") this.failed(new Error(reason));
  }

  #set(change: Partial<Playing>): void {
    const { value } = this.playing;
    if (value !== null) this.playing.value = { ...value, ...change };
  }

  #inTurn(run: () => Promise<unknown>): Promise<void> {
    const done = this.#queue.then(run).then(
      () => {},
      (error: Error) => {
        if (this.#leader === undefined) this.playing.value = null;
        this.failed(error);
      },
    );
    this.#queue = done;
    return done;
  }
}
