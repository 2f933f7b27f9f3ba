// The client of Tickwire: live and replayed market data that accounts for every sequence.

export type { Account, Gap, StreamAccount, StreamName } from "./accounts.js";
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
export {
  candles, candlesBefore, history, type HistoryPage, historyPages, type HistoryQuery, type Http, HttpError, type Instrument,
  recordedCandles, type RecordedPage, type RecordedQuery, type RecordingInfo, recordings, snapshot, type SnapshotMessage, symbols,
} from "./http.js";
export {
  type BookView, byFrame, type Change, everyMs, type Flush, type LatestOptions, LatestStore, type Schedule, type Source,
} from "./latest.js";
export * from "./protocol.js";
export type { Replay } from "./replay.js";
export type { ReplayAck, ReplayOptions, ReplayState } from "./replay-state.js";
export type { ConnectOptions } from "./options.js";
export { connect, type Session } from "./session.js";
export type { ConnectionState, Phase } from "./state.js";
export { matches, type SubscribeRequest, type Subscription } from "./subscription.js";
export type { Passed } from "./tape.js";
export { fromMilliseconds, toMilliseconds, toNanoseconds } from "./times.js";
export { serveWorker } from "./worker-host.js";
export { connectInWorker, type WorkerEvents, type WorkerOptions, type WorkerSession } from "./worker-session.js";
export type { TrustedAddress } from "./worker-start.js";
export type { WorkerReplay, WorkerSubscription } from "./worker-sources.js";
