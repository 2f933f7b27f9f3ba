// Time as a session has it: so that tests need not wait.

export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Calls `run` once, after so many milliseconds; the answer is for `clear`. */
  after(ms: number, run: () => void): unknown;
  clear(timer: unknown): void;
}

/** The machine's own. `Date.now` goes on while a machine sleeps, as `performance.now` may not. */
export const MACHINE_CLOCK: Clock = {
  now: () => Date.now(),
  after: (ms, run) => setTimeout(run, ms),
  clear: (timer) => clearTimeout(timer as ReturnType<typeof setTimeout>),
};
