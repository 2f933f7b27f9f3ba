// Streams as a client has them: how far it got in each, whether anything is missing, and the books.
//
// The law: per stream, updates and gaps cover every sequence exactly once, in order. It is held here against all
// that comes; what breaks it is handed out as a `Violation`, together with the gap that it leaves.

import { Book } from "./book.js";
import { Violation } from "./errors.js";
import { type Account, type Gap, type StreamAccount, type StreamName, gapOf, newAccount, streamKey, type Taken } from "./accounts.js";
import type { AnyRecord, BookRecord, Candle, Channel, DataMessage, GapMessage, Interval } from "./protocol.js";

class Stream implements StreamAccount {
  position: number | null = null;
  delivered = 0;
  coalesced = 0;
  skipped = 0;
  gaps = 0;
  duplicates = 0;
  overlapped = 0;
  violations = 0;
  /** The next record says where it stands. */
  loose = false;
  /** A book that waits for a snapshot. */
  void = false;
  /** When something came last, milliseconds of the client's clock. */
  heard = 0;

  constructor(
    readonly channel: Channel,
    readonly symbol: string,
    readonly interval: Interval | undefined,
    readonly total: Account,
  ) {}

  add(name: keyof Account, count: number): void {
    this[name] += count;
    this.total[name] += count;
  }
}

export class Streams {
  readonly #streams = new Map<string, Stream>();
  readonly #books = new Map<string, Book>();
  readonly account: Account = newAccount();
  /** Books that were not the source's: their state is to be asked for again. */
  readonly broken = new Set<string>();
  /** How things stood may be told of a time that is over, as when a replay is opened again: then it is left out. */
  once = false;

  constructor(
    readonly now: () => number,
    readonly forgotten: (stream: StreamName) => void = () => {},
  ) {}

  book(symbol: string): Book | undefined {
    return this.#books.get(symbol);
  }

  has(channel: Channel, symbol: string, interval?: Interval): boolean {
    return this.#streams.has(streamKey(channel, symbol, interval));
  }

  get(channel: Channel, symbol: string, interval?: Interval): (StreamAccount & { void: boolean; heard: number }) | undefined {
    return this.#streams.get(streamKey(channel, symbol, interval));
  }

  accounts(): StreamAccount[] {
    return [...this.#streams.values()].map(({ total: _, loose: __, void: ___, heard: ____, ...account }) => account);
  }

  /** Goes on with what others have come to. */
  adopt(other: Streams): void {
    for (const [key, stream] of other.#streams) {
      if (this.#streams.has(key)) continue;
      const own = this.#of(stream.channel, stream.symbol, stream.interval);
      own.position = stream.position;
      own.void = stream.void;
      const book = stream.channel === "book" ? other.#books.get(stream.symbol) : undefined;
      if (book !== undefined) this.#books.set(stream.symbol, book);
    }
  }

  /** These are not subscribed to any more. */
  forget(channels: readonly Channel[], symbols: readonly string[], interval?: Interval): void {
    for (const [key, stream] of this.#streams) {
      if (!channels.includes(stream.channel) || !symbols.includes(stream.symbol)) continue;
      if (stream.channel === "candles" && interval !== undefined && stream.interval !== interval) continue;
      this.#streams.delete(key);
      if (stream.channel === "book") this.#books.delete(stream.symbol);
      this.forgotten(named(stream));
    }
  }

  /** The server is another one, or began anew: its sequences say nothing of the old ones'. */
  forgetPositions(): void {
    for (const stream of this.#streams.values()) {
      stream.position = null;
      this.#void(stream);
    }
  }

  /** State, which replaces what was known. */
  snapshot(message: DataMessage): Taken {
    const taken: Taken = { records: [], gaps: [], violations: [] };
    const before = new Map<Stream, number | null>();
    for (const record of message.data) {
      const stream = this.#ofRecord(message.channel, record);
      if (!before.has(stream)) before.set(stream, stream.position);
      const known = before.get(stream)!;
      if (this.once && known !== null && record.sequence <= known) continue;
      stream.position = Math.max(stream.position ?? 0, record.sequence);
      if (message.channel === "book") this.#replaceBook(record as BookRecord, stream, taken);
      taken.records.push(record);
    }
    for (const [stream, known] of before) {
      stream.loose = false;
      stream.heard = this.now();
      if (known !== null && stream.position! > known) stream.add("skipped", stream.position! - known);
    }
    this.#empty(message);
    return taken;
  }

  /** News; what was had before, as after coming back, is left out. */
  update(message: DataMessage): Taken {
    const taken: Taken = { records: [], gaps: [], violations: [] };
    for (const record of message.data) {
      const stream = this.#ofRecord(message.channel, record);
      stream.heard = this.now();
      if (this.#advance(stream, record, taken)) taken.records.push(record);
    }
    return taken;
  }

  /** What will not come; nothing is told where all of it was had. */
  gap(message: GapMessage): Taken {
    const { channel, symbol, interval, from_sequence: from, to_sequence: to } = message;
    const stream = this.#of(channel, symbol, interval);
    const taken: Taken = { records: [], gaps: [], violations: [] };
    if (from === undefined || to === undefined) {
      stream.loose = true;
      this.#tell(stream, gapOf(message, null, null), taken);
      return taken;
    }
    const begin = stream.position === null ? from : Math.max(from, stream.position + 1);
    if (stream.position !== null && from > stream.position + 1) this.#hole(stream, from - 1, to, taken);
    if (begin > to) return taken;
    stream.add("skipped", to - (stream.position === null ? from - 1 : stream.position));
    stream.position = to;
    this.#tell(stream, gapOf(message, begin, to), taken);
    return taken;
  }

  /** Moves a stream on by a record; whether it is new. */
  #advance(stream: Stream, record: AnyRecord, taken: Taken): boolean {
    const { sequence } = record;
    const previous = record.prev_sequence ?? sequence - 1;
    if ((record.coalesced ?? 0) !== sequence - previous - 1) {
      const said = `sequence ${sequence} after ${previous} says that it coalesces ${record.coalesced ?? 0}`;
      this.#violate(stream, "count", sequence, said, taken);
    }
    if (stream.position !== null && !stream.loose) {
      if (sequence <= stream.position) {
        stream.add("duplicates", 1);
        return false;
      }
      if (previous > stream.position) this.#hole(stream, previous, sequence, taken);
      else if (previous < stream.position) stream.add("overlapped", stream.position - previous);
    } else if (stream.loose && stream.position !== null && previous > stream.position) {
      stream.add("skipped", previous - stream.position);
    }
    const from = stream.position === null || stream.loose ? previous : Math.max(previous, stream.position);
    stream.add("delivered", 1);
    stream.add("coalesced", sequence - from - 1);
    stream.position = sequence;
    stream.loose = false;
    if (stream.channel === "book") this.#changeBook(record as BookRecord, stream, taken);
    return true;
  }

  /** Where there is nothing, a snapshot says so, and where that stands. */
  #empty(message: DataMessage): void {
    // Of candles it does not say of which interval: their first record will tell the place.
    if (message.channel === "candles") return;
    for (const [at, symbol] of (message.symbols ?? []).entries()) {
      if (this.once && this.has(message.channel, symbol)) continue;
      const stream = this.#of(message.channel, symbol, undefined);
      stream.position ??= message.sequences?.[at] ?? 0;
      stream.loose = false;
      stream.void = false;
      stream.heard = this.now();
      if (message.channel === "book") {
        this.#books.set(symbol, new Book({ symbol, sequence: stream.position, depth: 0, bids: [], asks: [] }));
      }
    }
  }

  #replaceBook(record: BookRecord, stream: Stream, taken: Taken): void {
    // `fields` may leave the levels out: then there is no book.
    if (record.bids === undefined || record.asks === undefined) return;
    stream.void = false;
    const book = new Book(record);
    this.#books.set(record.symbol, book);
    this.#check(book, record, stream, taken);
  }

