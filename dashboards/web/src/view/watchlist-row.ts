// A row of the watchlist: what stands in its cells, and how long they flash.

import { connection, isReplaying, now } from "../feed/desk.js";
import { isCalm } from "../feed/settings.js";
import { drawSparkline } from "../draw/sparkline.js";
import type { Instrument, Market } from "../model/market.js";
import { isDoubtful, type Standing, standingOf } from "../model/standing.js";
import { compactDigits, groupDigits, signedDigits, trimZeros } from "../text/numbers.js";
import { marks, t } from "../text/texts.js";
import { ageText, lateText } from "../text/times.js";
import { type Cell, cellsOf } from "./cell.js";
import { toMilliseconds } from "@tickwire/client";

const FLASH_MS = 300;
/** Ages and lines are drawn so often. */
const SLOW_MS = 500;
const SPARK = { width: 84, height: 18 };

const NAMES = ["state", "last", "change", "bid", "ask", "size", "volume", "age"] as const;

/** The class of a signed number, as it is shown: what is shown as zero has none. */
export function directionOf(shown: string): string {
  return shown.startsWith("+") ? "up" : shown.startsWith("\u2212") ? "down" : "";
}

/** How an instrument of the page's market stands. */
export function standing(instrument: Instrument): Standing {
  const phase = isReplaying.value && connection.value?.phase === "live" ? "live" : (connection.value?.phase ?? "connecting");
  return standingOf(phase, instrument.ticker !== undefined, false, instrument.status?.state);
}

export class Row {
  readonly #cells: Record<(typeof NAMES)[number], Cell>;
  readonly #canvas: HTMLCanvasElement;
  #version = -1;
  #moves = -1;
  #standing: Standing | "" = "";
  #flashUntil = 0;
  #drawn = 0;
  #bars = -1;

  constructor(
    readonly node: HTMLTableRowElement,
    readonly symbol: string,
  ) {
    this.#cells = cellsOf(node, NAMES);
    this.#canvas = node.querySelector("canvas")!;
  }

  focus(): void {
    this.node.querySelector<HTMLElement>("button.row")!.focus();
  }

  /** It is drawn anew at the next paint. */
  stale(): void {
    this.#version = -1;
  }

  paint(market: Market, time: number): void {
    const instrument = market.instrument(this.symbol);
    const stands = standing(instrument);
    if (instrument.version !== this.#version || stands !== this.#standing) this.#texts(instrument, stands);
    this.#flash(instrument, time);
    if (time - this.#drawn < SLOW_MS) return;
    this.#drawn = time;
    this.#age(instrument, stands);
    const bars = market.bars(this.symbol, "1s");
    if (bars.version === this.#bars) return;
    this.#bars = bars.version;
    drawSparkline(this.#canvas, bars, SPARK.width, SPARK.height);
  }

  #texts(instrument: Instrument, stands: Standing): void {
    this.#version = instrument.version;
    this.#standing = stands;
    const { last, change, bid, ask, size, volume, state } = this.#cells;
    const { ticker, trend, delayMs } = instrument;
    const price = (text: string | null | undefined): string => (text == null ? "–" : groupDigits(text, marks.value));
    const glyph = trend > 0 ? "▲ " : trend < 0 ? "▼ " : "";
    last.text(ticker?.last_price === undefined ? "–" : glyph + price(ticker.last_price));
    const percent = ticker?.change_percent;
    const shown = percent === undefined ? "–" : signedDigits(percent, 2, marks.value);
    change.text(shown);
    change.mark(directionOf(shown));
    bid.text(price(ticker?.bid_price));
    ask.text(price(ticker?.ask_price));
    size.text(ticker?.last_size === undefined ? "–" : compactDigits(trimZeros(ticker.last_size), marks.value));
    volume.text(ticker?.volume === undefined ? "–" : compactDigits(ticker.volume, marks.value));
    const isPlain = stands === "live" || stands === "waiting";
    state.text(isPlain ? (delayMs > 0 ? t("delayed") : "") : t(`state_${stands}`));
    state.mark(isPlain ? (delayMs > 0 ? "tag delayed" : "tag none") : `tag ${stands}`);
    state.title(isPlain ? (delayMs > 0 ? t("delayedBy", { span: lateText(delayMs) }) : "") : (instrument.status?.reason ?? ""));
    this.node.classList.toggle("doubtful", isDoubtful(stands));
  }

  #flash({ moves, trend }: Instrument, time: number): void {
    const { last } = this.#cells;
    const direction = trend > 0 ? "up" : trend < 0 ? "down" : "";
    if (moves !== this.#moves) {
      const isFirst = this.#moves < 0;
      this.#moves = moves;
      this.#flashUntil = isFirst || isCalm.value ? 0 : time + FLASH_MS;
      last.mark(this.#flashUntil > 0 ? `${direction} flash` : direction);
    } else if (this.#flashUntil > 0 && time >= this.#flashUntil) {
      this.#flashUntil = 0;
      last.mark(direction);
    }
  }

  #age({ ticker }: Instrument, stands: Standing): void {
    const { age } = this.#cells;
    const at = ticker?.ts_recv ?? ticker?.ts_event;
    age.text(at === undefined ? "–" : ageText(Math.max(0, now() - toMilliseconds(at))));
    age.mark(isDoubtful(stands) ? "old" : "dim");
  }
}
