// A clock that moves when told to, and a socket that says what a script says.

import type { Clock } from "../../src/clock.js";
import type { Message } from "../../src/protocol.js";

interface Timer {
  at: number;
  run: () => void;
}

export class FakeClock implements Clock {
  #now = Date.parse("2026-11-20T14:30:00Z");
  #timers = new Set<Timer>();

  now = (): number => this.#now;

  after = (ms: number, run: () => void): Timer => {
    const timer = { at: this.#now + ms, run };
    this.#timers.add(timer);
    return timer;
  };

  clear = (timer: unknown): void => void this.#timers.delete(timer as Timer);

  /** Lets time pass, timer by timer; promises are kept in between. */
  async pass(ms: number): Promise<void> {
    const end = this.#now + ms;
    for (;;) {
      await settled();
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.run();
    }
    this.#now = end;
    await settled();
  }

  /** The machine sleeps: timers that were due meanwhile run late, all at once. */
  async sleep(ms: number): Promise<void> {
    this.#now += ms;
    await this.pass(0);
  }
}

/** All promises that can be kept are. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
}

export const WELCOME = {
  type: "welcome", protocol: "tickwire.v1", server: "tickwire/0.1.0", session: "s1", epoch: "e", authenticated: false,
  auth_timeout_ms: 10_000, heartbeat_ms: 5000, limits: {},
};

/** Each socket that a session opens is in `opened`, the newest last. */
export class FakeSocket {
  static opened: FakeSocket[] = [];
  static get newest(): FakeSocket {
    return FakeSocket.opened.at(-1)!;
  }

  binaryType = "";
  onopen = null;
  onmessage: ((event: never) => void) | null = null;
  onclose: ((event: never) => void) | null = null;
  onerror = null;
  closed: number | undefined;
  readonly sent: Record<string, unknown>[] = [];

  constructor(
    readonly url: string,
    readonly protocols: string[],
  ) {
    FakeSocket.opened.push(this);
  }

  send(data: string): void {
    const request = JSON.parse(data);
    if (request.op !== "ping") this.sent.push(request);
  }

  close(code: number): void {
    this.closed = code;
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) } as never);
  }

  end(code: number, reason = ""): void {
    this.onclose?.({ code, reason } as never);
  }

  /** The newest request of a kind. */
  asked(op: string): Record<string, unknown> | undefined {
    return this.sent.filter((request) => request.op === op).at(-1);
  }

  /** Welcome, and the token is good. */
  async begin(welcome: object = {}): Promise<this> {
    this.say({ ...WELCOME, ...welcome });
    await settled();
    if (this.asked("auth")) this.say({ type: "ack", id: "auth", op: "auth", subject: "alice", scopes: [], expires_at: "2026-11-20T15:30:00.000000000Z" });
    await settled();
    return this;
  }

  /** Answers the newest request of a kind. */
  answer(op: string, fields: object): void {
    this.say({ type: "ack", id: this.asked(op)!.id, op, ...fields } as Message);
  }

  /** Refuses a request for the moment. */
  limit(request: Record<string, unknown>, retry_after_ms: number): void {
    const { id, op } = request;
    this.say({ type: "error", id, op, code: "rate_limited", message: "", retryable: true, details: { retry_after_ms } });
  }

  acknowledge(cursor: string, fields: object = {}): void {
    const { channels, symbols } = this.asked("subscribe")!;
    this.answer("subscribe", { channels, symbols, rejected: [], resumed: false, cursor, ...fields });
  }

  quote(sequence: number, cursor: string, fields: object = {}): void {
    const data = [{ symbol: "A", sequence, bid_price: "1", bid_size: "1", ask_price: "2", ask_size: "1", ...fields }];
    this.say({ type: "update", channel: "quotes", cursor, data });
  }
}
