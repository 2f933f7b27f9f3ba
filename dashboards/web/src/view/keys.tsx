// What keys do, everywhere but in fields; and the list of them.

import { signal } from "@preact/signals";

import { alerts, isReplaying, layout, pickInterval, replay, stage, symbol, unwatch } from "../feed/desk.js";
import { LAYOUTS } from "../feed/place.js";
import { theme, THEMES, zone } from "../feed/settings.js";
import { INTERVALS } from "../model/bars.js";
import type { Texts } from "../text/en.js";
import { t } from "../text/texts.js";
import { openAlert } from "./alert-dialog.js";
import { Dialog } from "./dialog.js";
import { isOverlay } from "./overlay.js";
import { recenter } from "./recenter.js";
import { SHOWN } from "./toasts.js";
import { startReplay } from "./replay-bar.js";
import { isSearching, openSearch } from "./search.js";

export const isHelp = signal(false);

/** The one behind; from the last, the first. */
export function after<T>(all: readonly T[], one: T): T {
  return all[(all.indexOf(one) + 1) % all.length]!;
}

const ACTIONS: Record<string, () => void> = {
  "/": () => openSearch(),
  "?": () => (isHelp.value = true),
  "~": () => (isOverlay.value = !isOverlay.value),
  F2: () => (isOverlay.value = !isOverlay.value),
  T: () => (theme.value = after(THEMES, theme.value)),
  U: () => (zone.value = zone.value === "utc" ? "local" : "utc"),
  V: () => (layout.value = after(LAYOUTS, layout.value)),
  A: () => openAlert(),
  C: () => (recenter.value += 1),
  R: () => !isReplaying.value && startReplay(),
  L: () => void (isReplaying.value && replay.close()),
  ArrowDown: () => enterRows(1),
  ArrowUp: () => enterRows(-1),
  Escape: () => alerts.seenNewest(SHOWN),
  "[": () => void (isReplaying.value && replay.shift(-1)),
  "]": () => void (isReplaying.value && replay.shift(1)),
};

/** Whoever types means a symbol: a letter that is a key as well is done where no other letter follows at once. */
const TYPING_MS = 250;
let begun: { text: string; run: () => void; timer: ReturnType<typeof setTimeout> } | undefined;

/** What has begun is over; what it was. */
function end(): typeof begun {
  const was = begun;
  clearTimeout(was?.timer);
  begun = undefined;
  return was;
}

function letter(key: string, action: (() => void) | undefined): void {
  const text = (end()?.text ?? "") + key.toUpperCase();
  if (text.length > 1 || action === undefined) openSearch(text);
  else begun = { text, run: action, timer: setTimeout(() => end()!.run(), TYPING_MS) };
}

const ROWS = ".watchlist tr[data-symbol]";

/** Into the rows, beside the one that is looked at. */
function enterRows(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>(ROWS)];
  const at = rows.findIndex((row) => row.getAttribute("aria-current") === "true");
  const to = rows[Math.min(rows.length - 1, Math.max(0, at + by))];
  to?.querySelector<HTMLElement>("button.row")?.focus();
}

/** What a control does with a key by itself, it goes on doing. */
function isOwn(target: HTMLElement, key: string): boolean {
  if (target.closest("dialog") !== null) return true;
  if (target.matches("input:not([type=range]):not([type=checkbox]), textarea, select")) return true;
  if (key === " " && target.matches("button, a, input")) return true;
  return key.startsWith("Arrow") && target.closest("input[type=range], .scroll[tabindex], .canvas-box") !== null;
}

function take(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || stage.value !== "open") return;
  const target = event.target as HTMLElement;
  if (isSearching(event)) return;
  if (isOwn(target, event.key)) return;
  const run = actionOf(event);
  if (run === undefined) return;
  if (event.repeat && isLetter(event.key)) return;
  event.preventDefault();
  run();
}

const isLetter = (key: string): boolean => /^[a-z]$/i.test(key);

function actionOf(event: KeyboardEvent): (() => void) | undefined {
  const { key, shiftKey } = event;
  if (isReplaying.value && key === " ") return () => void replay.toggle();
  if (isReplaying.value && key === "ArrowRight") return () => void replay.step(shiftKey ? 100 : 1);
  if (begun !== undefined && /^[\d./-]$/.test(key)) return () => letter(key, undefined);
  if (/^[1-6]$/.test(key)) return () => pickInterval(INTERVALS[Number(key) - 1]!);
  if (!isLetter(key)) {
    const action = ACTIONS[key];
    // Where the list is not shown, arrows are whoever's they were.
    if (key.startsWith("Arrow") && document.querySelector<HTMLElement>(ROWS)?.offsetParent == null) return undefined;
    return action && (() => (end()?.run(), action()));
  }
  return () => letter(key, shiftKey ? undefined : ACTIONS[key.toUpperCase()]);
}

export function listenToKeys(): void {
  addEventListener("keydown", take);
  // A hand on the mouse is about something else.
  addEventListener("pointerdown", end, { capture: true });
}

export const removeFocused = (): void => unwatch(symbol.value);

const LIST: [string, keyof Texts][] = [
  ["/ · a…z", "key_search"], ["↑ ↓", "key_rows"], ["Enter", "key_open"], ["Delete", "key_remove"], ["Esc", "key_escape"], ["1–6", "key_intervals"], ["A", "key_alert"], ["C", "key_recenter"],
  ["R", "key_replay"], ["Space", "key_space"], ["→", "key_step"], ["[ ]", "key_speed"], ["L", "key_live"], ["T", "key_theme"], ["U", "key_zone"], ["V", "key_layout"], ["~ F2", "key_overlay"], ["?", "key_help"],
];

export function Help() {
  if (!isHelp.value) return null;
  return (
    <Dialog title={t("keys")} name="help" onClose={() => (isHelp.value = false)}>
      <dl>{LIST.map(([key, text]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{t(text)}</dd></div>)}</dl>
    </Dialog>
  );
}
