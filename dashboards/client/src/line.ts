// A connection that comes back: back-off, verdicts, and a second connection before a draining server's first one ends.

import { Backoff } from "./backoff.js";
import type { Timing } from "./clock-sync.js";
import { Connection, type ConnectionOptions } from "./connection.js";
import { Value } from "./emitter.js";
import type { Message } from "./protocol.js";
import { type ConnectionState, FIRST_STATE } from "./state.js";
import type { Verdict } from "./verdicts.js";

/** How long the old connection is kept while the new one brings what was asked for again. */
const HANDOVER_MS = 10_000;
/** How long a connection lasts before it proves anything: a server may let in, serve, and end it for what was asked. */
const PROVEN_MS = 5000;

export interface LineListener {
  /** A connection serves from here on: all is asked for again on it. What another one still says counts for nothing. */
  attached(connection: Connection): void;
  message(connection: Connection, message: Message): void;
  /** A connection is gone, and what was asked on it. */
  detached(connection: Connection): void;
  /** It is over for good. */
  closed(reason: string): void;
}

export interface LineOptions extends ConnectionOptions {
  random: () => number;
  isOffline: () => boolean;
}

export class Line {
  readonly state = new Value<ConnectionState>(FIRST_STATE);
  /** The one that serves. */
  #current: Connection | undefined;
  /** The one that is being made. */
  #next: Connection | undefined;
  /** The one before, until the one that serves has brought what it is to bring. */
  #leaving: Connection | undefined;
  #retry: unknown;
  #handover: unknown;
  #proof: unknown;
  #isProven = false;
  #hasHeard = false;
  #connections = 0;
  #unauthorised = 0;
  readonly #backoff: Backoff;

  constructor(
    readonly options: LineOptions,
    readonly listener: LineListener,
  ) {
    this.#backoff = new Backoff(options.random);
  }

  get current(): Connection | undefined {
    return this.#current;
  }

  open(): void {
    this.#attempt();
  }

  /** Data has come: the next loss begins with the shortest wait, where the connection has lasted. */
  heardData(): void {
    this.#unauthorised = 0;
    this.#hasHeard = true;
    if (!this.#isProven || this.#backoff.attempt === 0) return;
    this.#backoff.reset();
    this.state.set({ attempt: 0 });
  }

  /** Tries at once instead of waiting; looks at the line where there is one. */
  wake(): void {
    if (this.#retry !== undefined) this.#attempt();
    else this.#current?.probe();
  }

  /** The server goes: a second connection is made at its moment, and the first one serves until then. */
  drain(afterMs: number, reason: string): void {
    if (this.#next !== undefined || this.state.value.draining) return;
    this.state.set({ draining: true, reason });
    this.#wait(afterMs);
  }

  /** What was asked for again is there: the connection before is not needed any more. */
  settle(): void {
    this.options.clock.clear(this.#handover);
    const leaving = this.#leaving;
    this.#leaving = undefined;
    if (leaving === undefined) return;
    leaving.close("moved");
    this.listener.detached(leaving);
  }

  close(reason: string): void {
    if (this.state.value.phase === "closed") return;
    for (const timer of [this.#retry, this.#proof]) this.options.clock.clear(timer);
    this.#retry = undefined;
    this.settle();
    for (const connection of [this.#current, this.#next]) connection?.close();
    const was = this.#current;
    this.#current = this.#next = undefined;
    this.state.set({ phase: "closed", retryAt: null, reason });
    if (was !== undefined) this.listener.detached(was);
    this.listener.closed(reason);
  }

  #attempt(): void {
    this.options.clock.clear(this.#retry);
    this.#retry = undefined;
    if (this.#current === undefined) {
      this.state.set({ phase: this.#connections === 0 ? "connecting" : "reconnecting", retryAt: null });
    }
    this.#next = new Connection(this.options, {
      ready: (connection) => this.#ready(connection),
      message: (connection, message) => this.listener.message(connection, message),
      stale: (connection, isStale) => this.#stale(connection, isStale),
      timing: (connection, timing) => this.#timing(connection, timing),
      ended: (connection, told) => this.#ended(connection, told),
    });
    this.#next.open();
  }

  #ready(connection: Connection): void {
    this.settle();
    this.#leaving = this.#current;
    this.#current = connection;
    this.#next = undefined;
    if (this.#connections > 0) this.state.set({ reconnects: this.state.value.reconnects + 1 });
    this.#connections += 1;
    const { session, epoch, server, heartbeat_ms: heartbeatMs } = connection.welcome!;
    const about = { session, epoch, server, heartbeatMs, ...tokenState(connection.authenticated) };
    this.state.set({ phase: "live", retryAt: null, reason: "", draining: false, behind: false, ...about });
    this.#prove();
    if (this.#leaving !== undefined) this.#handover = this.options.clock.after(HANDOVER_MS, () => this.settle());
    this.listener.attached(connection);
  }

  /** Whoever serves has to last. */
  #prove(): void {
    this.options.clock.clear(this.#proof);
    this.#isProven = this.#hasHeard = false;
    this.#proof = this.options.clock.after(PROVEN_MS, () => {
      this.#isProven = true;
      if (this.#hasHeard) this.heardData();
    });
  }

  #stale(connection: Connection, isStale: boolean): void {
    if (connection !== this.#current) return;
    this.state.set(isStale ? { phase: "stale", reason: "the server is silent" } : { phase: "live", reason: "" });
  }

  #timing(connection: Connection, timing: Timing): void {
    if (connection === this.#current) this.state.set({ ...timing });
  }

  #ended(connection: Connection, told: Verdict): void {
    if (connection === this.#leaving) {
      this.#leaving = undefined;
      this.listener.detached(connection);
      return;
    }
    const served = connection === this.#current;
    if (served) {
      this.#current = undefined;
      this.options.clock.clear(this.#proof);
    } else this.#next = undefined;
    if (served) this.listener.detached(connection);
    if (!this.#comesBack(told)) {
      this.close(told.reason);
      return;
    }
    if (served) this.state.set({ draining: false });
    // Another connection is on its way, or waits for its moment: that one goes on.
    if (this.#next !== undefined) this.state.set({ phase: "reconnecting", reason: told.reason });
    else if (this.#retry === undefined || served) this.#wait(this.#backoff.next(), told.reason);
  }

  /** A token that was refused is asked for anew, once: the function may have a fresh one. */
  #comesBack(told: Verdict): boolean {
    const isFetched = typeof this.options.token === "function";
    if (told.retry === "late") return isFetched;
    if (told.retry !== "token") return told.retry === "again";
    this.#unauthorised += 1;
    return isFetched && this.#unauthorised < 2;
  }

  #wait(ms: number, reason = this.state.value.reason): void {
    this.options.clock.clear(this.#retry);
    this.#retry = this.options.clock.after(ms, () => this.#attempt());
    const retryAt = this.options.clock.now() + ms;
    if (this.#current !== undefined) {
      this.state.set({ retryAt, reason });
      return;
    }
    const waiting = this.#connections === 0 ? "connecting" : "reconnecting";
    // A machine may be wrong about its network: it is tried all the same.
    const phase = this.options.isOffline() ? "offline" : waiting;
    this.state.set({ phase, retryAt, reason, attempt: this.#backoff.attempt });
  }
}

/** What the answer to a token says. */
export function tokenState(ack: Message | undefined): Pick<ConnectionState, "subject" | "tokenExpiresAt"> {
  return {
    subject: (ack?.subject as string | undefined) ?? null,
    tokenExpiresAt: (ack?.expires_at as string | undefined) ?? null,
  };
}
