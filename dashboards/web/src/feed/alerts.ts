// Price alerts: the server watches, also while nobody looks; what a restart of it forgets is set again.

import { effect, signal, untracked } from "@preact/signals";
import { type Ack, ClosedError, type Decimal, type Message, RequestError, type Time, type WorkerSession } from "@tickwire/client";

import { add, type AlertWish, remember, remove, told, wishes, wishOf } from "./wishes.js";

export interface Alert extends Omit<AlertWish, "state"> {
  /** `refused`: the server does not watch for it. */
  state: "waiting" | "armed" | "beyond" | "done" | "refused";
  fired: number;
  last?: { value: Decimal; ts_event?: Time; ts_recv?: Time };
}

/** An alert that has happened, to be shown until somebody has seen it. */
export interface Happened {
  number: number;
  alert: Alert;
}

type ListAck = Ack & { alerts: Alert[] };
type SetAck = Ack & { beyond: boolean; sequence: number };

const HAPPENED_MAX = 50;

export class Alerts {
  readonly all = signal<readonly Alert[]>([]);
  readonly happened = signal<readonly Happened[]>([]);
  #session: WorkerSession | undefined;
  #count = 0;
  /** Cleared here, and not yet on the server. */
  readonly #cleared = new Set<string>();
  /** One look at a time; who asks for one meanwhile gets another one after it. */
  #looking: Promise<void> | undefined;
  #isAgain = false;

  constructor(readonly failed: (error: Error) => void) {
    let before = wishes.peek();
    effect(() => {
      const now = wishes.value;
      const has = new Set(now.map(({ alert }) => alert));
      untracked(() => {
        // Cleared, or set, here or on another page of this browser.
        for (const { alert } of before) if (!has.has(alert)) this.#drop(alert);
        if (now.some(({ alert }) => this.#known(alert) === undefined)) void this.reconcile();
      });
      before = now;
    });
  }

  attach(session: WorkerSession): void {
    this.#session = session;
    session.on("message", (message) => {
      if (message.type === "alert") this.#take(message);
    });
  }

  /** After each welcome, and now and then: what the server has counts, and what it lacks is set again. */
  reconcile(): Promise<void> {
    if (this.#looking !== undefined) {
      this.#isAgain = true;
      return this.#looking;
    }
    this.#looking = this.#look()
      // The next connection begins with a look.
      .catch((error: Error) => void (isLost(error) || this.failed(error)))
      .finally(() => {
        this.#looking = undefined;
        if (!this.#isAgain) return;
        this.#isAgain = false;
        void this.reconcile();
      });
    return this.#looking;
  }

  /** Whether the value is beyond the bound already: then it has to come back first. */
  async set(wish: Omit<AlertWish, "alert">): Promise<boolean> {
    const made = { alert: `web-${Date.now().toString(36)}-${++this.#count}`, ...wish };
    const isBeyond = await this.#set(made);
    // It may have happened by now.
    const state = wishState(this.#known(made.alert)!);
    add({ ...made, ...(state !== undefined && { state }) });
    return isBeyond;
  }

  clear(alert: string): void {
    remove(alert);
    // Those of elsewhere are no wishes of this browser.
    this.#drop(alert);
  }

  /** Somebody has seen the newest so many of what has happened. */
  seenNewest(count: number): void {
    this.happened.value = this.happened.value.slice(0, -count);
  }

  seen(number: number): void {
    this.happened.value = this.happened.value.filter((one) => one.number !== number);
  }

  async #look(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    const listed = (await session.request<ListAck>("alert_list")).alerts;
    for (const { alert } of listed) if (this.#cleared.has(alert)) this.#clear(alert);
    const alerts = listed.filter(({ alert }) => !this.#cleared.has(alert));
    const has = new Set(listed.map(({ alert }) => alert));
    const lacking = wishes.peek().filter(({ alert }) => !has.has(alert));
    const missed = alerts.filter((alert) => this.#isNews(alert));
    const kept = lacking.filter(({ state }) => state === "done").map((wish): Alert => ({ ...wish, state: "done", fired: 1 }));
    const refused = this.all.peek().filter(({ alert, state }) => state === "refused" && !has.has(alert) && wishOf(alert) !== undefined);
    this.all.value = [...alerts, ...kept, ...refused];
    for (const alert of missed) this.#show(alert);
    for (const alert of alerts) remember(alert.alert, wishState(alert), alert.fired);
    for (const { alert } of lacking) {
      // It may have been cleared while others were set.
      const wish = wishOf(alert);
      if (wish === undefined || wish.state === "done") continue;
      await this.#set(wish).catch((error: Error) => this.#refuse(wish, error));
    }
  }

  /** What was armed when it was last known here, and is beyond now, has happened where nobody watched. */
  async #set({ state, ...wish }: AlertWish): Promise<boolean> {
    const before = this.#known(wish.alert);
    const { beyond, sequence } = await this.#session!.request<SetAck>("alert_set", { ...wish, ...(state === "armed" && { armed: true }) });
    // It may have happened already.
    if (this.#known(wish.alert) === before) this.#put({ ...wish, state: sequence === 0 ? "waiting" : beyond ? "beyond" : "armed", fired: 0 });
    return beyond;
  }

  /** One that the server does not take stops no other one; it is asked again with the next look. */
  #refuse(wish: AlertWish, error: Error): void {
    if (isLost(error)) throw error;
    const isKnown = this.#known(wish.alert) !== undefined;
    this.all.value = [...this.#others(wish.alert), { ...wish, state: "refused", fired: told(wish.alert) ?? 0 }];
    if (!isKnown) this.failed(error);
  }

  #drop(alert: string): void {
    if (this.#known(alert) === undefined) return;
    this.all.value = this.#others(alert);
    this.#clear(alert);
  }

  /** A line that breaks may take this with it: then the next look finds the alert again. */
  #clear(alert: string): void {
    this.#cleared.add(alert);
    void this.#session?.request("alert_clear", { alert }).then(
      () => this.#cleared.delete(alert),
      () => {},
    );
  }

  #known(alert: string): Alert | undefined {
    return this.all.peek().find((one) => one.alert === alert);
  }

  #others(alert: string): Alert[] {
    return this.all.peek().filter((one) => one.alert !== alert);
  }

  /** What happened while this page was away. */
  #isNews({ alert, fired, state }: Alert): boolean {
    // Another tab knew it last: before it happened, or since.
    const known = told(alert) ?? (wishOf(alert)?.state === "armed" && state !== "armed" ? 0 : fired);
    return fired > known;
  }

  #take(message: Message): void {
    const { type: _, ts_sent: __, ...alert } = message;
    this.#put(alert as unknown as Alert);
    this.#show(alert as unknown as Alert);
  }

  #put(alert: Alert): void {
    this.all.value = [...this.#others(alert.alert), alert];
    remember(alert.alert, wishState(alert), alert.fired);
  }

  #show(alert: Alert): void {
    const others = this.happened.peek().filter((one) => one.alert.alert !== alert.alert);
    this.happened.value = [...others, { number: ++this.#count, alert }].slice(-HAPPENED_MAX);
  }
}

const isLost = (error: Error): boolean => error instanceof ClosedError || (error instanceof RequestError && error.code === "connection_lost");

/** What a page that is opened later has to know. */
function wishState({ state }: Alert): AlertWish["state"] {
  return state === "waiting" || state === "refused" ? undefined : state;
}
