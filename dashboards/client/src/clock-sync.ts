// Round trip and clock offset, out of pings: medians, so that one slow answer moves neither.

import type { Clock } from "./clock.js";
import { fromMilliseconds, toMilliseconds } from "./times.js";

const SAMPLES = 9;
/** The first ones come quickly, so that ages mean something soon. */
const FIRST_MS = 250;
const FIRST_COUNT = 5;

export interface Timing {
  /** Milliseconds from a ping to its pong, without the server's own time. */
  roundTripMs: number;
  /** Milliseconds that the server's clock is ahead of this one's. */
  clockOffsetMs: number;
}

export class ClockSync {
  readonly #samples: Timing[] = [];
  readonly #sent = new Map<string, number>();
  #count = 0;
  #timer: unknown;

  constructor(
    readonly clock: Clock,
    readonly everyMs: number,
    readonly send: (request: object) => void,
    readonly tell: (timing: Timing) => void,
  ) {
    this.#ping();
  }

  /** Takes an answer; whether it was one of these pings'. One that is refused says nothing: the next one may do. */
  take(message: { type: string; id?: unknown; ts_recv?: unknown; ts_sent?: unknown }): boolean {
    const sent = this.#sent.get(message.id as string);
    if (sent === undefined) return false;
    this.#sent.delete(message.id as string);
    if (message.type === "error") return true;
    const now = this.clock.now();
    const received = toMilliseconds(message.ts_recv as string);
    const answered = toMilliseconds(message.ts_sent as string);
    const roundTripMs = Math.max(0, now - sent - (answered - received));
    this.#samples.push({ roundTripMs, clockOffsetMs: (received - sent + answered - now) / 2 });
    if (this.#samples.length > SAMPLES) this.#samples.shift();
    this.tell({
      roundTripMs: median(this.#samples.map((sample) => sample.roundTripMs)),
      clockOffsetMs: median(this.#samples.map((sample) => sample.clockOffsetMs)),
    });
    return true;
  }

  /** Pings at once. */
  ask(): void {
    this.clock.clear(this.#timer);
    this.#ping();
  }

  stop(): void {
    this.clock.clear(this.#timer);
  }

  #ping(): void {
    const id = `ping-${++this.#count}`;
    const now = this.clock.now();
    // Who does not answer is seen by its silence; here only the newest count.
    if (this.#sent.size >= SAMPLES) this.#sent.clear();
    this.#sent.set(id, now);
    this.send({ op: "ping", id, ts: fromMilliseconds(now) });
    this.#timer = this.clock.after(this.#count < FIRST_COUNT ? FIRST_MS : this.everyMs, () => this.#ping());
  }
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
