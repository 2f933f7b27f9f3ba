// How the page itself fares: frames, rates, delays, long tasks. For whoever presses ~ or F2.

import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

import { connection, market, session } from "../feed/desk.js";
import { language } from "../feed/settings.js";
import { count, t } from "../text/texts.js";
import { delayText } from "../text/times.js";
import { cellsOf } from "./cell.js";
import { takeSpent } from "./paint.js";

export const isOverlay = signal(false);

const NAMES = ["fps", "frame", "flushes", "records", "trip", "age", "long", "busy"] as const;

export function Overlay() {
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    const cells = cellsOf(box.current!, NAMES);
    let [frames, worst, before, frame] = [0, 0, performance.now(), 0];
    const long: number[] = [];
    const watch = (time: number): void => {
      frames += 1;
      worst = Math.max(worst, time - before);
      before = time;
      frame = requestAnimationFrame(watch);
    };
    frame = requestAnimationFrame(watch);
    let observer: PerformanceObserver | undefined;
    if (PerformanceObserver.supportedEntryTypes.includes("longtask")) {
      observer = new PerformanceObserver((list) => long.push(...list.getEntries().map(() => performance.now())));
      observer.observe({ entryTypes: ["longtask"] });
    }
    let counted = { records: market()?.records ?? 0, flushes: market()?.flushes ?? 0, at: performance.now() };
    const timer = setInterval(() => {
      const at = performance.now();
      const seconds = (at - counted.at) / 1000;
      const { records = 0, flushes = 0 } = market() ?? {};
      while (long[0] !== undefined && long[0] < at - 60_000) long.shift();
      cells.fps.text((frames / seconds).toFixed(0));
      cells.frame.text(`${worst.toFixed(0)} ms`);
      cells.flushes.text(Math.max(0, (flushes - counted.flushes) / seconds).toFixed(0));
      cells.records.text(count(Math.max(0, Math.round((records - counted.records) / seconds))));
      cells.trip.text(connection.value?.roundTripMs == null ? "–" : delayText(connection.value.roundTripMs));
      const age = session()?.dataAge.averageMs.second;
      cells.age.text(age == null ? "–" : delayText(age));
      cells.long.text(String(long.length));
      cells.busy.text(`${((takeSpent() / (seconds * 1000)) * 100).toFixed(1)} %`);
      counted = { records, flushes, at };
      [frames, worst] = [0, 0];
    }, 1000);
    return () => (cancelAnimationFrame(frame), observer?.disconnect(), clearInterval(timer));
  }, [language.value]);
  const titles = [t("fps"), t("frameTime"), t("flushRate"), t("recordRate"), t("roundTrip"), t("dataAge"), t("longTasks"), t("busy")];
  return (
    <aside class="overlay" aria-label={t("overlay")} ref={box}>
      <dl>{NAMES.map((name, at) => <div key={name}><dt>{titles[at]}</dt><dd data-cell={name}>–</dd></div>)}</dl>
    </aside>
  );
}
