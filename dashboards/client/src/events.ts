// What sessions and replays tell.

import type { TickwireError, Violation } from "./errors.js";
import type { Gap, StreamName } from "./accounts.js";
import type { Channel, Cursor, DataMessage, Message, RecordOf, Rejected, Time } from "./protocol.js";
import type { Subscription } from "./subscription.js";

/** Records of one channel. A `snapshot` replaces what is known of its streams, an `update` adds to it. */
export type Data = { [C in Channel]: DataOf<C> }[Channel];

export interface DataOf<C extends Channel> {
  kind: "snapshot" | "update";
  channel: C;
  /** In order, each new; of a snapshot the whole state. */
  records: RecordOf[C][];
  /** Of a snapshot: symbols of which there is nothing. */
  empty: readonly string[];
  cursor: Cursor;
  /** Where the subscription says `stamp`. */
  ts_sent?: Time;
  /** The replay that it is of. */
  replay?: string;
}

/** What both live sessions and replays tell. */
export interface SourceEvents {
  data: Data;
  /** Events that will not come, with their exact range where there is one. */
  gap: Gap;
  /** It is not subscribed to any more, or not served: what was had of it is of the past. */
  forgotten: StreamName;
  /** It is at another place: nothing of what was told before counts. Only replays are ever. */
  elsewhere: undefined;
  /** What came breaks the law of sequences. Without a listener it is thrown as an uncaught error. */
  violation: Violation;
}

export interface SessionEvents extends SourceEvents {
  /** Symbols that the server did not give, one by one. */
  rejected: { subscription: Subscription; rejected: Rejected };
  /** Streams that a new token does not cover, or that were unsubscribed. */
  unsubscribed: { channels: Channel[]; symbols: string[] };
  /** A `notice`: that merging for slowness begins, and its end with its account. */
  notice: Message;
  /** An error that no promise tells. */
  error: TickwireError;
  /** A message of a `type` that this client does not know: the protocol grows. */
  message: Message;
}

/** What a message of data hands out. */
export function dataOf(message: DataMessage, records: DataMessage["data"]): Data {
  const { type: kind, channel, cursor, ts_sent, replay, symbols } = message;
  const data = { kind, channel, records, empty: symbols ?? [], cursor } as Data;
  if (ts_sent !== undefined) data.ts_sent = ts_sent;
  if (replay !== undefined) data.replay = replay;
  return data;
}
