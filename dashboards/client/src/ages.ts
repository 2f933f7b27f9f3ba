// How old data is when it comes: of the last message, and on average over a second, a minute and five.

const SECONDS = 300;

/** Milliseconds; `null` where nothing came. */
export interface DataAge {
  lastMs: number | null;
  averageMs: { second: number | null; minute: number | null; fiveMinutes: number | null };
}

export class Ages {
  readonly #sums = new Float64Array(SECONDS);
  readonly #counts = new Float64Array(SECONDS);
  #second = 0;
  #last: number | null = null;

  /** Takes the age of a message, at a time in milliseconds. */
  add(ageMs: number, now: number): void {
    this.#turn(now);
    const slot = this.#second % SECONDS;
    this.#sums[slot]! += ageMs;
    this.#counts[slot]! += 1;
    this.#last = ageMs;
  }

  read(now: number): DataAge {
    this.#turn(now);
    const averageMs = { second: this.#over(2), minute: this.#over(60), fiveMinutes: this.#over(SECONDS) };
    return { lastMs: this.#last, averageMs };
  }

  /** Empties the seconds in which nothing came. */
  #turn(now: number): void {
    const second = Math.floor(now / 1000);
    for (let at = Math.max(this.#second + 1, second - SECONDS + 1); at <= second; at++) {
      this.#sums[at % SECONDS] = 0;
      this.#counts[at % SECONDS] = 0;
    }
    this.#second = Math.max(this.#second, second);
  }

  #over(seconds: number): number | null {
    let [sum, count] = [0, 0];
    for (let at = 0; at < seconds && at <= this.#second; at++) {
      const slot = (this.#second - at) % SECONDS;
      sum += this.#sums[slot]!;
      count += this.#counts[slot]!;
    }
    return count === 0 ? null : sum / count;
  }
}
