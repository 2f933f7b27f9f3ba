// How a session is asked for.

import { type Clock, MACHINE_CLOCK } from "./clock.js";
import { codec, type Encoding } from "./codec.js";
import type { SocketConstructor, Token } from "./connection.js";
import { TickwireError } from "./errors.js";
import type { SessionEvents } from "./events.js";
import type { LineOptions } from "./line.js";
import { isOffline, type Surroundings } from "./page.js";

export interface ConnectOptions {
  /** `wss://HOST/v1/stream`. It never has the token in it. */
  url: string;
  /** A token, or what fetches one: it is asked again when the token runs out, and the session goes on. */
  token?: Token;
  /** `msgpack` is two thirds of the bytes of `json`; records are the same. */
  encoding?: Encoding;
  /** The global one unless given: Node before 22 has none, give that of the package `ws`. */
  WebSocket?: unknown;
  /** Milliseconds; silence of twice as long ends a connection. The server's own unless given. */
  heartbeatMs?: number;
  /** Milliseconds between pings, 10 000 unless given. */
  pingMs?: number;
  /** Milliseconds that an attempt to connect may take, 15 000 unless given. */
  openTimeoutMs?: number;
  /** 0 ≤ n < 1, for the jitter of attempts. */
  random?: () => number;
  /** Milliseconds since 1970. */
  now?: () => number;
  /** Timers and time, for tests. */
  clock?: Clock;
  /** Where the events of the network and of the page come from; `globalThis` unless given. */
  surroundings?: Surroundings;
  /** As `session.on("gap", …)`, from the first message on. */
  onGap?: (gap: SessionEvents["gap"]) => void;
}

/** The same with the defaults filled in. */
export function lineOptions(options: ConnectOptions): LineOptions {
  const surroundings = options.surroundings ?? (globalThis as Surroundings);
  return {
    url: options.url,
    token: options.token,
    codec: codec(options.encoding ?? "msgpack"),
    socket: socketOf(options.WebSocket),
    clock: options.clock ?? (options.now ? { ...MACHINE_CLOCK, now: options.now } : MACHINE_CLOCK),
    openTimeoutMs: options.openTimeoutMs ?? 15_000,
    pingMs: options.pingMs ?? 10_000,
    heartbeatMs: options.heartbeatMs,
    random: options.random ?? Math.random,
    isOffline: () => isOffline(surroundings),
  };
}

function socketOf(given: unknown): SocketConstructor {
  const found = given ?? (globalThis as { WebSocket?: unknown }).WebSocket;
  if (found === undefined) throw new TickwireError("there is no WebSocket here: give that of the package ws as an option");
  return found as SocketConstructor;
}
