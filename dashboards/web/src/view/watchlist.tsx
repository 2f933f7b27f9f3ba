// The watchlist: a table whose rows stay where they are while somebody points at them.

import { effect, signal, useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { isLong, isReplaying, LIST_MAX, look, market, see, symbol, unwatch, watched } from "../feed/desk.js";
import { language, palette, sort, zone } from "../feed/settings.js";
import { type Sort, sorted, type SortKey } from "../model/order.js";
import type { Texts } from "../text/en.js";
import { t } from "../text/texts.js";
import { Empty } from "./empty.js";
import { openSearch } from "./search.js";
import { usePaint } from "./paint.js";
import { Row } from "./watchlist-row.js";

const SORT_MS = 2000;
/** Rows that are subscribed to together. */
const BLOCK = 100;

interface Column {
  name: keyof Texts;
  key?: SortKey;
  isText?: boolean;
}

const COLUMNS: readonly Column[] = [
  { name: "symbol", key: "symbol", isText: true }, { name: "last", key: "last" }, { name: "change", key: "change" }, { name: "bid" }, { name: "ask" },
  { name: "size" }, { name: "volume", key: "volume" }, { name: "trend" }, { name: "age" },
];

/** The order of rows; it rests while somebody is in them. */
const order = signal<readonly string[]>([]);

const isByName = (key: SortKey): boolean => key === "added" || key === "symbol";

/** Of a long list only what is looked at has values. */
const inForce = (): Sort => (isLong.value && !isByName(sort.value.key) ? { key: "added", isDescending: false } : sort.value);

function SortButton({ name, sortKey }: { name: keyof Texts; sortKey: SortKey }) {
  const { key, isDescending } = inForce();
  const next = (): void => {
    const first = sortKey === "symbol" ? false : true;
    if (key !== sortKey) sort.value = { key: sortKey, isDescending: first };
    else if (isDescending === first) sort.value = { key: sortKey, isDescending: !first };
    else sort.value = { key: "added", isDescending: false };
  };
  const glyph = key !== sortKey ? "" : isDescending ? "▾" : "▴";
  return (
    <button type="button" class="sort" onClick={next} aria-label={t("sortBy", { column: t(name) })} disabled={isLong.value && !isByName(sortKey)} title={isLong.value && !isByName(sortKey) ? t("tooLong", { count: LIST_MAX }) : undefined}>
      {t(name)}<span aria-hidden="true">{glyph}</span>
    </button>
  );
}

export function Watchlist() {
  const body = useRef<HTMLTableSectionElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const rows = useRef(new Map<string, Row>());
  const isPointed = useSignal(false);
  const sortedAt = useRef(0);
  const near = useRef<{ block: number; order: readonly string[] }>({ block: -1, order: [] });

  useEffect(() => effect(() => {
    const { value: symbols } = watched;
    const wish = inForce();
    const shown = market();
    order.value = shown === undefined ? symbols : sorted(symbols, wish, (name) => shown.instrument(name));
  }), []);

  usePaint((time) => {
    const shown = market();
    if (shown === undefined || box.current === null) return;
    if (time - sortedAt.current > SORT_MS && !isPointed.value && !isByName(inForce().key)) {
      sortedAt.current = time;
      const next = sorted(watched.value, inForce(), (name) => shown.instrument(name));
      if (next.some((name, at) => name !== order.value[at])) order.value = next;
    }
    const { scrollTop, clientHeight } = box.current;
    // A fraction of a pixel is many rows in a long list.
    const height = (body.current?.offsetHeight ?? 0) / (order.value.length || 1) || 1;
    const first = Math.floor(scrollTop / height) - 2;
    const last = first + Math.ceil(clientHeight / height) + 4;
    const block = Math.floor(Math.max(0, first) / BLOCK);
    if (block !== near.current.block || order.value !== near.current.order) {
      near.current = { block, order: order.value };
      see(order.value.slice(Math.max(0, block - 1) * BLOCK, (block + 3) * BLOCK));
    }
    order.value.forEach((name, at) => {
      // What nobody sees is not drawn.
      if (at >= first && at <= last) rows.current.get(name)?.paint(shown, time);
    });
  });

  // The focused row is in sight, where it has just become that or is new.
  const isListed = order.value.includes(symbol.value);
  useEffect(() => rows.current.get(symbol.value)?.node.scrollIntoView({ block: "nearest" }), [symbol.value, isListed]);

  const keys = (event: KeyboardEvent): void => {
    const at = order.value.indexOf((event.target as HTMLElement).closest("tr")?.dataset.symbol ?? "");
    if (at < 0) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: order.value.length - 1 }[event.key];
    if (event.key === "Delete") unwatch(order.value[at]!);
    if (to === undefined) return;
    event.preventDefault();
    rows.current.get(order.value[Math.min(order.value.length - 1, Math.max(0, to))]!)?.focus();
  };

  const take = (name: string) => (node: HTMLTableRowElement | null): void => {
    if (node === null) rows.current.delete(name);
    else if (rows.current.get(name)?.node !== node) rows.current.set(name, new Row(node, name));
  };
  // Rows are made anew where the words, the colours or the source change.
  const life = `${language.value} ${zone.value} ${palette()} ${isReplaying.value}`;
  const focusable = order.value.includes(symbol.value) ? symbol.value : order.value[0];

  return (
    <section class="pane watchlist" aria-label={t("watchlist")}>
      <header class="pane-head">
        <h2>{t("watchlist")}</h2>
        <button type="button" class="quiet" onClick={() => openSearch()}>+ <kbd>/</kbd></button>
      </header>
      <div class="scroll" ref={box} onScroll={() => rows.current.forEach((row) => row.stale())}
        onPointerEnter={() => (isPointed.value = true)} onPointerLeave={() => (isPointed.value = false)}>
        <table onKeyDown={keys} onFocusCapture={() => (isPointed.value = true)} onBlurCapture={() => (isPointed.value = false)}>
          <caption class="unseen">{t("watchlistCaption")}</caption>
          <colgroup>{COLUMNS.map(({ name }) => <col key={name} class={`col-${name}`} />)}<col class="col-remove" /></colgroup>
          <thead>
            <tr>
              {COLUMNS.map(({ name, key, isText }) => (
                <th key={name} scope="col" class={isText ? "text" : ""} aria-sort={key === undefined || inForce().key !== key ? undefined : inForce().isDescending ? "descending" : "ascending"}>
                  {key === undefined ? t(name) : <SortButton name={name} sortKey={key} />}
                </th>
              ))}
              <td />
            </tr>
          </thead>
          <tbody ref={body} key={life}>
            {order.value.map((name) => (
              <tr key={name} data-symbol={name} ref={take(name)} aria-current={name === symbol.value ? "true" : undefined} onClick={() => look(name)}>
                <th scope="row" class="text">
                  <button type="button" class="row" tabIndex={name === focusable ? 0 : -1} title={name}>{name}</button>
                  <span data-cell="state" class="tag" />
                </th>
                <td data-cell="last" /><td data-cell="change" /><td data-cell="bid" /><td data-cell="ask" /><td data-cell="size" /><td data-cell="volume" />
                <td class="spark"><canvas aria-hidden="true" /></td>
                <td data-cell="age" class="dim" />
                <td class="remove">
                  <button type="button" tabIndex={-1} class="quiet" aria-label={t("remove", { symbol: name })}
                    onClick={(event) => (event.stopPropagation(), unwatch(name))}>×</button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {order.value.length === 0 && <Empty title={t("emptyList")} how={t("emptyListHow")} />}
      </div>
    </section>
  );
}
