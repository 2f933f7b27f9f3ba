// Requests that wait for their answers. Answers are handled before what comes behind them: an ack is a fence.

import type { Clock } from "./clock.js";
import type { Connection } from "./connection.js";
import { ClosedError, RequestError, TickwireError } from "./errors.js";
import type { Ack, ErrorMessage, Message } from "./protocol.js";

/** Requests that wait for a connection. */
const QUEUE_MAX = 1000;

export interface Answer {
  answered(message: Ack): void;
  failed(error: TickwireError): void;
}

interface Pending {
  body: { op: string; id: number; [field: string]: unknown };
  answer: Answer;
  connection: Connection | undefined;
}

export class Requests {
  readonly #pending = new Map<number, Pending>();
  #queue: Pending[] = [];
  #count = 0;
  #closed: string | undefined;

  constructor(readonly clock: Clock) {}

  /** Sends a request on a connection; where there is none, it waits for one. */
  send(connection: Connection | undefined, op: string, fields: object, answer: Answer): void {
    if (this.#closed !== undefined) {
      answer.failed(new ClosedError(this.#closed));
      return;
    }
    const pending: Pending = { body: { op, id: ++this.#count, ...fields }, answer, connection };
    if (connection !== undefined) this.#put(pending, connection);
    else if (this.#queue.length < QUEUE_MAX) this.#queue.push(pending);
    else answer.failed(new TickwireError(`${QUEUE_MAX} requests wait for a connection`));
  }

  /** Sends what waited. */
  attach(connection: Connection): void {
    const queue = this.#queue;
    this.#queue = [];
    for (const pending of queue) this.#put(pending, connection);
  }

  /** What was asked on it was heeded, or not: nobody knows. */
  detach(connection: Connection): void {
    for (const [id, pending] of this.#pending) {
      if (pending.connection !== connection) continue;
      this.#pending.delete(id);
      const message = "The connection was lost before the answer.";
      pending.answer.failed(new RequestError(pending.body.op, { code: "connection_lost", message, retryable: true }));
    }
  }

  close(reason: string): void {
    this.#closed = reason;
    const all = [...this.#pending.values(), ...this.#queue];
    this.#pending.clear();
    this.#queue = [];
    for (const { answer } of all) answer.failed(new ClosedError(reason));
  }

  /** Takes an answer; whether it was one to a request that waits. */
  take(message: Message): boolean {
    const pending = this.#pending.get(message.id as number);
    if (pending === undefined) return false;
    if (message.type === "error") {
      const error = message as ErrorMessage;
      const wait = error.details?.retry_after_ms;
      if (error.retryable && wait !== undefined) {
        this.clock.after(wait, () => this.#again(pending));
        return true;
      }
      this.#pending.delete(pending.body.id);
      pending.answer.failed(new RequestError(pending.body.op, error));
      return true;
    }
    this.#pending.delete(pending.body.id);
    pending.answer.answered(message as Ack);
    return true;
  }

  #again(pending: Pending): void {
    if (this.#pending.get(pending.body.id) === pending) pending.connection?.send(pending.body);
  }

  #put(pending: Pending, connection: Connection): void {
    pending.connection = connection;
    this.#pending.set(pending.body.id, pending);
    connection.send(pending.body);
  }
}

/** An answer as a promise, and what hands it over. */
export function promised<A extends Message>(send: (answer: Answer) => void): Promise<A> {
  return new Promise((resolve, reject) => {
    send({ answered: (message) => resolve(message as unknown as A), failed: reject });
  });
}
