// What has happened, in a corner: alerts stay until they are seen, troubles go by themselves.

import { useEffect } from "preact/hooks";

import { alerts, trouble } from "../feed/desk.js";
import type { Happened } from "../feed/alerts.js";
import { zone } from "../feed/settings.js";
import { groupDigits } from "../text/numbers.js";
import { count, marks, t } from "../text/texts.js";
import { clockText } from "../text/times.js";
import { toMilliseconds } from "@tickwire/client";

const TROUBLE_MS = 8000;
/** So many are shown; what is older waits behind them. */
export const SHOWN = 3;

function said({ alert }: Happened): string {
  const { symbol, field, above, below, last } = alert;
  const of = (text: string): string => groupDigits(text, marks.value);
  const direction = t(above === undefined ? "below" : "above");
  return t("alertHappened", { symbol, field: t(`field_${field}`), value: of(last?.value ?? ""), direction, bound: of(above ?? below ?? "") });
}

export function Toasts() {
  const { value: text } = trouble;
  useEffect(() => {
    if (text === "") return undefined;
    const timer = setTimeout(() => (trouble.value = ""), TROUBLE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  const { value: happened } = alerts.happened;
  return (
    <div class="toasts">
      {happened.length > 1 && (
        <p class="toast more">
          {happened.length > SHOWN && <span>{t("moreAlerts", { count: count(happened.length - SHOWN) })}</span>}
          <button type="button" class="quiet" onClick={() => alerts.seenNewest(happened.length)}>{t("dismissAll")}</button>
        </p>
      )}
      {happened.slice(-SHOWN).map((one) => {
        const at = one.alert.last?.ts_event ?? one.alert.last?.ts_recv;
        return (
          <div class="toast alert-toast" role="alert" key={one.number}>
            <span aria-hidden="true">◆</span>
            <p>{said(one)}{at !== undefined && <time> {clockText(toMilliseconds(at), zone.value)}</time>}</p>
            <button type="button" class="quiet" aria-label={t("dismiss")} onClick={() => alerts.seen(one.number)}>×</button>
          </div>
        );
      })}
      {text !== "" && (
        <div class="toast" role="alert">
          <p>{text}</p>
          <button type="button" class="quiet" aria-label={t("dismiss")} onClick={() => (trouble.value = "")}>×</button>
        </div>
      )}
    </div>
  );
}
