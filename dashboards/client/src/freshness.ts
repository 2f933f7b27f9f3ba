// Whether what is shown of a stream may be shown as live.

import type { AnyRecord, Status, StatusState, Time } from "./protocol.js";
import type { ConnectionState } from "./state.js";

/**
 * `live`: it may be shown as live. `waiting`: nothing has come yet. `disconnected`: there is no connection, or it is
 * silent. `void`: a book whose updates were lost waits for its state. All else is what the feed's `status` says.
 */
export type FreshnessState = "live" | "waiting" | "disconnected" | "void" | Exclude<StatusState, "open">;

export interface Freshness {
  state: FreshnessState;
  /** In words; empty where it is live. */
  reason: string;
  /** Since when, where the feed says so. */
  since: Time | null;
  /** Milliseconds since something of this stream came; `null` where nothing has. A quiet market may be live. */
  ageMs: number | null;
  /** Whether the feed's status is known: without it, a silent feed looks like a quiet market. */
  statusKnown: boolean;
}

/** The newest status of each symbol. */
export class Standings {
  readonly #states = new Map<string, Status>();

  get(symbol: string): Status | undefined {
    return this.#states.get(symbol);
  }

  forget(symbol: string): void {
    this.#states.delete(symbol);
  }

  take(records: readonly AnyRecord[]): void {
    for (const record of records) this.#states.set(record.symbol, record as Status);
  }
}

/** What stands nearest to the eye counts first: the line, then the stream, then the feed. */
export function freshnessOf(
  connection: Pick<ConnectionState, "phase" | "reason">,
  stream: { void: boolean; heard: number } | undefined,
  status: Status | undefined,
  now: number,
): Freshness {
  const ageMs = stream === undefined || stream.heard === 0 ? null : now - stream.heard;
  const about = { ageMs, since: null, statusKnown: status !== undefined };
  if (connection.phase !== "live") {
    return { ...about, state: "disconnected", reason: connection.reason || connection.phase };
  }
  if (stream === undefined) return { ...about, state: "waiting", reason: "nothing has come yet" };
  if (stream.void) return { ...about, state: "void", reason: "updates of the book are missing; its state is awaited" };
  if (status === undefined || status.state === "open") return { ...about, state: "live", reason: "" };
  return { ...about, state: status.state, reason: status.reason ?? "", since: status.since ?? null };
}
