// How often a connection may ask: the server's count of it, kept here with a little less room, so that it need not refuse.
//
// The server takes so many requests a second on average, and two seconds' worth of them at once.

/** Of the server's 2000: what is on its way may come closer together than it was sent. */
const AT_ONCE_MS = 1500;

export class Pace {
  /** When all that was sent has been paid for, by the client's clock. */
  #paid = 0;
  #seen = 0;
  readonly #eachMs: number;

  constructor(perSecond: number | undefined) {
    this.#eachMs = perSecond === undefined ? 0 : 1000 / Math.max(1, perSecond);
  }

  /** A request was sent. */
  spend(now: number): void {
    this.#turn(now);
    this.#paid = Math.max(this.#paid, now) + this.#eachMs;
  }

  /** Milliseconds until the next one may be. */
  wait(now: number): number {
    this.#turn(now);
    return Math.max(0, this.#paid + this.#eachMs - now - AT_ONCE_MS);
  }

  /** The server refused one for the moment: it knows better. */
  refused(now: number, waitMs: number): void {
    this.#turn(now);
    this.#paid = Math.max(this.#paid, now + waitMs + AT_ONCE_MS - this.#eachMs);
  }

  /** A clock that was set back is no debt. */
  #turn(now: number): void {
    if (now < this.#seen) this.#paid -= this.#seen - now;
    this.#seen = now;
  }
}
