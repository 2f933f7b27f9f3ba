// Price alerts that this browser wants: the same on all its pages, and how they stood when one of them last knew.

import { kept, keptInTab } from "./settings.js";

/** A price that the server watches for. */
export interface AlertWish {
  alert: string;
  symbol: string;
  field: "last_price" | "bid_price" | "ask_price" | "change_percent";
  above?: string;
  below?: string;
  repeat?: boolean;
  /** Absent while there was no value. */
  state?: "armed" | "beyond" | "done";
}

const stored = kept<readonly AlertWish[]>("alerts", [], (value) => Array.isArray(value) && value.every((one) => typeof one?.alert === "string"));
/** How often each has happened to this tab's guest, as far as that was told. */
const counted = keptInTab<Record<string, number>>("alerts", {}, (value) => typeof value === "object" && value !== null && !Array.isArray(value));

export const wishes = stored.signal;

/** Pages change them at once: each takes what is there by now. */
function change(run: (all: readonly AlertWish[]) => readonly AlertWish[]): void {
  stored.refresh();
  const before = wishes.peek();
  const after = run(before);
  if (after !== before) wishes.value = after;
}

export const wishOf = (alert: string): AlertWish | undefined => wishes.peek().find((wish) => wish.alert === alert);

export function add(wish: AlertWish): void {
  change((all) => [...all, wish]);
}

export function remove(alert: string): void {
  change((all) => (all.some((wish) => wish.alert === alert) ? all.filter((wish) => wish.alert !== alert) : all));
  const { [alert]: _, ...others } = counted.signal.peek();
  counted.signal.value = others;
}

/** How an alert stands now. */
export function remember(alert: string, state: AlertWish["state"], fired: number): void {
  if (counted.signal.peek()[alert] !== fired) counted.signal.value = { ...counted.signal.peek(), [alert]: fired };
  // Nothing is known of a value that has not come: how it stood before is what counts.
  if (state === undefined) return;
  change((all) => (all.some((wish) => wish.alert === alert && wish.state !== state) ? all.map((wish) => (wish.alert === alert ? { ...wish, state } : wish)) : all));
}

/** How often it had happened when this tab was last told. */
export const told = (alert: string): number | undefined => counted.signal.peek()[alert];
