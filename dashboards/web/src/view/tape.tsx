// Time and sales: newest on top; who scrolls away keeps what they read, and is told how much is new.

import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { compareDecimals, isDecimal } from "@tickwire/client";

import { connection, isReplaying, market, symbol } from "../feed/desk.js";
import { language, minSize, zone } from "../feed/settings.js";
import type { TapeLine } from "../model/market.js";
import { columnDigits } from "../text/numbers.js";
import { marks, t } from "../text/texts.js";
import { usePaint } from "./paint.js";
import { TapeRow } from "./tape-row.js";

const ROW = 20;
/** So many rows there are; more is no list that anybody reads. */
const ROWS = 200;

function isShown({ trade, passed }: TapeLine, least: string): boolean {
  if (least === "" || passed !== undefined) return true;
  const size = trade!.volume ?? trade!.size;
  return size !== undefined && compareDecimals(size, least) >= 0;
}

export function Tape() {
  const box = useRef<HTMLDivElement>(null);
  const body = useRef<HTMLTableSectionElement>(null);
  const rows = useRef<TapeRow[]>([]);
  const held = useRef<readonly TapeLine[] | undefined>(undefined);
  const fresh = useSignal(0);
  const isEmpty = useSignal(true);
  const seen = useRef<readonly TapeLine[] | undefined>(undefined);
  const life = `${language.value} ${zone.value} ${symbol.value} ${isReplaying.value} ${minSize.value}`;

  useEffect(() => {
    rows.current = [...body.current!.querySelectorAll("tr")].map((row) => new TapeRow(row));
    seen.current = undefined;
  }, [life]);
  useSignalEffect(() => {
    void [symbol.value, isReplaying.value, minSize.value];
    held.current = undefined;
    fresh.value = 0;
    if (box.current !== null) box.current.scrollTop = 0;
  });

  usePaint(() => {
    const shown = market();
    if (shown === undefined || box.current === null) return;
    box.current.classList.toggle("doubtful", connection.value?.phase !== "live");
    const tape = shown.tape(symbol.value);
    const newest = tape[0]?.number ?? 0;
    if (held.current !== undefined) {
      const from = held.current[0]?.number ?? 0;
      fresh.value = tape.filter((line) => line.number > from && isShown(line, minSize.value)).length;
      if (newest !== 0) return;
      // All that was had is void: another place of a recording.
      held.current = undefined;
    }
    fresh.value = 0;
    if (tape === seen.current) return;
    seen.current = tape;
    const most = Math.ceil(box.current.clientHeight / ROW) + 1;
    draw(tape, most);
  });

  /** Draws the first rows: those further down nobody sees until they scroll. */
  const draw = (tape: readonly TapeLine[], most: number): void => {
    const shown = tape.filter((line) => isShown(line, minSize.value)).slice(0, Math.min(most, ROWS));
    const digits = columnDigits(shown.map(({ trade }) => trade?.size ?? "0"));
    isEmpty.value = shown.length === 0;
    for (let at = 0; at < Math.min(most, ROWS); at++) rows.current[at]?.paint(shown[at], digits);
  };

  const scroll = (): void => {
    const { scrollTop } = box.current!;
    if (scrollTop < 2) {
      held.current = undefined;
      seen.current = undefined;
    } else if (held.current === undefined) {
      held.current = market()?.tape(symbol.value) ?? [];
      draw(held.current, ROWS);
    }
  };
  const filter = (text: string): void => {
    const value = text.trim().replace(marks.value.decimal, ".");
    if (value === "" || isDecimal(value)) minSize.value = value;
  };

  return (
    <section class="pane tape" aria-label={t("trades")}>
      <header class="pane-head">
        <h2>{t("trades")}</h2>
        <label class="grow-left">{t("minSize")}{" "}
          <input class="number" inputMode="decimal" size={6} value={minSize.value} onInput={(event) => filter(event.currentTarget.value)} />
        </label>
      </header>
      <div class="scroll" ref={box} onScroll={scroll} tabIndex={0} role="group" aria-label={t("tradesCaption", { symbol: symbol.value })}>
        <table>
          <caption class="unseen">{t("tradesCaption", { symbol: symbol.value })}</caption>
          <thead><tr><th scope="col" class="text">{t("time")}</th><th scope="col">{t("price")}</th><th scope="col">{t("size")}</th></tr></thead>
          <tbody ref={body} key={life}>
            {Array.from({ length: ROWS }, (_, at) => <tr key={at}><td data-cell="time" class="text dim" /><td data-cell="price" /><td data-cell="size" /></tr>)}
          </tbody>
        </table>
        {isEmpty.value && <p class="tape-empty">{t("noTrades")}</p>}
      </div>
      {fresh.value > 0 && (
        <button type="button" class="fresh" aria-label={t("toNewest", { count: fresh.value })} onClick={() => (box.current!.scrollTop = 0)}>↑ {t("newTrades", { count: fresh.value })}</button>
      )}
    </section>
  );
}
