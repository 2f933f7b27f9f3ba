// An order book that is kept exactly: decimal texts, compared as decimals, never as floats.

import { crc32 } from "./crc32.js";
import { compareDecimals } from "./decimal.js";
import type { BookRecord, Decimal, Level, Time } from "./protocol.js";

/** The checksum is of so many levels a side at most. */
const CHECKED = 10;

/** Levels of one side, best first. */
class Side {
  /** `sign` is 1 where the lowest price is best. */
  constructor(
    readonly sign: 1 | -1,
    readonly levels: Level[] = [],
  ) {}

  set(price: Decimal, size: Decimal): void {
    const at = this.#find(price);
    const found = this.levels[at];
    const there = found !== undefined && compareDecimals(found[0], price) === 0;
    if (size === "0") {
      if (there) this.levels.splice(at, 1);
    } else if (there) {
      // The text of a price is the newest one's: checksums are made of texts.
      this.levels[at] = [price, size];
    } else {
      this.levels.splice(at, 0, [price, size]);
    }
  }

  /** Where a price stands or belongs. */
  #find(price: Decimal): number {
    let [low, high] = [0, this.levels.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.sign * compareDecimals(this.levels[middle]![0], price) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The levels of a symbol, and the record that they are as of. Equal to the source's, whatever was merged on the way. */
export class Book {
  readonly symbol: string;
  /** Levels a side that the server sends; 0 = all. */
  readonly depth: number;
  #bids = new Side(-1);
  #asks = new Side(1);
  #sequence = 0;
  #crossed = false;
  #tsEvent: Time | undefined;
  #tsRecv: Time | undefined;

  /** A book as a snapshot has it. */
  constructor(snapshot: BookRecord) {
    this.symbol = snapshot.symbol;
    this.depth = snapshot.depth ?? 0;
    this.apply(snapshot);
  }

  /** The sequence of the newest record that was applied. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Whether the source's best bid is at or above its best ask. */
  get crossed(): boolean {
    return this.#crossed;
  }

  get ts_event(): Time | undefined {
    return this.#tsEvent;
  }

  get ts_recv(): Time | undefined {
    return this.#tsRecv;
  }

  /** Takes a change in; changes come in order, see `Streams`. */
  apply(change: BookRecord): void {
    for (const [price, size] of change.bids) this.#bids.set(price, size);
    for (const [price, size] of change.asks) this.#asks.set(price, size);
    this.#sequence = change.sequence;
    this.#crossed = change.crossed ?? false;
    this.#tsEvent = change.ts_event;
    this.#tsRecv = change.ts_recv;
  }

  /** Levels of buyers, the highest first; at most so many. */
  bids(most?: number): readonly Level[] {
    return this.#bids.levels.slice(0, most);
  }

  /** Levels of sellers, the lowest first; at most so many. */
  asks(most?: number): readonly Level[] {
    return this.#asks.levels.slice(0, most);
  }

  get bestBid(): Level | undefined {
    return this.#bids.levels[0];
  }

  get bestAsk(): Level | undefined {
    return this.#asks.levels[0];
  }

  /** CRC-32 over the best ten levels (or the depth, where that is less), asks first, as Kraken's WebSocket v2 has it. */
  checksum(): number {
    const most = Math.min(this.depth === 0 ? CHECKED : this.depth, CHECKED);
    let digits = "";
    for (const side of [this.#asks, this.#bids]) {
      for (const [price, size] of side.levels.slice(0, most)) digits += significant(price) + significant(size);
    }
    return crc32(digits);
  }
}

/** Without the dot and without leading zeros. */
function significant(text: Decimal): string {
  return text.replace(".", "").replace(/^0+/, "");
}
