// When the page draws: texts ten times a second at most, in a frame, and only where somebody looks.

import { useEffect, useRef } from "preact/hooks";

const PAINT_MS = 100;
/** A slow machine paints less often, so that it stays free for whoever uses it: a paint takes a quarter of the time at most. */
const PAINT_MS_MAX = 500;
const SHARE = 4;
/** Painters begin within so much of a frame; the rest of it is the browser's, for style, layout and pixels. */
const FRAME_SHARE_MS = 2;
const FRAME_MS = 1000 / 60;
/** Ages and countdowns go on where nothing comes. */
const IDLE_MS = 500;

/** Draws what has changed; `time` is that of `performance.now`. */
type Painter = (time: number) => void;

const painters = new Set<Painter>();
let last = 0;
let isDue = false;
/** Something changed while a round was under way: some had drawn already. */
let isAgain = false;
/** Who has still to draw in this round. */
let round: Painter[] = [];
/** What a round takes by now, with what the browser makes of it. */
let taken = 0;
/** What this round took up to now. */
let takes = 0;
/** Milliseconds that the painters took since somebody asked, for the overlay. */
let spent = 0;

/** Something has changed: the next paint comes as soon as it may. */
export function requestPaint(): void {
  if (document.hidden) return;
  if (isDue) {
    isAgain = true;
    return;
  }
  isDue = true;
  const interval = Math.min(PAINT_MS_MAX, Math.max(PAINT_MS, taken * SHARE));
  const wait = Math.max(0, last + interval - performance.now());
  // A frame begins up to 16 ms later: ten paints a second stay ten.
  setTimeout(() => requestAnimationFrame(begin), Math.max(0, wait - 8));
}

function begin(time: number): void {
  last = performance.now();
  isAgain = false;
  round = [...painters];
  takes = 0;
  paint(time);
}

/** Draws as much as fits into a frame: no frame is missed because all panes have news at once. */
function paint(time: number): void {
  const began = performance.now();
  do {
    const painter = round.shift();
    if (painter !== undefined && painters.has(painter)) run(painter, time);
  } while (round.length > 0 && performance.now() - began < FRAME_SHARE_MS);
  const drawing = performance.now() - began;
  spent += drawing;
  requestAnimationFrame((next) => {
    // A frame that came in time shows nothing of what the browser did behind it, one after a while of hiding neither.
    takes += Math.max(drawing, Math.min(PAINT_MS_MAX / SHARE, performance.now() - began - FRAME_MS));
    if (round.length > 0) {
      paint(next);
      return;
    }
    taken = taken * 0.8 + takes * 0.2;
    isDue = false;
    if (isAgain) requestPaint();
  });
}

/** One pane that fails stops no other one. */
function run(painter: Painter, time: number): void {
  try {
    painter(time);
  } catch (error) {
    reportError(error);
  }
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

/** Calls `painter` at each paint, until what is returned is called. */
export function addPainter(painter: Painter): () => void {
  painters.add(painter);
  requestPaint();
  return () => void painters.delete(painter);
}

/** Calls the newest `painter` at each paint for as long as the component is there. */
export function usePaint(painter: Painter): void {
  const newest = useRef(painter);
  newest.current = painter;
  useEffect(() => {
    return addPainter((time) => newest.current(time));
  }, []);
}
