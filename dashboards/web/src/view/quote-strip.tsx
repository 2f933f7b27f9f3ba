// The focused symbol, large: its last price, how it moved, its day, and how it stands.

import { useEffect, useRef } from "preact/hooks";

import { market, symbol } from "../feed/desk.js";
import { isCalm, language } from "../feed/settings.js";
import { isDoubtful } from "../model/standing.js";
import { compactDigits, groupDigits, signedDigits, trimZeros } from "../text/numbers.js";
import { marks, t } from "../text/texts.js";
import { lateText } from "../text/times.js";
import { fractionDigits } from "@tickwire/client";
import { type Cell, cellsOf } from "./cell.js";
import { usePaint } from "./paint.js";
import { openSearch } from "./search.js";
import { directionOf, standing } from "./watchlist-row.js";

const NAMES = ["last", "change", "bid", "ask", "high", "low", "volume", "state"] as const;

export function QuoteStrip() {
  const strip = useRef<HTMLDivElement>(null);
  const cells = useRef<Record<(typeof NAMES)[number], Cell> | undefined>(undefined);
  const flash = useRef({ moves: -1, until: 0, of: "" });
  useEffect(() => void (cells.current = cellsOf(strip.current!, NAMES)), [language.value]);
  usePaint((time) => {
    const shown = market();
    const spots = cells.current;
    if (shown === undefined || spots === undefined || symbol.value === "") return;
    const instrument = shown.instrument(symbol.value);
    const { ticker, trend, moves } = instrument;
    const price = (text: string | null | undefined): string => (text == null ? "–" : groupDigits(text, marks.value));
    const glyph = trend > 0 ? "▲ " : trend < 0 ? "▼ " : "";
    spots.last.text(ticker?.last_price === undefined ? "–" : glyph + price(ticker.last_price));
    const direction = trend > 0 ? "up" : trend < 0 ? "down" : "";
    if (moves !== flash.current.moves || symbol.value !== flash.current.of) {
      const isOther = symbol.value !== flash.current.of;
      flash.current = { moves, of: symbol.value, until: isOther || isCalm.value ? 0 : time + 300 };
    }
    spots.last.mark(`price ${direction}${time < flash.current.until ? " flash" : ""}`);
    const { change, change_percent: percent } = ticker ?? {};
    const moved = change === undefined ? "–" : signedDigits(change, fractionDigits(change), marks.value);
    spots.change.text(percent === undefined ? moved : `${moved}  (${signedDigits(percent, 2, marks.value)} %)`);
    spots.change.mark(directionOf(moved));
    const side = (at: string | null | undefined, size: string | null | undefined): string => (at == null ? "–" : `${price(at)} × ${compactDigits(trimZeros(size ?? "0"), marks.value)}`);
    spots.bid.text(side(ticker?.bid_price, ticker?.bid_size));
    spots.ask.text(side(ticker?.ask_price, ticker?.ask_size));
    spots.high.text(price(ticker?.high));
    spots.low.text(price(ticker?.low));
    spots.volume.text(ticker?.volume === undefined ? "–" : compactDigits(ticker.volume, marks.value));
    const stands = standing(instrument);
    const isPlain = stands === "live" || stands === "waiting";
    const late = instrument.delayMs > 0 ? lateText(instrument.delayMs) : "";
    spots.state.text(isPlain ? (late === "" ? "" : `${t("delayed")} ${late}`) : t(`state_${stands}`));
    spots.state.mark(isPlain ? (late === "" ? "tag none" : "tag delayed") : `tag ${stands}`);
    spots.state.title(isPlain ? (late === "" ? "" : t("delayedBy", { span: late })) : (instrument.status?.reason ?? ""));
    strip.current!.classList.toggle("doubtful", isDoubtful(stands));
    const title = t("title", { symbol: symbol.value, price: price(ticker?.last_price) });
    if (document.title !== title) document.title = title;
  });
  return (
    <div class="strip-box"><div class="strip" ref={strip} key={language.value}>
      <h1><button type="button" class="symbol" title={t("search")} onClick={() => openSearch()}>{symbol.value || "–"}</button></h1>
      <span data-cell="last" class="price" />
      <span data-cell="change" />
      <span data-cell="state" class="tag none" />
      <dl>
        <div><dt>{t("bid")}</dt><dd data-cell="bid" /></div>
        <div><dt>{t("ask")}</dt><dd data-cell="ask" /></div>
        <div><dt>{t("high")}</dt><dd data-cell="high" /></div>
        <div><dt>{t("low")}</dt><dd data-cell="low" /></div>
        <div><dt>{t("volume24")}</dt><dd data-cell="volume" /></div>
      </dl>
    </div></div>
  );
}
