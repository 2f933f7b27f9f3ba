// Setting a price alert, and the list of those that are set.

import { signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { compareDecimals } from "@tickwire/client";

import { alerts, market, symbol } from "../feed/desk.js";
import type { Alert } from "../feed/alerts.js";
import type { AlertWish } from "../feed/wishes.js";
import { groupDigits, readDigits, writeDigits } from "../text/numbers.js";
import { count, marks, t } from "../text/texts.js";
import { Dialog } from "./dialog.js";

/** What the dialog begins with; none while it is closed. */
const wished = signal<{ symbol: string; bound: string } | null>(null);

export function openAlert(wish: Partial<{ symbol: string; bound: string }> = {}): void {
  const name = wish.symbol ?? symbol.value;
  wished.value = { symbol: name, bound: wish.bound ?? market()?.instrument(name).ticker?.last_price ?? "" };
}

/** An alert in words. */
export function alertText({ symbol: name, field, above, below }: Omit<AlertWish, "alert" | "state">): string {
  const bound = groupDigits(above ?? below ?? "", marks.value);
  return t("alertText", { symbol: name, field: t(`field_${field}`), direction: t(above === undefined ? "below" : "above"), bound });
}

export function AlertDialog() {
  return wished.value === null ? null : <Panel key={`${wished.value.symbol} ${wished.value.bound}`} />;
}

const FIELDS = ["last_price", "bid_price", "ask_price", "change_percent"] as const;

function Panel() {
  const first = wished.value!;
  const last = market()?.instrument(first.symbol).ticker?.last_price;
  const field = useSignal<AlertWish["field"]>("last_price");
  const bound = useSignal(writeDigits(first.bound, marks.value));
  const isBelow = last !== undefined && first.bound !== "" && compareDecimals(first.bound, last) < 0;
  const direction = useSignal<"above" | "below">(isBelow ? "below" : "above");
  const isRepeating = useSignal(false);
  const note = useSignal("");
  const close = (): void => void (wished.value = null);
  const read = readDigits(bound.value, marks.value);
  const meant = read === undefined ? "" : alertText({ symbol: first.symbol, field: field.value, [direction.value]: read });
  // The list says how they stand now.
  useEffect(() => void alerts.reconcile(), []);
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (read === undefined) {
      note.value = t("boundInvalid", { example: groupDigits("68900.50", marks.value) });
      return;
    }
    try {
      const isBeyond = await alerts.set({ symbol: first.symbol, field: field.value, [direction.value]: read, ...(isRepeating.value && { repeat: true }) });
      if (isBeyond) note.value = t("alreadyBeyond");
      else close();
    } catch (error) {
      note.value = (error as Error).message;
    }
  };
  return (
    <Dialog title={`${t("newAlert")} · ${first.symbol}`} name="alert" onClose={close}>
      <form onSubmit={(event) => void submit(event)}>
        <label>{t("field")}
          <select value={field.value} onChange={(event) => (field.value = event.currentTarget.value as AlertWish["field"])}>
            {FIELDS.map((one) => <option key={one} value={one}>{t(`field_${one}`)}</option>)}
          </select>
        </label>
        <label>{t("condition")}
          <select value={direction.value} onChange={(event) => (direction.value = event.currentTarget.value as "above" | "below")}>
            <option value="above">{t("above")}</option><option value="below">{t("below")}</option>
          </select>
        </label>
        <label>{t("bound")}
          <input class="number" inputMode="decimal" autocomplete="off" autoFocus value={bound.value} aria-describedby="alert-note" onInput={(event) => ((bound.value = event.currentTarget.value), (note.value = ""))} />
        </label>
        <label class="check"><input type="checkbox" checked={isRepeating.value} onChange={(event) => (isRepeating.value = event.currentTarget.checked)} /> {t("repeat")}</label>
        <p id="alert-note" class={note.value === "" ? "note meant" : "note"} role="status">{note.value || meant}</p>
        <div class="actions"><button type="submit" class="primary">{t("set")}</button><button type="button" onClick={close}>{t("cancel")}</button></div>
      </form>
      <AlertList />
      <p class="dim">{t("atMost")}</p>
    </Dialog>
  );
}

function AlertList() {
  const all = alerts.all.value;
  if (all.length === 0) return <p class="dim">{t("noAlerts")}</p>;
  return <ul class="alert-list">{all.map((alert) => <Item key={alert.alert} alert={alert} />)}</ul>;
}

function Item({ alert }: { alert: Alert }) {
  const text = alertText(alert);
  return (
    <li>
      <span>{text}</span>
      <span class={`tag alert-${alert.state}`}>{t(`alert_${alert.state}`)}</span>
      <span class="dim">{alert.fired > 0 ? t("firedTimes", { count: count(alert.fired) }) : ""}</span>
      <button type="button" class="quiet" aria-label={t("clear", { alert: text })} onClick={() => alerts.clear(alert.alert)}>×</button>
    </li>
  );
}
