// The requests of one connection, in the order in which they were made: as often as the server takes them, no later one
// heeded before one that was refused for the moment.

import type { Clock } from "./clock.js";
import type { Connection } from "./connection.js";
import { RequestError, TickwireError } from "./errors.js";
import { type Body, merged, opposes, partOf, together } from "./ordering.js";
import type { Ack, ErrorMessage, Message } from "./protocol.js";

/** Requests that wait for their turn. */
const UNSENT_MAX = 10_000;

export interface Answer {
  answered(message: Ack): void;
  failed(error: TickwireError): void;
}

export interface Pending {
  body: Body;
  answer: Answer;
  /** Asked with others it was refused: it is asked by itself. */
  isAlone?: boolean;
}

interface Sent {
  body: Body;
  parts: Pending[];
}

export class Lane {
  /** By id, which is the order in which they were made. */
  #unsent: Pending[] = [];
  readonly #sent = new Map<number, Sent>();
  #timer: unknown;
  #isHeld = false;
  #isOver = false;

  constructor(
    readonly connection: Connection,
    readonly clock: Clock,
  ) {}

  push(pending: Pending): void {
    if (this.#unsent.length >= UNSENT_MAX) {
      pending.answer.failed(new TickwireError(`${UNSENT_MAX} requests wait for their turn`));
      return;
    }
    this.#unsent.push(pending);
    if (this.#timer === undefined) this.#go();
  }

  /** Sends nothing while `fill` runs, so that what can be asked as one is. */
  fill(fill: () => void): void {
    this.#isHeld = true;
    try {
      fill();
    } finally {
      this.#isHeld = false;
      this.#go();
    }
  }

  /** Takes an answer; whether it was one to a request of this lane. */
  take(message: Message): boolean {
    const sent = this.#sent.get(message.id as number);
    if (sent === undefined) return false;
    this.#sent.delete(message.id as number);
    if (message.type === "error") this.#refused(sent, message as ErrorMessage);
    else if (sent.parts.length === 1) sent.parts[0]!.answer.answered(message as Ack);
    else for (const { body, answer } of sent.parts) answer.answered(partOf(message, body));
    this.#go();
    return true;
  }

  /** No more is sent. What is left had no answer: first what was asked. */
  end(): { asked: Pending[]; unasked: Pending[] } {
    this.#isOver = true;
    this.clock.clear(this.#timer);
    const left = { asked: [...this.#sent.values()].flatMap(({ parts }) => parts), unasked: this.#unsent };
    this.#sent.clear();
    this.#unsent = [];
    return left;
  }

  #refused({ parts }: Sent, error: ErrorMessage): void {
    const wait = error.details?.retry_after_ms;
    if (error.retryable && wait !== undefined) {
      this.connection.pace.refused(this.clock.now(), wait);
      this.#again(parts);
    } else if (parts.length > 1) {
      // One of them is at fault: each is told for itself.
      this.#again(parts.map((pending) => ({ ...pending, isAlone: true })));
    } else {
      parts[0]!.answer.failed(new RequestError(parts[0]!.body.op, error));
    }
  }

  /** Their turn is before all that was asked for later. */
  #again(parts: Pending[]): void {
    this.#unsent = [...parts, ...this.#unsent].sort((one, other) => one.body.id - other.body.id);
  }

  #go(): void {
    this.clock.clear(this.#timer);
    this.#timer = undefined;
    while (!this.#isHeld && !this.#isOver && this.#unsent.length > 0) {
      const wait = this.connection.pace.wait(this.clock.now());
      if (wait > 0) {
        this.#timer = this.clock.after(wait, () => this.#go());
        return;
      }
      const count = this.#unsent[0]!.isAlone ? 1 : together(this.#next());
      const parts = this.#unsent.slice(0, count);
      const body = merged(parts.map((pending) => pending.body));
      // Its turn is when that one has its answer.
      if ([...this.#sent.values()].some((sent) => opposes(sent.body, body))) return;
      this.#unsent = this.#unsent.slice(count);
      this.#sent.set(body.id, { body, parts });
      this.connection.send(body);
    }
  }

  #next(): Body[] {
    const alone = this.#unsent.findIndex(({ isAlone }) => isAlone);
    return this.#unsent.slice(0, alone < 0 ? undefined : alone).map(({ body }) => body);
  }
}
