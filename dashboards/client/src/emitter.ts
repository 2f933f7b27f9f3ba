// Listeners, by name; and one value that can be watched.

export type Off = () => void;

type Listener<E> = (event: E) => void;

export class Emitter<Events> {
  readonly #listeners = new Map<keyof Events, Set<Listener<never>>>();

  /** Calls `listener` at each event of that name, until what is returned is called. */
  on<N extends keyof Events>(name: N, listener: Listener<Events[N]>): Off {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    listeners.add(listener as Listener<never>);
    return () => listeners.delete(listener as Listener<never>);
  }

  /** Whether anybody listened. */
  emit<N extends keyof Events>(name: N, event: Events[N]): boolean {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined || listeners.size === 0) return false;
    for (const listener of [...listeners]) call(listener as Listener<Events[N]>, event);
    return true;
  }
}

/** A value that changes, and tells so. */
export interface Observable<T> {
  readonly value: T;
  /** Calls `listener` with the value now and after each change, until what is returned is called. */
  subscribe(listener: Listener<T>): Off;
}

export class Value<T extends object> implements Observable<T> {
  #value: T;
  readonly #listeners = new Set<Listener<T>>();

  constructor(value: T) {
    this.#value = value;
  }

  get value(): T {
    return this.#value;
  }

  subscribe(listener: Listener<T>): Off {
    this.#listeners.add(listener);
    call(listener, this.#value);
    return () => this.#listeners.delete(listener);
  }

  /** Replaces these fields; nobody is called where all are the same. */
  set(change: Partial<T>): void {
    const names = Object.keys(change) as (keyof T)[];
    if (names.every((name) => Object.is(change[name], this.#value[name]))) return;
    this.#value = { ...this.#value, ...change };
    for (const listener of [...this.#listeners]) call(listener, this.#value);
  }
}

/** A listener that throws is its own fault: the others are called, and the error is reported as uncaught. */
function call<E>(listener: Listener<E>, event: E): void {
  try {
    listener(event);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
