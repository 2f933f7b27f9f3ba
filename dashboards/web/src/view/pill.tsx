// How the connection stands: a word, a colour and a shape, two numbers, and more for whoever asks.

import { useComputed, useSignal, useSignalEffect } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { DataAge, LedgerEntry, Phase } from "@tickwire/client";

import { connection, isReplaying, market, replay, session, start } from "../feed/desk.js";
import { language } from "../feed/settings.js";
import { count, t } from "../text/texts.js";
import { delayText } from "../text/times.js";
import { Cell } from "./cell.js";
import { usePaint } from "./paint.js";
import { speedText } from "./speed.js";

type Look = Phase | "replay";
const GLYPHS: Record<Look, string> = { live: "●", replay: "◆", connecting: "◌", reconnecting: "↻", stale: "▲", offline: "■", closed: "✕" };

function lookOf(): Look {
  const phase = connection.value?.phase ?? "connecting";
  return phase === "live" && isReplaying.value ? "replay" : phase;
}

function wordOf(look: Look, now: number): string {
  if (look === "replay") return t("replayAt", { speed: speedText(replay.playing.value?.speed ?? 1) });
  if (look !== "reconnecting") return t(look);
  const { attempt, retryAt } = connection.value!;
  if (retryAt === null || retryAt <= now) return t("reconnectingNow", { attempt });
  return t("reconnecting", { attempt, seconds: Math.max(1, Math.ceil((retryAt - now) / 1000)) });
}

/** What is said when it changes, and not more often. */
function saysOf(look: Look): string {
  if (look === "live") return t("saysLive");
  if (look === "replay") return t("saysReplay");
  if (look === "stale") return t("saysStale");
  if (look === "offline") return t("saysOffline");
  if (look === "closed") return t("saysClosed", { reason: connection.value?.reason ?? "" });
  return look === "reconnecting" ? t("saysReconnecting") : "";
}

export function Pill() {
  const look = useComputed(lookOf);
  const isOpen = useSignal(false);
  const word = useRef<HTMLSpanElement>(null);
  const numbers = useRef<HTMLSpanElement>(null);
  const cells = useRef<{ word: Cell; trip: Cell; age: Cell } | undefined>(undefined);
  useLayoutEffect(() => {
    const [trip, age] = numbers.current!.querySelectorAll<HTMLElement>("b");
    cells.current = { word: new Cell(word.current!), trip: new Cell(trip!), age: new Cell(age!) };
    cells.current.word.text(wordOf(look.value, Date.now()));
  }, [look.value, language.value]);
  usePaint(() => {
    cells.current?.word.text(wordOf(look.value, Date.now()));
    const isLive = connection.value?.phase === "live";
    const trip = connection.value?.roundTripMs ?? null;
    const age = session()?.dataAge.averageMs.second ?? null;
    cells.current?.trip.text(trip === null || !isLive ? "–" : delayText(trip));
    cells.current?.age.text(age === null || !isLive ? "–" : delayText(age));
  });
  return (
    <div class="link" onPointerEnter={() => (isOpen.value = true)} onPointerLeave={() => (isOpen.value = false)}
      onKeyDown={(event) => event.key === "Escape" && isOpen.value && (event.preventDefault(), (isOpen.value = false))}>
      <button type="button" class={`pill ${look.value}`} aria-expanded={isOpen.value} aria-controls="link-details" aria-describedby="link-says"
        onFocus={(event) => (isOpen.value = event.currentTarget.matches(":focus-visible"))} onBlur={() => (isOpen.value = false)} onClick={() => (isOpen.value = true)}>
        <span class="glyph" aria-hidden="true" key={look.value}>{GLYPHS[look.value]}</span><span ref={word} key={`word ${look.value}`} />
      </button>
      <span class="link-numbers" ref={numbers}>
        <span title={t("roundTrip")}>{t("roundTripShort")} <b /></span> <span title={t("dataAge")}>{t("dataAgeShort")} <b /></span>
      </span>
      <p id="link-says" class="unseen" role="status">{saysOf(look.value)}</p>
      {(look.value === "reconnecting" || look.value === "offline") && <button type="button" class="small" onClick={() => session()?.wake()}>{t("connectNow")}</button>}
      {look.value === "closed" && <button type="button" class="primary small" onClick={() => void start()}>{t("connectAgain")}</button>}
      <div id="link-details" class="details" role="group" aria-label={t("details")} hidden={!isOpen.value}>{isOpen.value && <Details />}</div>
    </div>
  );
}

const LEDGER_MS = 2000;

function Details() {
  const ledger = useSignal<{ entries: LedgerEntry[]; mode: string } | null>(null);
  const age = useSignal<DataAge | null>(null);
  useSignalEffect(() => {
    const ask = (): void => {
      age.value = session()?.dataAge ?? null;
      if (connection.value?.phase !== "live") return;
      session()?.ledger().then(
        ({ subscriptions, lag }) => (ledger.value = { entries: subscriptions, mode: lag.mode }),
        () => {},
      );
    };
    ask();
    const timer = setInterval(ask, LEDGER_MS);
    return () => clearInterval(timer);
  });
  const state = connection.value;
  const sum = (name: "published" | "delivered" | "coalesced" | "skipped" | "pending"): string =>
    ledger.value === null ? "–" : count(ledger.value.entries.reduce((all, entry) => all + entry[name], 0));
  const ms = (value: number | null | undefined): string => (value == null ? "–" : delayText(value));
  const averages = age.value?.averageMs;
  const rows: [string, string][] = [
    [t("roundTrip"), ms(state?.roundTripMs)],
    [`${t("dataAge")}, ${t("average", { span: t("second") })}`, ms(averages?.second)],
    [t("average", { span: t("minute") }), ms(averages?.minute)],
    [t("average", { span: t("fiveMinutes") }), ms(averages?.fiveMinutes)],
    [t("reconnects"), count(state?.reconnects ?? 0)],
    [t("mode"), ledger.value === null ? "–" : t(ledger.value.mode === "coalescing" ? "coalescing" : "keepingUp")],
    [t("published"), sum("published")], [t("delivered"), sum("delivered")], [t("coalesced"), sum("coalesced")], [t("skipped"), sum("skipped")], [t("pending"), sum("pending")],
    [t("gaps"), count(market()?.gaps ?? 0)],
    [t("subject"), state?.subject ?? "–"], [t("session"), state?.session ?? "–"], [t("server"), state?.server ?? "–"],
  ];
  return (
    <>
      <dl>{rows.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>
      {state?.reason && <p>{t("reason")}: {state.reason}</p>}
      <p class="dim">{state?.behind ? t("behind") : t("ledgerNote")}</p>
    </>
  );
}
