// The chart for those who do not see it: a sentence, and the last bars as a table. Told anew every few seconds.

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { formatDecimal, fractionDigits, subtractDecimals } from "@tickwire/client";

import { interval, market, symbol } from "../feed/desk.js";
import { zone } from "../feed/settings.js";
import type { Bar } from "../model/bars.js";
import { groupDigits, signedDigits } from "../text/numbers.js";
import { marks, t } from "../text/texts.js";
import { dateTimeText } from "../text/times.js";
import { usePaint } from "./paint.js";

const BARS = 10;
const EVERY_MS = 3000;

export function BarsTable() {
  const shown = useSignal<readonly Bar[]>([]);
  const told = useRef({ at: 0, of: "" });
  usePaint((time) => {
    const of = `${symbol.value} ${interval.value}`;
    if (told.current.of === of && time - told.current.at < EVERY_MS) return;
    const bars = market()?.bars(symbol.value, interval.value);
    if (bars === undefined) return;
    told.current = { at: time, of };
    shown.value = bars.all.slice(-BARS);
  });
  const bars = shown.value;
  const last = bars.at(-1)?.candle;
  const of = (text: string): string => groupDigits(text, marks.value);
  if (last === undefined) return <p class="unseen">{t("noBars")}</p>;
  const first = bars[0]!.candle;
  const change = subtractDecimals(last.close, first.open);
  const values = {
    symbol: symbol.value, interval: interval.value, open: of(last.open), high: of(last.high), low: of(last.low), close: of(last.close),
    volume: of(last.volume), change: signedDigits(formatDecimal(change, fractionDigits(change)), fractionDigits(change), marks.value), count: bars.length,
  };
  return (
    <div class="unseen">
      <p id="chart-summary">{t("chartSummary", values)}</p>
      <table>
        <caption>{t("barsCaption", values)}</caption>
        <thead><tr>{(["time", "open", "high", "low", "close", "volume"] as const).map((name) => <th key={name} scope="col">{t(name)}</th>)}</tr></thead>
        <tbody>
          {[...bars].reverse().map(({ time, candle }) => (
            <tr key={time}>
              <th scope="row">{dateTimeText(time * 1000, zone.value)}</th>
              <td>{of(candle.open)}</td><td>{of(candle.high)}</td><td>{of(candle.low)}</td><td>{of(candle.close)}</td><td>{of(candle.volume)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
