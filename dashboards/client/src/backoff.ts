// How long to wait before the next attempt: full jitter, so that many clients that lost a server do not come as one.

export const BACKOFF_FIRST_MS = 500;
export const BACKOFF_MAX_MS = 30_000;

export class Backoff {
  #attempt = 0;

  constructor(readonly random: () => number) {}

  /** Attempts since a connection lasted. */
  get attempt(): number {
    return this.#attempt;
  }

  /** Milliseconds until the next attempt: anything up to a bound that doubles. */
  next(): number {
    const bound = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** Math.min(this.#attempt, 16));
    this.#attempt += 1;
    return this.random() * bound;
  }

  /** Data has come. A connection alone proves nothing: a server may accept and fail in turns. */
  reset(): void {
    this.#attempt = 0;
  }
}
