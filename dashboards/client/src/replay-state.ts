// What a replay is asked for, and how it stands.

import type { Connection } from "./connection.js";
import type { Violation } from "./errors.js";
import type { Ack, Channel, Cursor, Rejected, ReplayMessage, ReplayPhase, ReplaySpeed, StreamOptions, Time } from "./protocol.js";
import type { Requests } from "./requests.js";

/** As many as the server names. */
const DAMAGES_MAX = 20;

export interface ReplayOptions extends StreamOptions {
  /** Its name; the one that is being made unless given. */
  recording?: string;
  /** Begin with what was received at this time, or so long ago: `-5m`. */
  from?: Time;
  /** Instead of `from`: go on behind a message of a replay of this recording. */
  cursor?: Cursor;
  /** End before what was received at this time. */
  to?: Time;
  channels: Channel[];
  symbols: string[];
  /** How many times as fast as it was, 0.001 to 1000, or `max`. */
  speed?: ReplaySpeed;
  /** Wait before the first record. */
  paused?: boolean;
  /** At the end go on with what happens now. */
  live?: boolean;
  /** Let others play by the same clock. */
  share?: boolean;
  /** Play by the clock of another one. */
  join?: string;
  client_bytes_per_second?: number;
}

/** The answer to `replay_open`. */
export interface ReplayAck extends Ack {
  replay: string;
  recording: string;
  from: Time;
  to: Time;
  records?: number;
  channels: Channel[];
  symbols: string[];
  rejected: Rejected[];
  share?: string;
}

/** How a replay stands. */
export interface ReplayState {
  /** `opening`: before the server has it, also on another connection. */
  readonly phase: "opening" | ReplayPhase | "closed";
  /** The time in the recording. */
  readonly position: Time | null;
  /** Where to go on behind what has come. */
  readonly cursor: Cursor | null;
  readonly speed: ReplaySpeed | null;
  /** 0 to 1. */
  readonly progress: number;
  /** Records that the server has sent since the beginning or the last seek, or since this connection has it. */
  readonly records: number;
  /** SHA-256 of these, as far as the server has said; `null` where a part came over a connection before. */
  readonly digest: string | null;
  /** By how many milliseconds a record was late at most, since the beginning. */
  readonly late_ms: number;
  /** Parts of the recording that cannot be read. */
  readonly damages: readonly unknown[];
  /** Why it failed or was closed. */
  readonly reason: string;
}

export const FIRST_REPLAY_STATE: ReplayState = {
  phase: "opening",
  position: null,
  cursor: null,
  speed: null,
  progress: 0,
  records: 0,
  digest: null,
  late_ms: 0,
  damages: [],
  reason: "",
};

/** How it stands after a message; `isRest`: the digest is of a part only. */
export function stateAfter(before: ReplayState, message: ReplayMessage, isRest: boolean): ReplayState {
  const { state: phase, position, cursor, speed, progress, records, digest, damages = [] } = message;
  return {
    phase,
    position: position ?? before.position,
    cursor,
    speed,
    progress,
    records,
    digest: isRest ? null : (digest?.sha256 ?? before.digest),
    late_ms: Math.max(before.late_ms, message.late_ms ?? 0),
    damages: [...before.damages, ...damages].slice(0, DAMAGES_MAX),
    reason: phase === "failed" ? (message.message ?? "the server cannot go on with it") : "",
  };
}

/** What a replay needs of its session. */
export interface Stage {
  requests: Requests;
  current(): Connection | undefined;
  now(): number;
  violation(violation: Violation): void;
}
