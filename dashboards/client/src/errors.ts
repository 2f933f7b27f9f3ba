// What can go wrong, as errors that say whose fault it is.

import type { Channel, ErrorMessage, Interval } from "./protocol.js";

/** Anything this package throws. */
export class TickwireError extends Error {
  override name = "TickwireError";
}

/** What came is not `tickwire.v1`. */
export class ProtocolError extends TickwireError {
  override name = "ProtocolError";
}

/** The session is over, or was not there in time. */
export class ClosedError extends TickwireError {
  override name = "ClosedError";
}

/** A request was refused, or nobody knows whether it was heeded (`connection_lost`). */
export class RequestError extends TickwireError {
  override name = "RequestError";
  /** As in section 6 of the protocol, or `connection_lost`. */
  readonly code: string;
  readonly op: string;
  readonly retryable: boolean;
  readonly details: Record<string, unknown>;

  constructor(op: string, said: Pick<ErrorMessage, "code" | "message" | "retryable" | "details">) {
    super(said.message);
    this.op = op;
    this.code = said.code;
    this.retryable = said.retryable;
    this.details = said.details ?? {};
  }
}

export type ViolationKind = "hole" | "count" | "checksum";

/** What came does not add up: the server, or what lies between, has broken the law of sequences. */
export class Violation extends TickwireError {
  override name = "Violation";

  constructor(
    readonly kind: ViolationKind,
    readonly channel: Channel,
    readonly symbol: string,
    readonly interval: Interval | undefined,
    /** Where the stream stood; the sequence of the record that came. */
    readonly position: number | null,
    readonly sequence: number,
    message: string,
  ) {
    super(`${channel} of ${symbol}: ${message}`);
  }
}
