// Price alerts: the server watches, also while nobody looks; what a restart of it forgets is set again.

import { effect, signal, untracked } from "@preact/signals";
import type { Ack, Decimal, Message, Time, WorkerSession } from "@tickwire/client";

import { alertWishes, type AlertWish } from "./settings.js";

export interface Alert extends AlertWish {
  state: "armed" | "beyond" | "done";
  fired: number;
  last?: { value: Decimal; ts_event?: Time; ts_recv?: Time };
}

/** An alert that has happened, to be shown until somebody has seen it. */
export interface Happened {
  number: number;
  alert: Alert;
}

type ListAck = Ack & { alerts: Alert[] };

export class Alerts {
  readonly all = signal<readonly Alert[]>([]);
  readonly happened = signal<readonly Happened[]>([]);
  #session: WorkerSession | undefined;
  #count = 0;

  constructor(readonly failed: (error: Error) => void) {
    let before = alertWishes.peek();
    effect(() => {
      const now = alertWishes.value;
      // Cleared here, or on another page of this browser.
      for (const { alert } of before) if (!now.some((wish) => wish.alert === alert)) untracked(() => this.#drop(alert));
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
  async reconcile(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    try {
      const { alerts } = await session.request<ListAck>("alert_list");
      const missed = alerts.filter((alert) => this.#isNews(alert));
      const has = new Set(alerts.map(({ alert }) => alert));
      const lacking = alertWishes.value.filter(({ alert }) => !has.has(alert));
      this.all.value = [...alerts, ...lacking.filter(({ state }) => state === "done").map(asDone)];
      for (const alert of missed) this.#show(alert);
      alerts.forEach(remember);
      for (const wish of lacking) if (wish.state !== "done") await this.#set(wish);
    } catch (error) {
      this.failed(error as Error);
    }
  }

  /** Whether the value is beyond the bound already: then it has to come back first. */
  async set(wish: Omit<AlertWish, "alert">): Promise<boolean> {
    const made = { alert: `web-${Date.now().toString(36)}-${++this.#count}`, ...wish };
    const isBeyond = await this.#set(made);
    // It may have happened by now.
    const { state, fired } = this.#known(made.alert)!;
    alertWishes.value = [...alertWishes.value, { ...made, state, fired }];
    return isBeyond;
  }

  clear(alert: string): void {
    alertWishes.value = alertWishes.value.filter((wish) => wish.alert !== alert);
    // Those of elsewhere are no wishes of this browser.
    this.#drop(alert);
  }

  seen(number: number): void {
    this.happened.value = this.happened.value.filter((one) => one.number !== number);
  }

  seenAll(): void {
    this.happened.value = [];
  }

  /** What was armed when it was last known here, and is beyond now, has happened where nobody watched. */
  async #set({ state, fired: _, ...wish }: AlertWish): Promise<boolean> {
    const before = this.#known(wish.alert);
    const ack = await this.#session!.request<Ack & { beyond: boolean }>("alert_set", { ...wish, ...(state === "armed" && { armed: true }) });
    // It may have happened already.
    if (this.#known(wish.alert) === before) this.#put({ ...wish, state: ack.beyond ? "beyond" : "armed", fired: 0 });
    return ack.beyond;
  }

  #drop(alert: string): void {
    if (this.#known(alert) === undefined) return;
    this.all.value = this.all.value.filter((one) => one.alert !== alert);
    void this.#session?.request("alert_clear", { alert }).catch(() => {});
  }

  #known(alert: string): Alert | undefined {
    return this.all.value.find((one) => one.alert === alert);
  }

  /** What happened while this page was away. */
  #isNews({ alert, fired }: Alert): boolean {
    const known = this.#known(alert) ?? alertWishes.value.find((wish) => wish.alert === alert);
    return known?.fired !== undefined && fired > known.fired;
  }

  #take(message: Message): void {
    const { type: _, ts_sent: __, ...told } = message;
    const alert = told as unknown as Alert;
    this.#put(alert);
    this.#show(alert);
  }

  #put(alert: Alert): void {
    this.all.value = [...this.all.value.filter((one) => one.alert !== alert.alert), alert];
    remember(alert);
  }

  #show(alert: Alert): void {
    const others = this.happened.value.filter((one) => one.alert.alert !== alert.alert);
    this.happened.value = [...others, { number: ++this.#count, alert }].slice(-50);
  }
}

const asDone = (wish: AlertWish): Alert => ({ ...wish, state: "done", fired: wish.fired ?? 1 });

/** How an alert stands, for a page that is opened later. */
function remember({ alert, state, fired }: Alert): void {
  const changed = alertWishes.value.some((wish) => wish.alert === alert && (wish.state !== state || wish.fired !== fired));
  if (changed) alertWishes.value = alertWishes.value.map((wish) => (wish.alert === alert ? { ...wish, state, fired } : wish));
}
