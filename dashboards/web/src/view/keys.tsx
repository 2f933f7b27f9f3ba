// What keys do, everywhere but in fields; and the list of them.

import { signal } from "@preact/signals";

import { isReplaying, layout, pickInterval, replay, stage, symbol, unwatch } from "../feed/desk.js";
import { LAYOUTS } from "../feed/place.js";
import { theme, THEMES, zone } from "../feed/settings.js";
import { INTERVALS } from "../model/bars.js";
import type { Texts } from "../text/en.js";
import { t } from "../text/texts.js";
import { openAlert } from "./alert-dialog.js";
import { Dialog } from "./dialog.js";
import { isOverlay } from "./overlay.js";
import { recenter } from "./recenter.js";
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
  "[": () => void (isReplaying.value && replay.shift(-1)),
  "]": () => void (isReplaying.value && replay.shift(1)),
};

/** What a control does with a key by itself, it goes on doing. */
function isOwn(target: HTMLElement, key: string): boolean {
  if (target.closest("dialog") !== null) return true;
  if (target.matches("input:not([type=range]):not([type=checkbox]), textarea, select")) return true;
  if (key === " " && target.matches("button, a, input")) return true;
  return key.startsWith("Arrow") && target.matches("input[type=range]");
}

function take(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || stage.value !== "open") return;
  const target = event.target as HTMLElement;
  if (isSearching(event)) return;
  if (isOwn(target, event.key)) return;
  const run = actionOf(event);
  if (run === undefined) return;
  event.preventDefault();
  run();
}

function actionOf(event: KeyboardEvent): (() => void) | undefined {
  const { key, shiftKey } = event;
  if (isReplaying.value && key === " ") return () => void replay.toggle();
  if (isReplaying.value && key === "ArrowRight") return () => void replay.step(shiftKey ? 100 : 1);
  if (/^[1-6]$/.test(key)) return () => pickInterval(INTERVALS[Number(key) - 1]!);
  const isLetter = /^[a-z]$/i.test(key);
  const action = ACTIONS[isLetter && !shiftKey ? key.toUpperCase() : key];
  if (action !== undefined && !(isLetter && shiftKey)) return action;
  // Whoever types means a symbol; letters that are keys of their own, with Shift.
  return isLetter ? () => openSearch(key.toUpperCase()) : undefined;
}

export function listenToKeys(): void {
  addEventListener("keydown", take);
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
