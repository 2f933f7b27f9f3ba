// The page: its panes, and what lies over them.

import { signal, useSignalEffect } from "@preact/signals";

import { isReplaying, layout, listed, stage } from "../feed/desk.js";
import { language, palette } from "../feed/settings.js";
import type { Texts } from "../text/en.js";
import { t } from "../text/texts.js";
import { AlertDialog } from "./alert-dialog.js";
import { Chart } from "./chart.js";
import { Empty } from "./empty.js";
import { EntryPanel } from "./entry-panel.js";
import { Help } from "./keys.js";
import { Ladder } from "./ladder.js";
import { isOverlay, Overlay } from "./overlay.js";
import { QuoteStrip } from "./quote-strip.js";
import { ReplayBar } from "./replay-bar.js";
import { Search } from "./search.js";
import { Tape } from "./tape.js";
import { Toasts } from "./toasts.js";
import { TopBar } from "./top-bar.js";
import { Watchlist } from "./watchlist.js";

type PaneName = "chart" | "book" | "tape" | "watchlist";
const PANES: [PaneName, keyof Texts][] = [["watchlist", "watchlist"], ["chart", "chart"], ["book", "book"], ["tape", "tradesShort"]];

/** Which pane a narrow screen shows. */
export const pane = signal<PaneName>("chart");

export function App() {
  useSignalEffect(() => {
    const { dataset } = document.documentElement;
    dataset.theme = palette();
    dataset.replay = String(isReplaying.value);
    document.documentElement.lang = language.value;
  });
  if (stage.value !== "open") return <EntryPanel />;
  if (listed.value.length === 0) {
    return <main class="entry"><Empty isAll title={t("noSymbols")} how={t("noSymbolsHow")} command="tickwire token mint -c tickwire.toml --sub me --ttl 8h --scope 'stream:*' --scope replay" /></main>;
  }
  return (
    <div class="page">
      <TopBar />
      <nav class="tabs" aria-label={t("pane")}>
        {PANES.map(([name, text]) => <button type="button" key={name} aria-pressed={pane.value === name} onClick={() => (pane.value = name)}>{t(text)}</button>)}
      </nav>
      <main class="panes" data-layout={layout.value} data-pane={pane.value}>
        <QuoteStrip />
        <Chart />
        <Watchlist />
        <Ladder />
        <Tape />
      </main>
      <ReplayBar />
      {isOverlay.value && <Overlay />}
      <Toasts />
      <Search />
      <AlertDialog />
      <Help />
    </div>
  );
}
