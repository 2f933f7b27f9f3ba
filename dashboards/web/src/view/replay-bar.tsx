// The bar of time: which recording, where in it, how fast; and the way back to what happens now.

import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { fromMilliseconds, type ReplaySpeed, toMilliseconds } from "@tickwire/client";

import { isReplaying, liveNow, lookForRecordings, now, recorded, recordedReason, replay, tell } from "../feed/desk.js";
import { zone } from "../feed/settings.js";
import { SPEEDS } from "../feed/replaying.js";
import { count, t } from "../text/texts.js";
import { clockText, dateText, dateTimeText, delayText, writtenTime } from "../text/times.js";
import { usePaint } from "./paint.js";
import { speedText } from "./speed.js";

const STEPS = 2000;
/** Where a replay begins that somebody just wants to see. */
const BACK_MS = 60_000;

/** A replay of the newest past, or of what is chosen. */
export function startReplay(name = recorded.value?.[0]?.recording): void {
  const recording = recorded.value?.find((one) => one.recording === name);
  if (recording === undefined) return;
  const [from, to] = [toMilliseconds(recording.from), recording.running ? now() : toMilliseconds(recording.to)];
  void replay.open({ recording: recording.recording, from: fromMilliseconds(Math.max(from, to - BACK_MS)) });
}

export function ReplayBar() {
  const { value: playing } = replay.playing;
  const all = recorded.value;
  const isDragged = useSignal(false);
  const chosen = useSignal("");
  const slider = useRef<HTMLInputElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const name = playing?.recording ?? (chosen.value || all?.[0]?.recording);
  const recording = all?.find((one) => one.recording === name);
  const whole = recording === undefined ? undefined : { from: toMilliseconds(recording.from), to: toMilliseconds(recording.to) };
  // A replay that began in the middle goes back to before that, too.
  const span = playing === null ? whole : { from: Math.min(playing.from, whole?.from ?? playing.from), to: playing.to };

  usePaint(() => {
    const at = now();
    if (slider.current !== null && span !== undefined && !isDragged.value) {
      const to = playing === null ? Math.max(span.to, at) : span.to;
      slider.current.value = String(Math.round(((at - span.from) / (to - span.from || 1)) * STEPS));
      slider.current.setAttribute("aria-valuetext", `${dateText(at, zone.value)} ${clockText(at, zone.value)}`);
    }
    const clock = `${dateText(at, zone.value)} ${clockText(at, zone.value, isReplaying.value)}`;
    if (field.current !== null && document.activeElement !== field.current && field.current.value !== clock) field.current.value = clock;
  });

  /** Up to where there is something to go to. */
  const end = (): number => (recording?.running === true ? Math.max(span!.to, liveNow()) : span!.to);
  const goTo = (ms: number): void => {
    if (Number.isNaN(ms) || span === undefined) return;
    const place = Math.min(Math.max(ms, span.from), end());
    const to = fromMilliseconds(place);
    const recordingOf = name === undefined ? {} : { recording: name };
    if (playing === null) void replay.open({ ...recordingOf, from: to, paused: true });
    // What was recorded since it was opened is there for who opens it again.
    else if (place > playing.to) void replay.open({ ...recordingOf, from: to, speed: playing.speed, paused: playing.phase !== "playing" });
    else void replay.seek(to);
  };
  const drop = (): void => {
    isDragged.value = false;
    const to = playing === null ? Math.max(span!.to, now()) : span!.to;
    goTo(span!.from + (Number(slider.current!.value) / STEPS) * (to - span!.from));
  };

  /** What is wrong with a time that somebody has typed. */
  const mistake = (text: string): string => {
    const ms = writtenTime(text, now(), zone.value);
    if (Number.isNaN(ms)) return t("noTime", { text });
    const to = end();
    // Whole seconds may be written of an end that has fractions.
    if (ms >= span!.from - 1000 && ms <= to + 1000) return "";
    return t("outOfRecording", { time: dateTimeText(ms, zone.value), from: dateTimeText(span!.from, zone.value), to: dateTimeText(to, zone.value) });
  };
  const enter = (event: KeyboardEvent & { currentTarget: HTMLInputElement }): void => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    if (event.key === "Enter") {
      const wrong = mistake(event.currentTarget.value);
      if (wrong !== "") {
        tell(new Error(wrong));
        event.currentTarget.select();
        return;
      }
      goTo(writtenTime(event.currentTarget.value, now(), zone.value));
    }
    event.currentTarget.blur();
  };

  if (playing === null && all !== null && all.length === 0) {
    const isDenied = recordedReason.value !== "";
    return (
      <section class="replay-bar" aria-label={t("replay")}>
        <span class="dim">{t("noRecordings")} {isDenied ? t("noReplayScope") : t("noRecordingsHow")}</span>
      </section>
    );
  }
  const isPlaying = playing?.phase === "playing";
  return (
    <section class="replay-bar" aria-label={t("replay")}>
      {playing === null
        ? <button type="button" class="primary replay-start" disabled={name === undefined} onClick={() => startReplay(name)}>◆ {t("startReplay")} <kbd>R</kbd></button>
        : (
          <>
            <strong class="badge">◆ {t("replayBadge")}</strong>
            <button type="button" class="icon" aria-label={isPlaying ? t("pause") : t("play")} title={`${isPlaying ? t("pause") : t("play")} (Space)`} onClick={() => void replay.toggle()}>{isPlaying ? "❚❚" : "▶"}</button>
            <button type="button" class="icon" aria-label={t("step")} title={`${t("step")} (→)`} onClick={() => void replay.step()}>▶❙</button>
          </>
        )}
      <label><span class="unseen">{t("recording")}</span>
        <select class="recordings" value={name} onFocus={() => void lookForRecordings()}
          onChange={(event) => ((chosen.value = event.currentTarget.value), playing !== null && startReplay(chosen.value))}>
          {all?.map(({ recording: one, running, records }) => <option key={one} value={one}>{one} · {running ? t("running") : t("records", { count: count(records) })}</option>)}
        </select>
      </label>
      <label class="speed"><span class="unseen">{t("speed")}</span>
        <select disabled={playing === null} value={String(playing?.speed ?? 1)} title={`${t("speed")} ([ ])`}
          onChange={(event) => void replay.setSpeed(event.currentTarget.value === "max" ? "max" : (Number(event.currentTarget.value) as ReplaySpeed))}>
          {SPEEDS.map((one) => <option key={one} value={String(one)}>{speedText(one)}</option>)}
        </select>
      </label>
      <input ref={slider} class="slider" type="range" min="0" max={STEPS} step="1" aria-label={t("position")}
        onPointerDown={() => (isDragged.value = true)} onKeyDown={(event) => event.key.startsWith("Arrow") && (isDragged.value = true)} onChange={drop} />
      <input ref={field} class="clock" type="text" spellcheck={false} autocomplete="off" aria-label={t("goTo")} title={t("goToHow")}
        onFocus={(event) => event.currentTarget.select()} onKeyDown={enter} />
      {playing !== null && <span class="phase dim">{t(`phase_${playing.phase}`)}{playing.lateMs > 500 ? ` · ${t("late", { ms: delayText(playing.lateMs) })}` : ""}</span>}
      {playing !== null && <button type="button" class="primary" onClick={() => void replay.close()}>{t("jumpLive")} <kbd>L</kbd></button>}
    </section>
  );
}
