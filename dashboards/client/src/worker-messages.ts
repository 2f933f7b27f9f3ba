// What a page and its worker say to each other.

import type { Account } from "./accounts.js";
import type { DataAge } from "./ages.js";
import type { Flush } from "./latest.js";
import type { ConnectOptions } from "./options.js";
import type { ReplayAck, ReplayOptions, ReplayState } from "./replay-state.js";
import type { Rejected, StreamOptions } from "./protocol.js";
import type { ConnectionState } from "./state.js";
import type { SubscribeRequest } from "./subscription.js";

/** What of the options a worker can be given. The token is asked for where it is needed. */
export type WorkerConnectOptions = Pick<ConnectOptions, "url" | "encoding" | "heartbeatMs" | "pingMs" | "openTimeoutMs">;

export interface WorkerStoreOptions {
  /** Milliseconds from the first change to its flush, 50 unless given; the page's frames come on top. */
  flushMs?: number;
  tradesMax?: number;
  bookDepth?: number;
}

/** Which source a flush is of: 0 is what is live, all else are replays. */
export type SourceId = number;

/** Messages to the worker. `call` names what is answered. */
export type Command =
  | { do: "connect"; options: WorkerConnectOptions; store: WorkerStoreOptions; hasToken: boolean }
  | { do: "subscribe"; call: number; request: SubscribeRequest }
  | { do: "subscription"; call: number; of: number; what: "change" | "pause" | "unpause" | "unsubscribe"; options?: StreamOptions }
  | { do: "request"; call: number; op: string; fields: object }
  | { do: "pace"; call: number; fields: object }
  | { do: "openReplay"; call: number; options: ReplayOptions }
  | { do: "replay"; call: number; of: SourceId; what: ReplayMethod; argument?: unknown }
  | { do: "token"; call: number; token?: string; error?: string }
  | { do: "flushed"; of: SourceId }
  | { do: "wake" }
  | { do: "close" };

export type ReplayMethod = "pause" | "resume" | "step" | "seek" | "setSpeed" | "close";

/** Events that are told one by one; all else comes with a flush. */
export const TOLD = ["rejected", "unsubscribed", "notice", "error", "message", "violation"] as const;

/** Messages of the worker. */
export type Told =
  | { tell: "state"; state: ConnectionState }
  | { tell: "flush"; of: SourceId; flush: Flush; account: Account; dataAge: DataAge }
  | { tell: "event"; name: (typeof TOLD)[number]; event: unknown }
  | { tell: "subscription"; of: number; symbols: readonly string[]; rejected: readonly Rejected[] }
  | { tell: "replay"; of: SourceId; state: ReplayState; opened: ReplayAck }
  | { tell: "answer"; call: number; value?: unknown; error?: ToldError }
  | { tell: "token"; call: number };

/** An error as it crosses: its class is lost on the way, its code is not. */
export interface ToldError {
  name: string;
  message: string;
  op?: string;
  code?: string;
  retryable?: boolean;
  details?: Record<string, unknown>;
}

/** The side of a worker or of a channel that messages come and go by. */
export interface Port<Out, In> {
  postMessage(message: Out): void;
  onmessage: ((event: { data: In } & never) => void) | null;
  /** Where there is one, `error` and `messageerror` are heard. */
  addEventListener?(name: string, listener: (event: Event) => void): void;
}
