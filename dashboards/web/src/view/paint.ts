// When the page draws: texts ten times a second at most, in a frame, and only where somebody looks.

import { useEffect, useRef } from "preact/hooks";

const PAINT_MS = 100;
/** A slow machine paints less often, so that it stays free for whoever uses it: a paint takes a quarter of the time at most. */
const PAINT_MS_MAX = 500;
const SHARE = 4;
/** Ages and countdowns go on where nothing comes. */
const IDLE_MS = 500;

/** Draws what has changed; `time` is that of `performance.now`. */
type Painter = (time: number) => void;

const painters = new Set<Painter>();
let last = 0;
let isDue = false;
/** What a paint takes by now, until the frame behind it. */
let taken = 0;
/** Milliseconds that the painters took since somebody asked, for the overlay. */
let spent = 0;

/** Something has changed: the next paint comes as soon as it may. */
export function requestPaint(): void {
  if (isDue || document.hidden) return;
  isDue = true;
  const interval = Math.min(PAINT_MS_MAX, Math.max(PAINT_MS, taken * SHARE));
  const wait = Math.max(0, last + interval - performance.now());
  // A frame begins up to 16 ms later: ten paints a second stay ten.
  setTimeout(() => requestAnimationFrame(paint), Math.max(0, wait - 8));
}

function paint(time: number): void {
  isDue = false;
  last = performance.now();
  for (const painter of painters) painter(time);
  spent += performance.now() - last;
  requestAnimationFrame(() => (taken = taken * 0.8 + (performance.now() - last) * 0.2));
}

/** How long painters took since the last call, milliseconds. */
export function takeSpent(): number {
  const all = spent;
  spent = 0;
  return all;
}

export function startPainting(): void {
  setInterval(requestPaint, IDLE_MS);
  document.addEventListener("visibilitychange", requestPaint);
}

/** Calls the newest `painter` at each paint for as long as the component is there. */
export function usePaint(painter: Painter): void {
  const newest = useRef(painter);
  newest.current = painter;
  useEffect(() => {
    const run: Painter = (time) => newest.current(time);
    painters.add(run);
    requestPaint();
    return () => void painters.delete(run);
  }, []);
}
