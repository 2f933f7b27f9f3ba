// The ladder: levels of the book on both sides of a middle that stays where it is, and the depth below it.

import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { addDecimals, type Decimal } from "@tickwire/client";

import { connection, deepen, market, symbol, tickOf } from "../feed/desk.js";
import { type BarRow, drawBars } from "../draw/bars.js";
import { drawDepth } from "../draw/depth.js";
import { groupingOf, ladderSide, middle, scaleBars, tickOf as finestOf } from "../model/levels.js";
import { compactDigits, groupDigits } from "../text/numbers.js";
import { language } from "../feed/settings.js";
import { marks, t } from "../text/texts.js";
import { openAlert } from "./alert-dialog.js";
import { Cell } from "./cell.js";
import { LadderRows } from "./ladder-rows.js";
import { usePaint } from "./paint.js";
import { recenter } from "./recenter.js";

const ROW = 20;
const MID = 36;
/** As many as are subscribed to where nothing is grouped. */
const ROWS_MAX = 50;
const FACTORS = [1, 2, 5, 10, 20, 50, 100, 500, 1000] as const;

function useSize(measure: (height: number, width: number) => void) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => measure(entry!.contentRect.height, entry!.contentRect.width));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  return box;
}

export function Ladder() {
  const factor = useSignal<number>(1);
  const count = useSignal(12);
  const width = useSignal(0);
  const from = useSignal(0);
  const depthSize = useRef({ width: 0, height: 0 });
  const box = useSize((height, wide) => {
    count.value = Math.min(ROWS_MAX, Math.max(4, Math.floor((height - MID) / 2 / ROW)));
    width.value = wide;
  });
  const depthBox = useSize((height, wide) => void (depthSize.current = { width: wide, height }));
  const bars = useRef<HTMLCanvasElement>(null);
  const depth = useRef<HTMLCanvasElement>(null);
  const table = useRef<HTMLTableElement>(null);
  const rows = useRef<LadderRows | undefined>(undefined);
  const cells = useRef<{ mid: Cell; spread: Cell; void: Cell; summary: Cell } | undefined>(undefined);
  const midCell = useRef<HTMLElement>(null);
  const spreadCell = useRef<HTMLElement>(null);
  const voidCell = useRef<HTMLParagraphElement>(null);
  const summaryCell = useRef<HTMLParagraphElement>(null);
  const life = useComputed(() => `${count.value} ${language.value}`);

  useSignalEffect(() => {
    void [symbol.value, factor.value];
    from.value = 0;
  });
  useSignalEffect(() => void (recenter.value, (from.value = 0)));
  useSignalEffect(() => deepen(factor.value > 2 ? 0 : 50));
  useEffect(() => {
    rows.current = new LadderRows(table.current!, count.value);
    cells.current = { mid: new Cell(midCell.current!), spread: new Cell(spreadCell.current!), void: new Cell(voidCell.current!), summary: new Cell(summaryCell.current!) };
  }, [life.value]);

  const slow = useRef(0);
  usePaint((time) => {
    const { current: shown } = rows;
    const { current: spots } = cells;
    const { current: canvas } = bars;
    if (shown === undefined || spots === undefined || canvas === null) return;
    const book = market()?.book(symbol.value);
    const isDoubtful = connection.value?.phase !== "live";
    box.current!.classList.toggle("doubtful", isDoubtful);
    const height = count.value * ROW * 2 + MID;
    if (book == null) {
      shown.clear();
      drawBars(canvas, [], width.value, height, ROW);
      spots.mid.text("–");
      spots.spread.text("");
      spots.void.text(t(book === null ? "bookVoid" : "bookWaiting"));
      drawDepth(depth.current!, [], [], depthSize.current.width, depthSize.current.height);
      return;
    }
    spots.void.text("");
    const tick = tickOf(symbol.value) ?? finestOf([...book.bids, ...book.asks]);
    const grouping = groupingOf(tick, factor.value);
    const bids = ladderSide(book.bids, "bid", grouping, count.value, from.value);
    const asks = ladderSide(book.asks, "ask", grouping, count.value, from.value);
    // Wide steps make few rows: beyond the last of them there is nothing to be seen.
    if (bids.length === 0 && asks.length === 0) from.value = Math.max(0, from.value - 1);
    scaleBars(bids, asks);
    shown.paint(asks, bids, marks.value);
    const drawn: BarRow[] = [
      ...asks.map((row, at) => ({ row, side: "ask" as const, top: (count.value - 1 - at) * ROW })),
      ...bids.map((row, at) => ({ row, side: "bid" as const, top: count.value * ROW + MID + at * ROW })),
    ];
    drawBars(canvas, drawn, width.value, height, ROW);
    const [bid, ask] = [book.bids[0]?.[0], book.asks[0]?.[0]];
    if (bid === undefined || ask === undefined) {
      spots.mid.text("–");
      spots.spread.text("");
    } else {
      const { spread, mid } = middle(bid, ask);
      spots.mid.text(groupDigits(mid, marks.value));
      spots.spread.text(`${t("spread")} ${groupDigits(spread, marks.value)}${book.crossed ? ` · ${t("crossed")}` : ""}`);
    }
    drawDepth(depth.current!, book.bids, book.asks, depthSize.current.width, depthSize.current.height);
    if (time - slow.current > 5000) {
      slow.current = time;
      const total = (side: readonly (readonly [Decimal, Decimal])[]): string => compactDigits(side.reduce((sum, [, size]) => addDecimals(sum, size), "0"), marks.value);
      spots.summary.text(t("depthSummary", { symbol: symbol.value, bids: total(book.bids), asks: total(book.asks), levels: book.bids.length }));
    }
  });

  const scroll = (event: WheelEvent): void => {
    event.preventDefault();
    from.value = Math.max(0, Math.min(40, from.value + Math.sign(event.deltaY)));
  };
  const choose = (event: Event): void => {
    const price = (event.target as HTMLElement).closest("tr")?.dataset.price;
    if (price !== undefined && price !== "") openAlert({ symbol: symbol.value, bound: price });
  };
  const keys = (event: KeyboardEvent): void => {
    const buttons = [...table.current!.querySelectorAll<HTMLButtonElement>("tr:not(.none) button")];
    const at = buttons.indexOf(event.target as HTMLButtonElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    buttons[Math.max(0, Math.min(buttons.length - 1, to))]?.focus();
  };
  const side = (name: "ask" | "bid") => Array.from({ length: count.value }, (_, at) => (
    <tr key={`${name}${at}`} class={`${name} none`}>
      <th scope="row"><button type="button" class="row" tabIndex={name === "bid" && at === 0 ? 0 : -1} data-cell="price" /></th>
      <td data-cell="size" /><td data-cell="total" class="dim" />
    </tr>
  ));

  return (
    <section class="pane book" aria-label={t("book")}>
      <header class="pane-head">
        <h2>{t("book")}</h2>
        {from.value > 0 && (
          <button type="button" class="quiet" onClick={() => (from.value = 0)}>{t("levelsFrom", { level: from.value + 1 })} · {t("recenter")} <kbd>C</kbd></button>
        )}
        <label class="grow-left">{t("grouping")}{" "}
          <select value={String(factor.value)} onChange={(event) => (factor.value = Number(event.currentTarget.value))}>
            {FACTORS.map((one) => <option key={one} value={String(one)}>{groupDigits(groupingOf(tickOf(symbol.value) ?? "0.01", one).step, marks.value)}</option>)}
          </select>
        </label>
      </header>
      <table class="ladder-head" aria-hidden="true"><tbody><tr><td>{t("price")}</td><td>{t("size")}</td><td>{t("total")}</td></tr></tbody></table>
      <div class="ladder" ref={box} onWheel={scroll}>
        <canvas ref={bars} aria-hidden="true" />
        <table ref={table} key={life.value} onClick={choose} onKeyDown={keys}>
          <caption class="unseen">{t("bookCaption", { symbol: symbol.value })}</caption>
          <thead class="unseen"><tr><th scope="col">{t("price")}</th><th scope="col">{t("size")}</th><th scope="col">{t("total")}</th></tr></thead>
          <tbody data-side="ask" aria-label={t("asks")}>{side("ask")}</tbody>
          <tbody><tr class="mid"><th scope="row"><span class="unseen">{t("mid")} </span><span ref={midCell} class="mid-price" /></th><td colSpan={2}><span ref={spreadCell} /></td></tr></tbody>
          <tbody data-side="bid" aria-label={t("bids")}>{side("bid")}</tbody>
        </table>
        <p ref={voidCell} class="ladder-void" key={`void ${life.value}`} />
      </div>
      <div class="depth" ref={depthBox}>
        <canvas ref={depth} aria-hidden="true" />
        <p class="unseen" ref={summaryCell} key={`depth ${life.value}`} />
      </div>
    </section>
  );
}
