// Finding a symbol: begin to type anywhere; Enter looks at it, and puts it into the watchlist.

import { signal, useSignal } from "@preact/signals";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";

import { listed, look, watch, watched } from "../feed/desk.js";
import { find } from "../model/search.js";
import { t } from "../text/texts.js";
import { Dialog } from "./dialog.js";

/** What was typed so far; none while it is closed. */
const typed = signal<string | null>(null);

export function openSearch(text = ""): void {
  typed.value = text;
}

/** Whether a key belongs to the search: who types fast is ahead of the dialog. */
export function isSearching(event: KeyboardEvent): boolean {
  if (typed.value === null) return false;
  if (event.key.length === 1 && !(event.target as HTMLElement).matches(".search-field")) {
    typed.value += event.key;
    event.preventDefault();
  }
  return true;
}

export function Search() {
  return typed.value === null ? null : <Panel />;
}

function Panel() {
  const chosen = useSignal(0);
  const field = useRef<HTMLInputElement>(null);
  const list = useRef<HTMLUListElement>(null);
  const text = typed.value ?? "";
  const found = find(listed.value.map(({ symbol }) => symbol), text);
  const at = Math.min(chosen.value, found.length - 1);
  const close = (): void => void (typed.value = null);
  const take = (symbol: string | undefined): void => {
    if (symbol === undefined) return;
    close();
    watch(symbol);
    look(symbol);
  };
  useLayoutEffect(() => {
    const { current: input } = field;
    input!.focus();
    input!.setSelectionRange(input!.value.length, input!.value.length);
  }, []);
  useEffect(() => list.current?.children[at]?.scrollIntoView({ block: "nearest" }), [at]);
  const keys = (event: KeyboardEvent): void => {
    const to = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key];
    if (to !== undefined) chosen.value = Math.max(0, Math.min(found.length - 1, to));
    else if (event.key === "Enter") take(found[at]);
    else return;
    event.preventDefault();
  };
  return (
    <Dialog title={t("search")} name="search" onClose={close}>
      <input ref={field} class="search-field" type="text" role="combobox" aria-expanded="true" aria-controls="found" aria-label={t("searchHint")} placeholder={t("searchHint")}
        aria-activedescendant={found[at] === undefined ? undefined : `found-${at}`} autocomplete="off" spellcheck={false} value={text} onKeyDown={keys}
        onInput={(event) => ((typed.value = event.currentTarget.value), (chosen.value = 0))} />
      {found.length === 0 && <p class="dim">{t("noMatch", { text })}</p>}
      <ul id="found" role="listbox" aria-label={t("results")} ref={list}>
        {found.map((symbol, index) => (
          <li key={symbol} id={`found-${index}`} role="option" aria-selected={index === at} onClick={() => take(symbol)}>
            <span>{symbol}</span>{watched.value.includes(symbol) && <span class="dim">{t("watchedMark")}</span>}
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
