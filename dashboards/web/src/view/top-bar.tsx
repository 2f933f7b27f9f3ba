// The top of the page: how the connection stands, and how the page looks.

import { alerts, layout } from "../feed/desk.js";
import { LAYOUTS } from "../feed/place.js";
import { language, type Language, LANGUAGES, theme, type Theme, THEMES, zone } from "../feed/settings.js";
import { t } from "../text/texts.js";
import { openAlert } from "./alert-dialog.js";
import { isHelp } from "./keys.js";
import { Pill } from "./pill.js";
import { openSearch } from "./search.js";

export function TopBar() {
  const armed = alerts.all.value.filter(({ state }) => state !== "done").length;
  return (
    <header class="top">
      <a class="brand" href="." aria-label="Tickwire"><img src="icon.svg" alt="" width="20" height="20" /><span>Tickwire</span></a>
      <button type="button" class="search-button" onClick={() => openSearch()}><span>{t("search")}</span><kbd>/</kbd></button>
      <div role="group" aria-label={t("layout")} class="choices layouts">
        {LAYOUTS.map((one) => <button type="button" key={one} aria-pressed={one === layout.value} onClick={() => (layout.value = one)}>{t(`layout_${one}`)}</button>)}
      </div>
      <span class="space" />
      <Pill />
      <div class="tools">
        <button type="button" onClick={() => openAlert()}>{t("alerts")}{armed > 0 && <span class="number-badge">{armed}</span>}</button>
        <button type="button" title={t("zoneTitle")} onClick={() => (zone.value = zone.value === "utc" ? "local" : "utc")}>{zone.value === "utc" ? t("zoneUtc") : t("zoneLocal")}</button>
        <label><span class="unseen">{t("theme")}</span>
          <select value={theme.value} onChange={(event) => (theme.value = event.currentTarget.value as Theme)}>{THEMES.map((one) => <option key={one} value={one}>{t(`theme_${one}`)}</option>)}</select>
        </label>
        <label><span class="unseen">{t("language")}</span>
          <select value={language.value} onChange={(event) => (language.value = event.currentTarget.value as Language)}>{LANGUAGES.map((one) => <option key={one} value={one}>{one.toUpperCase()}</option>)}</select>
        </label>
        <button type="button" aria-label={t("keys")} title={t("keys")} onClick={() => (isHelp.value = true)}>?</button>
      </div>
    </header>
  );
}
