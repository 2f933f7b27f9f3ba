// The live market: one session in a worker, and what of it the page looks at.

import {
  connectInWorker, type ConnectionState, type Interval, type SubscribeAck, type WorkerSession, type WorkerSubscription,
} from "@tickwire/client";

import { BARS } from "../model/bars.js";
import { Market } from "../model/market.js";
import { type Entry, streamUrl } from "./entry.js";

/** Ten times a second is as much as eyes read. */
const CONFLATE_MS = 100;
const TRADES = 200;

/** The worker's file, under Trusted Types. */
function startWorker(): Worker {
  const rules = { createScriptURL: (url: string) => url };
  const policy = window.trustedTypes?.createPolicy("tickwire-worker", rules) ?? rules;
  return new Worker(policy.createScriptURL(new URL(WORKER_URL, document.baseURI).href) as string, { type: "module", name: "session" });
}

export class Live {
  readonly market = new Market();
  readonly session: WorkerSession;
  readonly #worker = startWorker();
  #list: WorkerSubscription | undefined;
  #focus: { symbol: string; streams: WorkerSubscription[] } | undefined;
  #chart: { symbol: string; interval: Interval; streams: WorkerSubscription } | undefined;
  #depth = 50;

  constructor(entry: Entry, state: (state: ConnectionState) => void, changed: () => void) {
    this.session = connectInWorker(this.#worker as never, {
      url: streamUrl(),
      ...(entry.way !== "cookie" && { token: entry.token }),
      pingMs: 5000,
      flushMs: 50,
      tradesMax: TRADES,
      bookDepth: 0,
    });
    this.session.state.subscribe(state);
    this.session.onFlush((flush) => {
      this.market.take(flush);
      changed();
    });
  }

  /** The watchlist: its streams go on where they overlap with the list before. */
  watch(symbols: readonly string[]): void {
    const before = this.#list;
    this.#list = symbols.length === 0 ? undefined : this.session.subscribe({
      channels: ["ticker", "status", "candles"], symbols: [...symbols], interval: "1s",
      conflate_ms: CONFLATE_MS, snapshot_limit: BARS.row, stamp: true, priority: "low",
    });
    this.#learn(this.#list);
    void before?.unsubscribe().catch(() => {});
  }

  /** The book and the trades of one symbol. */
  focus(symbol: string): void {
    if (this.#focus?.symbol === symbol) return;
    const before = this.#focus;
    this.#focus = {
      symbol,
      streams: [
        this.session.subscribe({ channels: ["book"], symbols: [symbol], depth: this.#depth, conflate_ms: CONFLATE_MS, stamp: true }),
        this.session.subscribe({ channels: ["trades"], symbols: [symbol], snapshot_limit: TRADES, stamp: true, priority: "high" }),
        this.session.subscribe({ channels: ["ticker", "status"], symbols: [symbol], conflate_ms: CONFLATE_MS, stamp: true }),
      ],
    };
    for (const stream of this.#focus.streams) this.#learn(stream);
    for (const stream of before?.streams ?? []) void stream.unsubscribe().catch(() => {});
    if (before !== undefined) this.market.forget(before.symbol);
  }

  /** The bars of one symbol. */
  chart(symbol: string, interval: Interval): void {
    const before = this.#chart;
    if (before?.symbol === symbol && before.interval === interval) return;
    const streams = this.session.subscribe({
      channels: ["candles"], symbols: [symbol], interval, conflate_ms: CONFLATE_MS, snapshot_limit: BARS.chart, stamp: true,
    });
    this.#chart = { symbol, interval, streams };
    this.market.chart(symbol, interval);
    void before?.streams.unsubscribe().catch(() => {});
  }

  /** So many levels a side; 0 = all, for wide groups. */
  deepen(depth: number): void {
    if (depth === this.#depth) return;
    this.#depth = depth;
    void this.#focus?.streams[0]!.change({ depth } as never).catch(() => {});
  }

  close(): void {
    this.session.close();
    this.#worker.terminate();
  }

  #learn(subscription: WorkerSubscription | undefined): void {
    subscription?.ready.then(
      (ack: SubscribeAck) => {
        for (const { delay_ms, symbols } of ack.narrowed ?? []) {
          for (const symbol of symbols) this.market.instrument(symbol).delayMs = Number(delay_ms ?? 0);
        }
      },
      () => {},
    );
  }
}
