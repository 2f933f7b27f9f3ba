// The chart of bars: candles, volume, the price line, in the palette and the time zone of the page.

import {
  CandlestickSeries, ColorType, createChart, CrosshairMode, HistogramSeries, type IChartApi, type ISeriesApi, LineStyle, type UTCTimestamp,
} from "lightweight-charts";
import { fractionDigits, toApproximateNumber } from "@tickwire/client";

import type { Bar, Bars } from "../model/bars.js";
import type { Marks } from "../text/numbers.js";
import { groupDigits } from "../text/numbers.js";
import { axisText, dateTimeText, type Zone } from "../text/times.js";
import { colourOf } from "./canvas.js";

/** What is drawn besides bars. */
export interface Look {
  zone: Zone;
  language: string;
  marks: Marks;
  /** The finest step of prices, exact. */
  tick: string;
}

export class CandleChart {
  readonly chart: IChartApi;
  readonly #candles: ISeriesApi<"Candlestick">;
  readonly #volume: ISeriesApi<"Histogram">;
  #bars: Bars | undefined;
  #version = -1;
  #resets = -1;
  #title = "";
  #colours = colourOf();

  constructor(box: HTMLElement, look: Look) {
    this.chart = createChart(box, {
      autoSize: true,
      // Its own logo brings a style tag and markup of its own, which the page's policy forbids: the page links instead.
      layout: { attributionLogo: false, fontFamily: getComputedStyle(document.body).fontFamily, fontSize: 11, panes: { enableResize: false } },
      crosshair: { mode: CrosshairMode.Normal },
      timeScale: { rightOffset: 6, barSpacing: 7, minBarSpacing: 1, timeVisible: true },
      rightPriceScale: { scaleMargins: { top: 0.08, bottom: 0.06 }, minimumWidth: 84 },
    });
    this.#candles = this.chart.addSeries(CandlestickSeries, { priceLineStyle: LineStyle.Dotted, borderVisible: false });
    this.#volume = this.chart.addSeries(HistogramSeries, { priceFormat: { type: "volume" }, priceLineVisible: false, lastValueVisible: false }, 1);
    const panes = this.chart.panes();
    panes[0]?.setStretchFactor(5);
    panes[1]?.setStretchFactor(1);
    this.look(look);
  }

  look({ zone, language, marks, tick }: Look): void {
    const colours = (this.#colours = colourOf());
    const digits = fractionDigits(tick);
    const grid = { color: colours.line };
    this.chart.applyOptions({
      layout: { background: { type: ColorType.Solid, color: "transparent" }, textColor: colours.dim, panes: { separatorColor: colours.line } },
      grid: { vertLines: grid, horzLines: grid },
      rightPriceScale: { borderColor: colours.line },
      timeScale: {
        borderColor: colours.line,
        tickMarkFormatter: (time: UTCTimestamp, kind: number) => axisText(time, kind, zone, language),
      },
      crosshair: { vertLine: { color: colours.dim, labelBackgroundColor: colours.accent }, horzLine: { color: colours.dim, labelBackgroundColor: colours.accent } },
      localization: {
        locale: language,
        timeFormatter: (time: UTCTimestamp) => dateTimeText(time * 1000, zone),
        priceFormatter: (price: number) => groupDigits(price.toFixed(digits), marks),
      },
    });
    this.#candles.applyOptions({
      upColor: colours.up, downColor: colours.down, wickUpColor: colours.up, wickDownColor: colours.down,
      priceFormat: { type: "price", precision: digits, minMove: toApproximateNumber(tick) },
    });
    this.#version = this.#resets = -1;
  }

  /** Draws what has changed of these bars. */
  draw(bars: Bars, withSeconds: boolean): void {
    if (bars === this.#bars && bars.version === this.#version) return;
    const { last } = bars;
    if (bars !== this.#bars || bars.resets !== this.#resets || last === undefined) {
      const isOther = bars !== this.#bars;
      const before = isOther ? null : this.chart.timeScale().getVisibleRange();
      this.#candles.setData(bars.all.map((bar) => this.#candle(bar)));
      this.#volume.setData(bars.all.map((bar) => this.#column(bar)));
      this.chart.timeScale().applyOptions({ secondsVisible: withSeconds });
      if (isOther || before === null) this.goLive();
    } else {
      // One flush may close a bar and open the next one.
      const since = bars.all.slice(-4).filter(({ time }) => time >= this.#drawnTo);
      for (const bar of since) {
        this.#candles.update(this.#candle(bar));
        this.#volume.update(this.#column(bar));
      }
    }
    this.#bars = bars;
    this.#version = bars.version;
    this.#resets = bars.resets;
    this.#drawnTo = last?.time ?? 0;
  }

  #drawnTo = 0;

  /** Beside the last price: how long its bar still takes. */
  countdown(text: string): void {
    if (text === this.#title) return;
    this.#title = text;
    this.#candles.applyOptions({ title: text });
  }

  /** The newest bar is in sight. */
  get isLive(): boolean {
    return this.chart.timeScale().scrollPosition() > -2;
  }

  goLive(): void {
    this.chart.timeScale().scrollToPosition(6, false);
  }

  /** Scrolls by bars, back where negative. */
  scroll(bars: number): void {
    const scale = this.chart.timeScale();
    scale.scrollToPosition(scale.scrollPosition() + bars, false);
  }

  zoom(factor: number): void {
    const scale = this.chart.timeScale();
    const { barSpacing } = scale.options();
    scale.applyOptions({ barSpacing: Math.min(40, Math.max(1, barSpacing * factor)) });
  }

  /** Calls `run` when bars further back than these are looked at. */
  onBack(run: () => void): void {
    this.chart.timeScale().subscribeVisibleLogicalRangeChange((range) => {
      if (range !== null && range.from < 10) run();
    });
  }

  onMove(run: (time: number | undefined) => void): void {
    this.chart.subscribeCrosshairMove(({ time }) => run(time as number | undefined));
  }

  remove(): void {
    this.chart.remove();
  }

  #candle({ time, candle }: Bar) {
    const of = toApproximateNumber;
    return { time: time as UTCTimestamp, open: of(candle.open), high: of(candle.high), low: of(candle.low), close: of(candle.close) };
  }

  #column({ time, candle }: Bar) {
    const isUp = toApproximateNumber(candle.close) >= toApproximateNumber(candle.open);
    return { time: time as UTCTimestamp, value: toApproximateNumber(candle.volume), color: isUp ? this.#colours.upBar : this.#colours.downBar };
  }
}
