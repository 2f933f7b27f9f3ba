// Whether a line is alive: the server lets at most `heartbeat_ms` and a tenth pass without a message.

import type { Clock } from "./clock.js";

/** Silence, in heartbeats, after which values are no longer to be shown as live. */
const STALE_HEARTBEATS = 1.5;
/** Silence, in heartbeats, after which the line is given up. */
const DEAD_HEARTBEATS = 2;
/** What has come while the machine slept is looked at before it counts as silence. It lies in the kernel already. */
const GRACE_MS = 250;
/** An answer that was asked for comes within this, or the line is given up. */
const ANSWER_MS = 2500;
const TICK_MAX_MS = 1000;

export interface LivenessListener {
  stale(isStale: boolean): void;
  dead(reason: string): void;
}

export class Liveness {
  #heard: number;
  #due = 0;
  #timer: unknown;
  #answer: unknown;
  /** Something has come since it was asked. */
  #isAnswered = false;
  #isStale = false;
  #stopped = false;

  constructor(
    readonly clock: Clock,
    readonly heartbeatMs: number,
    readonly listener: LivenessListener,
  ) {
    this.#heard = clock.now();
    this.#schedule(this.#tickMs());
  }

  /** Something came. */
  hear(): void {
    this.#heard = this.clock.now();
    this.#isAnswered = true;
    this.#setStale(false);
  }

  /** Looks at once: the page is seen again, or the network is back. */
  probe(): void {
    if (this.#stopped) return;
    this.clock.clear(this.#timer);
    this.#tick();
  }

  /** The other side was asked something just now. */
  expect(): void {
    this.#isAnswered = false;
    this.clock.clear(this.#answer);
    this.#answer = this.clock.after(ANSWER_MS, () => {
      if (!this.#isAnswered) this.#die(`nobody answered for ${ANSWER_MS} ms`);
    });
  }

  stop(): void {
    this.#stopped = true;
    this.clock.clear(this.#timer);
    this.clock.clear(this.#answer);
  }

  #tickMs(): number {
    return Math.min(TICK_MAX_MS, this.heartbeatMs / 4);
  }

  #schedule(ms: number): void {
    this.#due = this.clock.now() + ms;
    this.#timer = this.clock.after(ms, () => this.#tick());
  }

  #tick(): void {
    const now = this.clock.now();
    // A clock that was set back would make a dead line look alive for as long.
    if (now < this.#heard) this.#heard = now;
    const silence = now - this.#heard;
    this.#setStale(silence > STALE_HEARTBEATS * this.heartbeatMs);
    if (silence <= DEAD_HEARTBEATS * this.heartbeatMs) {
      this.#schedule(this.#tickMs());
      return;
    }
    const heard = this.#heard;
    const slept = now - this.#due > this.heartbeatMs;
    if (!slept && now >= this.#due) {
      this.#die(`nothing came for ${Math.round(silence)} ms`);
      return;
    }
    this.#timer = this.clock.after(GRACE_MS, () => {
      if (this.#heard === heard) this.#die(`nothing came for ${Math.round(silence)} ms, over which this machine slept`);
      else this.#schedule(this.#tickMs());
    });
  }

  #die(reason: string): void {
    this.stop();
    this.listener.dead(reason);
  }

  #setStale(isStale: boolean): void {
    if (isStale === this.#isStale) return;
    this.#isStale = isStale;
    this.listener.stale(isStale);
  }
}
