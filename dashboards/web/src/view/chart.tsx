// The pane of bars: the chart, what it says in words, and older bars when it is scrolled back.

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { candlesBefore, formatDecimal, fractionDigits, HttpError, subtractDecimals } from "@tickwire/client";

import { connection, http, interval, isReplaying, market, now, pickInterval, replay, symbol, tell, tickOf } from "../feed/desk.js";
import { language, palette, zone } from "../feed/settings.js";
import { CandleChart } from "../draw/candles.js";
import { type Bar, BARS, INTERVALS, SECONDS } from "../model/bars.js";
import { compactDigits, groupDigits, signedDigits } from "../text/numbers.js";
import { marks, t } from "../text/texts.js";
import { countdownText } from "../text/times.js";
import { BarsTable } from "./bars-table.js";
import { Cell } from "./cell.js";
import { usePaint } from "./paint.js";

const HISTORY_PAGE = 500;
/** So many bars fill a chart; where there are fewer, older ones are asked for, not more often than this. */
const FILLED = 120;
const FILL_MS = 2000;

export function Chart() {
  const box = useRef<HTMLDivElement>(null);
  const legend = useRef<HTMLParagraphElement>(null);
  const chart = useRef<CandleChart | undefined>(undefined);
  const legendCell = useRef<Cell | undefined>(undefined);
  const isBack = useSignal(false);
  const isLoading = useSignal(false);
  const isEmpty = useSignal(true);
  const pointed = useRef<number | undefined>(undefined);
  const isExhausted = useRef("");
  const askedAt = useRef(Number.NEGATIVE_INFINITY);

  const look = () => ({ zone: zone.value, language: language.value, marks: marks.value, tick: tickOf(symbol.value) ?? "0.01" });

  /** Older bars, as far as the server, or the recording, has them. */
  const loadBack = async (): Promise<void> => {
    const [name, span, from, recording] = [symbol.value, interval.value, http(), replay.playing.value?.recording];
    const bars = market()?.bars(name, span);
    const first = bars?.all[0];
    const key = `${recording ?? ""} ${name} ${span} ${first?.time}`;
    if (bars === undefined || first === undefined || from === undefined || isLoading.value || isExhausted.current === key || bars.all.length >= BARS.history) return;
    isLoading.value = true;
    try {
      const older = await candlesBefore(from, name, span, first.candle.start, HISTORY_PAGE, recording);
      // Another place of a recording may be shown by now: then these are not what is missing.
      if (bars.all[0] === first && bars.prepend(older) === 0) isExhausted.current = key;
    } catch (error) {
      // What may pass is tried again when the chart is next moved.
      if (!(error instanceof HttpError && error.retryable)) isExhausted.current = key;
      tell(error as Error);
    } finally {
      isLoading.value = false;
    }
  };

  useEffect(() => {
    const made = new CandleChart(box.current!, look());
    chart.current = made;
    legendCell.current = new Cell(legend.current!);
    made.onBack(() => void loadBack());
    made.onMove((time) => (pointed.current = time));
    return () => made.remove();
  }, []);
  useSignalEffect(() => {
    void [palette(), symbol.value];
    // The style sheet has the new palette by the next frame.
    const wish = look();
    requestAnimationFrame(() => chart.current?.look(wish));
  });

  usePaint((time) => {
    const bars = market()?.bars(symbol.value, interval.value);
    const { current: drawn } = chart;
    if (bars === undefined || drawn === undefined) return;
    drawn.draw(bars, interval.value === "1s");
    // A place in a recording begins with few.
    if (bars.all.length < FILLED && time - askedAt.current > FILL_MS) {
      askedAt.current = time;
      void loadBack();
    }
    isEmpty.value = bars.last === undefined;
    isBack.value = !drawn.isLive;
    box.current!.classList.toggle("doubtful", connection.value?.phase !== "live");
    const { last } = bars;
    const ends = last === undefined ? 0 : (last.time + SECONDS[interval.value]) * 1000 - now();
    drawn.countdown(last === undefined || interval.value === "1s" || ends < 0 ? "" : countdownText(ends));
    const shown = pointed.current === undefined ? last : bars.all.find(({ time }) => time === pointed.current) ?? last;
    legendCell.current?.text(shown === undefined ? "" : legendOf(shown));
  });

  const keys = (event: KeyboardEvent): void => {
    const { current: drawn } = chart;
    const run = {
      ArrowLeft: () => drawn?.scroll(-5), ArrowRight: () => drawn?.scroll(5), "+": () => drawn?.zoom(1.25), "-": () => drawn?.zoom(0.8), End: () => drawn?.goLive(),
    }[event.key];
    if (run === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  };

  return (
    <section class="pane chart" aria-label={t("chart")}>
      <header class="pane-head">
        <div role="group" aria-label={t("interval")} class="choices">
          {INTERVALS.map((one, at) => (
            <button type="button" key={one} aria-pressed={one === interval.value} title={`${at + 1}`} onClick={() => pickInterval(one)}>{one}</button>
          ))}
        </div>
        <p class="legend" ref={legend} />
      </header>
      <div class="chart-box">
        <div class="canvas-box" ref={box} tabIndex={0} role="group" aria-label={t("chartKeys")} onKeyDown={keys} />
        {isEmpty.value && <p class="chart-note">{t("noBars")}</p>}
        {isLoading.value && <p class="chart-note loading">{t("loadingHistory")}</p>}
        {isBack.value && !isEmpty.value && <button type="button" class="go-live" onClick={() => chart.current?.goLive()}>{t(isReplaying.value ? "goNewest" : "goLive")} →</button>}
        <a class="attribution" href="https://www.tradingview.com/" target="_blank" rel="noreferrer noopener">{t("attribution")}</a>
      </div>
      <BarsTable />
    </section>
  );
}

function legendOf({ candle }: Bar): string {
  const of = (text: string): string => groupDigits(text, marks.value);
  const difference = subtractDecimals(candle.close, candle.open);
  const digits = Math.max(fractionDigits(candle.close), fractionDigits(candle.open));
  const names = [t("open"), t("high"), t("low"), t("close")].map((name) => name[0]);
  const values = [candle.open, candle.high, candle.low, candle.close].map(of);
  const parts = names.map((name, at) => `${name} ${values[at]}`);
  return `${parts.join("  ")}  ${signedDigits(formatDecimal(difference, digits), digits, marks.value)}  ${t("volume")} ${compactDigits(candle.volume, marks.value)}`;
}
