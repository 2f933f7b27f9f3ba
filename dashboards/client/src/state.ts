// How the connection stands: one value that can be watched.

import type { Time } from "./protocol.js";

/**
 * `connecting`: never connected yet. `live`: messages come. `stale`: the line is silent for longer than the server
 * promised; what is shown is not to be taken as live. `reconnecting`: between connections. `offline`: the machine says
 * that it has no network. `closed`: for good, see `reason`.
 */
export type Phase = "connecting" | "live" | "stale" | "reconnecting" | "offline" | "closed";

export interface ConnectionState {
  readonly phase: Phase;
  /** Attempts since a connection brought data and lasted for 5 s; 0 while all is well. */
  readonly attempt: number;
  /** When the next attempt is made, milliseconds since 1970; `null` where none waits. */
  readonly retryAt: number | null;
  /** Why it is as it is, in words; empty while all is well. */
  readonly reason: string;
  /** Milliseconds, the median of the newest pings; `null` before the first. */
  readonly roundTripMs: number | null;
  /** Milliseconds that the server's clock is ahead of this machine's; `null` before the first ping. */
  readonly clockOffsetMs: number | null;
  /** How often the connection was made anew. */
  readonly reconnects: number;
  /** The connection's name in the server's logs. */
  readonly session: string | null;
  /** The life of the server's order of events. */
  readonly epoch: string | null;
  readonly server: string | null;
  readonly heartbeatMs: number | null;
  /** The server told that it will go: another connection is made before this one ends. */
  readonly draining: boolean;
  /** This client is slower than the market, and gets merged records. */
  readonly behind: boolean;
  /** Whose token it is. */
  readonly subject: string | null;
  readonly tokenExpiresAt: Time | null;
}

export const FIRST_STATE: ConnectionState = {
  phase: "connecting",
  attempt: 0,
  retryAt: null,
  reason: "",
  roundTripMs: null,
  clockOffsetMs: null,
  reconnects: 0,
  session: null,
  epoch: null,
  server: null,
  heartbeatMs: null,
  draining: false,
  behind: false,
  subject: null,
  tokenExpiresAt: null,
};
