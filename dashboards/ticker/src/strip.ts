// One session's rows, from its beginning to its end: what comes late is nobody's.

import { connect, everyMs, LatestStore, matches, type Off, type Session, type Subscription, type Ticker, type Token } from "@tickwire/client";
import { Row } from "./row.js";

/** Changes are drawn this often: more is for nobody's eyes. */
const DRAWN_MS = 250;
/** A price that is not live any more tells so by itself, this often. */
const LOOK_MS = 1000;

export interface Wish {
  server: URL;
  symbols: readonly string[];
  token: Token;
}

/** Where a strip draws, and what it says of itself. */
export interface Place {
  list: HTMLElement;
  stands(phase: string, words: string): void;
}

export class Strip {
  readonly #rows = new Map<string, Row>();
  readonly #session: Session;
  readonly #subscription: Subscription;
  readonly #offs: Off[];
  /** What went wrong last, until a price comes. */
  #wrong = "";

  constructor(
    readonly wish: Wish,
    readonly place: Place,
  ) {
    const url = new URL("/v1/stream", wish.server);
    url.protocol = url.protocol.replace("http", "ws");
    const session = connect({ url: url.href, token: wish.token, encoding: "json" });
    this.#session = session;
    const store = new LatestStore(session, { schedule: everyMs(DRAWN_MS) });
    const looks = setInterval(() => this.#look(), LOOK_MS);
    this.#offs = [
      session.state.subscribe(({ phase, reason }) => {
        place.stands(phase, phase === "live" ? this.#words() : phase === "connecting" ? reason || "…" : reason || phase);
        this.#look();
      }),
      session.on("rejected", () => this.#say()),
      session.on("error", ({ message }) => {
        this.#wrong = message;
        this.#say();
      }),
      store.onFlush(({ changes, forgotten }) => {
        for (const { channel, symbol } of forgotten ?? []) if (channel === "ticker") this.#drop(symbol);
        for (const { channel, symbol, record } of changes) if (channel === "ticker" && record) this.#row(symbol).show(record as Ticker);
        if (changes.length > 0) this.#wrong = "";
        this.#say();
        this.#look();
      }),
      () => store.close(),
      () => clearInterval(looks),
    ];
    this.#subscription = session.subscribe({ channels: ["ticker", "status"], symbols: [...wish.symbols], conflate_ms: DRAWN_MS });
  }

  end(): void {
    for (const off of this.#offs) off();
    this.#session.close();
    this.place.list.replaceChildren();
  }

  /** What the server refuses by now: it may have a symbol later that it did not have when it had just begun. */
  #words(): string {
    const refused = new Set(this.#subscription?.rejected.map(({ message }) => message));
    return [...refused].join(" ") || this.#wrong;
  }

  #say(): void {
    const { phase } = this.#session.state.value;
    if (phase === "live") this.place.stands(phase, this.#words());
  }

  #look(): void {
    for (const [symbol, row] of this.#rows) row.grow(this.#session.freshness("ticker", symbol));
  }

  #row(symbol: string): Row {
    let row = this.#rows.get(symbol);
    if (row === undefined) {
      row = new Row(symbol);
      this.#rows.set(symbol, row);
      const after = [...this.#rows.keys()].sort((one, other) => this.#order(one, other)).indexOf(symbol);
      this.place.list.insertBefore(row.element, this.place.list.children[after] ?? null);
    }
    return row;
  }

  #drop(symbol: string): void {
    this.#rows.get(symbol)?.element.remove();
    this.#rows.delete(symbol);
  }

  /** As they are named; what one pattern stands for, by the alphabet. */
  #order(one: string, other: string): number {
    return this.#place(one) - this.#place(other) || (one < other ? -1 : 1);
  }

  #place(symbol: string): number {
    const { symbols } = this.wish;
    const named = symbols.indexOf(symbol);
    return named < 0 ? symbols.findIndex((pattern) => matches(pattern, symbol)) : named;
  }
}
