// Requests that wait for their answers. Answers are handled before what comes behind them: an ack is a fence.

import type { Clock } from "./clock.js";
import type { Connection } from "./connection.js";
import { ClosedError, RequestError, TickwireError } from "./errors.js";
import { type Answer, Lane, type Pending } from "./lane.js";
import type { Message } from "./protocol.js";

/** Requests that wait for a connection. */
const QUEUE_MAX = 1000;

export class Requests {
  readonly #lanes = new Map<Connection, Lane>();
  #queue: Pending[] = [];
  #count = 0;
  #closed: string | undefined;

  constructor(readonly clock: Clock) {}

  /** Asks on a connection, in turn; where there is none, the request waits for one. */
  send(connection: Connection | undefined, op: string, fields: object, answer: Answer): void {
    if (this.#closed !== undefined) {
      answer.failed(new ClosedError(this.#closed));
      return;
    }
    const pending: Pending = { body: { op, id: ++this.#count, ...fields }, answer };
    if (connection !== undefined) this.#lane(connection).push(pending);
    else if (this.#queue.length < QUEUE_MAX) this.#queue.push(pending);
    else answer.failed(new TickwireError(`${QUEUE_MAX} requests wait for a connection`));
  }

  /** A connection serves: `first` asks for what it is to begin with, and behind that comes what waited. */
  attach(connection: Connection, first: () => void): void {
    const lane = this.#lane(connection);
    lane.fill(() => {
      first();
      const queue = this.#queue;
      this.#queue = [];
      for (const pending of queue) lane.push({ ...pending, body: { ...pending.body, id: ++this.#count } });
    });
  }

  /** What was asked on it was heeded, or not: nobody knows. */
  detach(connection: Connection): void {
    const { asked, unasked } = this.#lanes.get(connection)?.end() ?? { asked: [], unasked: [] };
    this.#lanes.delete(connection);
    const lost = (message: string) => ({ body, answer }: Pending) =>
      answer.failed(new RequestError(body.op, { code: "connection_lost", message, retryable: true }));
    asked.forEach(lost("The connection was lost before the answer."));
    unasked.forEach(lost("The connection was lost before this was asked."));
  }

  close(reason: string): void {
    this.#closed = reason;
    const all = [...this.#lanes.values()].map((lane) => lane.end());
    this.#lanes.clear();
    const left = [...all.flatMap(({ asked, unasked }) => [...asked, ...unasked]), ...this.#queue];
    this.#queue = [];
    for (const { answer } of left) answer.failed(new ClosedError(reason));
  }

  /** Takes an answer; whether it was one to a request that waits. */
  take(connection: Connection, message: Message): boolean {
    return this.#lanes.get(connection)?.take(message) ?? false;
  }

  #lane(connection: Connection): Lane {
    let lane = this.#lanes.get(connection);
    if (lane === undefined) this.#lanes.set(connection, (lane = new Lane(connection, this.clock)));
    return lane;
  }
}

/** An answer as a promise, and what hands it over. */
export function promised<A extends Message>(send: (answer: Answer) => void): Promise<A> {
  return new Promise((resolve, reject) => {
    send({ answered: (message) => resolve(message as unknown as A), failed: reject });
  });
}