  #changeBook(record: BookRecord, stream: Stream, taken: Taken): void {
    const book = this.#books.get(record.symbol);
    if (book === undefined || stream.void || record.bids === undefined || record.asks === undefined) return;
    book.apply(record);
    this.#check(book, record, stream, taken);
  }

  #check(book: Book, record: BookRecord, stream: Stream, taken: Taken): void {
    if (record.checksum === undefined || book.checksum() === record.checksum) return;
    const said = `at ${record.sequence} the checksum is ${book.checksum()}, the server's is ${record.checksum}`;
    this.#violate(stream, "checksum", record.sequence, said, taken);
    this.broken.add(stream.symbol);
    this.#tell(stream, { ...named(stream), from_sequence: null, to_sequence: null, count: null, reason: "checksum" }, taken);
  }

  #hole(stream: Stream, to: number, sequence: number, taken: Taken): void {
    const from = stream.position! + 1;
    this.#violate(stream, "hole", sequence, `${from} to ${to} did not come, and nothing was said of them`, taken);
    if (stream.channel === "book") this.broken.add(stream.symbol);
    stream.add("skipped", to - stream.position!);
    stream.position = to;
    const range = { from_sequence: from, to_sequence: to, count: to - from + 1 };
    this.#tell(stream, { ...named(stream), ...range, reason: "hole" }, taken);
  }

  #violate(stream: Stream, kind: Violation["kind"], sequence: number, said: string, taken: Taken): void {
    stream.add("violations", 1);
    const { channel, symbol, interval, position } = stream;
    taken.violations.push(new Violation(kind, channel, symbol, interval, position, sequence, said));
  }

  #tell(stream: Stream, gap: Gap, taken: Taken): void {
    stream.add("gaps", 1);
    this.#void(stream);
    taken.gaps.push(gap);
  }

  #void(stream: Stream): void {
    if (stream.channel !== "book") return;
    stream.void = true;
    this.#books.delete(stream.symbol);
  }

  #ofRecord(channel: Channel, record: AnyRecord): Stream {
    return this.#of(channel, record.symbol, channel === "candles" ? (record as Candle).interval : undefined);
  }

  #of(channel: Channel, symbol: string, interval: Interval | undefined): Stream {
    const key = streamKey(channel, symbol, interval);
    let stream = this.#streams.get(key);
    if (stream === undefined) {
      stream = new Stream(channel, symbol, interval, this.account);
      this.#streams.set(key, stream);
    }
    return stream;
  }
}

function named(stream: Stream): StreamName {
  const { channel, symbol, interval } = stream;
  return interval === undefined ? { channel, symbol } : { channel, symbol, interval };
}
