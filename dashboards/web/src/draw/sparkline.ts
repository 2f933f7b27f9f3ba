// A line of the newest closes, coloured by where it has gone.

import { toApproximateNumber } from "@tickwire/client";

import type { Bars } from "../model/bars.js";
import { begin, colourOf } from "./canvas.js";

const SECONDS = 180;

export function drawSparkline(canvas: HTMLCanvasElement, bars: Bars, width: number, height: number): void {
  const context = begin(canvas, width, height);
  const end = bars.last?.time;
  if (context === undefined || end === undefined) return;
  const shown = bars.all.slice(-SECONDS).filter(({ time }) => time > end - SECONDS);
  const values = shown.map(({ candle }) => toApproximateNumber(candle.close));
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const scale = high > low ? (height - 4) / (high - low) : 0;
  const { up, down } = colourOf();
  context.strokeStyle = values.at(-1)! >= values[0]! ? up : down;
  context.lineWidth = 1.25;
  context.lineJoin = "round";
  context.beginPath();
  const begun = shown[0]!.time;
  const step = (width - 2) / Math.max(30, end - begun);
  shown.forEach(({ time }, at) => {
    const x = width - 1 - (end - time) * step;
    const y = scale === 0 ? height / 2 : height - 2 - (values[at]! - low) * scale;
    if (at === 0) context.moveTo(x, y);
    else context.lineTo(x, y);
  });
  context.stroke();
}
