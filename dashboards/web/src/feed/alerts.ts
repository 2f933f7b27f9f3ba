// Price alerts: the server watches, also while nobody looks; what a restart of it forgets is set again.

import { signal } from "@preact/signals";
import type { Ack, Decimal, Message, Time, WorkerSession } from "@tickwire/client";

import { alertWishes, type AlertWish } from "./settings.js";

export interface Alert extends AlertWish {
  state: "armed" | "beyond" | "done" | "setting";
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

  constructor(readonly failed: (error: Error) => void) {}

  attach(session: WorkerSession): void {
    this.#session = session;
    session.on("message", (message) => {
      if (message.type === "alert") this.#take(message);
    });
  }

  /** After each welcome: what the server has counts, and what it lacks is set again. */
  async reconcile(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    try {
      const { alerts } = await session.request<ListAck>("alert_list");
      const missed = alerts.filter((alert) => this.#isNews(alert));
      this.all.value = alerts;
      for (const alert of missed) this.#show(alert);
      const has = new Set(alerts.map(({ alert }) => alert));
      for (const wish of alertWishes.value) if (!has.has(wish.alert)) await this.#set(wish);
    } catch (error) {
      this.failed(error as Error);
    }
  }

  /** Whether the value is beyond the bound already: then it has to come back first. */
  async set(wish: Omit<AlertWish, "alert">): Promise<boolean> {
    const made = { alert: `web-${Date.now().toString(36)}-${++this.#count}`, ...wish };
    const isBeyond = await this.#set(made);
    alertWishes.value = [...alertWishes.value, made];
    return isBeyond;
  }

  async clear(alert: string): Promise<void> {
    alertWishes.value = alertWishes.value.filter((wish) => wish.alert !== alert);
    this.all.value = this.all.value.filter((one) => one.alert !== alert);
    await this.#session?.request("alert_clear", { alert });
  }

  seen(number: number): void {
    this.happened.value = this.happened.value.filter((one) => one.number !== number);
  }

  async #set(wish: AlertWish): Promise<boolean> {
    const ack = await this.#session!.request<Ack & { beyond?: boolean }>("alert_set", wish);
    this.#put({ ...wish, state: ack.beyond ? "beyond" : "armed", fired: 0 });
    return ack.beyond ?? false;
  }

  /** What happened while this page was away. */
  #isNews({ alert, fired }: Alert): boolean {
    const known = this.all.value.find((one) => one.alert === alert);
    return known !== undefined && fired > known.fired;
  }

  #take(message: Message): void {
    const { type: _, ts_sent: __, ...told } = message;
    const alert = told as unknown as Alert;
    this.#put(alert);
    this.#show(alert);
  }

  #put(alert: Alert): void {
    this.all.value = [...this.all.value.filter((one) => one.alert !== alert.alert), alert];
  }

  #show(alert: Alert): void {
    const others = this.happened.value.filter((one) => one.alert.alert !== alert.alert);
    this.happened.value = [...others, { number: ++this.#count, alert }].slice(-5);
  }
}
