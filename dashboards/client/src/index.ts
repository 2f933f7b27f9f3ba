// The client of Tickwire: live and replayed market data that accounts for every sequence.

export type { Account, Gap, StreamAccount } from "./accounts.js";
export type { DataAge } from "./ages.js";
export { Book } from "./book.js";
export type { Clock } from "./clock.js";
export type { Encoding } from "./codec.js";
export type { Token } from "./connection.js";
export {
  addDecimals, compareDecimals, formatDecimal, fractionDigits, isDecimal, isZero, subtractDecimals, toApproximateNumber,
} from "./decimal.js";
export type { Observable, Off } from "./emitter.js";
export { ClosedError, ProtocolError, RequestError, TickwireError, Violation } from "./errors.js";
export type { Data, DataOf, SessionEvents, SourceEvents } from "./events.js";
export type { Freshness, FreshnessState } from "./freshness.js";
export * from "./protocol.js";
export type { Replay } from "./replay.js";
export type { ReplayAck, ReplayOptions, ReplayState } from "./replay-state.js";
export type { ConnectOptions } from "./options.js";
export { connect, type Session } from "./session.js";
export type { ConnectionState, Phase } from "./state.js";
export type { SubscribeRequest, Subscription } from "./subscription.js";
export { fromMilliseconds, toMilliseconds, toNanoseconds } from "./times.js";
