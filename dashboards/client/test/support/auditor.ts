// Holds a session to its promise from outside: every sequence once, by an update, a snapshot or a gap. It believes nothing.

import assert from "node:assert/strict";

import { type Candle, type Channel, connect, type ConnectOptions, type Data, type Gap, type Session } from "../../src/index.js";
import { WebSocket } from "ws";

export const CHANNELS: Channel[] = ["trades", "quotes", "ticker", "book", "candles", "status"];

interface Seen {
  position: number | null;
  delivered: number;
  coalesced: number;
  skipped: number;
}

export class Auditor {
  readonly session: Session;
  readonly streams = new Map<string, Seen>();
  readonly gaps: Gap[] = [];
  readonly faults: string[] = [];
  readonly records: Record<"snapshot" | "update", number> = { snapshot: 0, update: 0 };
  readonly phases: string[] = [];
  checkedBooks = 0;

  constructor(options: ConnectOptions) {
    this.session = connect({ WebSocket, ...options });
    this.session.on("data", (data) => this.#data(data));
    this.session.on("gap", (gap) => this.#gap(gap));
    this.session.on("violation", (violation) => this.faults.push(violation.message));
    this.session.on("error", (error) => this.faults.push(`error: ${error.message}`));
    this.session.state.subscribe(({ phase }) => {
      if (this.phases.at(-1) !== phase) this.phases.push(phase);
    });
  }

  /** All streams have begun. */
  has(channels: Channel[], symbols: number): boolean {
    return channels.every((channel) => [...this.streams.keys()].filter((key) => key.startsWith(`${channel} `)).length >= symbols);
  }

  check(): void {
    assert.deepEqual(this.faults, []);
    for (const account of this.session.accounts) {
      const seen = this.streams.get(key(account.channel, account.symbol, account.interval));
      if (seen === undefined) continue;
      for (const name of ["position", "delivered", "coalesced", "skipped"] as const) {
        assert.equal(account[name], seen[name], `${name} of ${JSON.stringify(account)}`);
      }
    }
  }

  #data(data: Data): void {
    this.records[data.kind] += data.records.length;
    for (const symbol of data.empty) if (data.channel !== "candles") this.#of(key(data.channel, symbol)).position ??= 0;
    const before = new Map<Seen, number | null>();
    for (const record of data.records) {
      const seen = this.#of(key(data.channel, record.symbol, (record as Candle).interval));
      if (data.kind === "snapshot") {
        if (!before.has(seen)) before.set(seen, seen.position);
        seen.position = Math.max(seen.position ?? 0, record.sequence);
      } else {
        const previous = record.prev_sequence ?? record.sequence - 1;
        if (seen.position !== null && previous !== seen.position) {
          this.faults.push(`${data.channel} ${record.symbol}: ${record.sequence} after ${previous} came at ${seen.position}`);
        }
        seen.delivered += 1;
        seen.coalesced += record.sequence - previous - 1;
        seen.position = record.sequence;
      }
      if (data.channel === "book") this.#book(record.symbol, data);
    }
    for (const [seen, known] of before) if (known !== null) seen.skipped += seen.position! - known;
  }

  #book(symbol: string, data: Data): void {
    const newest = data.records.filter((record) => record.symbol === symbol).at(-1) as { sequence: number; checksum?: number };
    const book = this.session.book(symbol);
    if (book === undefined || newest.checksum === undefined || book.sequence !== newest.sequence) return;
    this.checkedBooks += 1;
    if (book.checksum() !== newest.checksum) this.faults.push(`the book of ${symbol} differs at ${newest.sequence}`);
  }

  #gap(gap: Gap): void {
    this.gaps.push(gap);
    const seen = this.#of(key(gap.channel, gap.symbol, gap.interval));
    if (gap.from_sequence === null || gap.to_sequence === null) {
      seen.position = null;
      return;
    }
    if (seen.position !== null && gap.from_sequence !== seen.position + 1) {
      this.faults.push(`a gap from ${gap.from_sequence} came at ${seen.position} of ${gap.channel} ${gap.symbol}`);
    }
    seen.skipped += gap.to_sequence - (seen.position ?? gap.from_sequence - 1);
    seen.position = gap.to_sequence;
  }

  #of(name: string): Seen {
    let seen = this.streams.get(name);
    if (seen === undefined) {
      seen = { position: null, delivered: 0, coalesced: 0, skipped: 0 };
      this.streams.set(name, seen);
    }
    return seen;
  }
}

function key(channel: Channel, symbol: string, interval?: string): string {
  return channel === "candles" ? `${channel} ${symbol} ${interval ?? "1m"}` : `${channel} ${symbol}`;
}
