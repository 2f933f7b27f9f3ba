// What lies in the book on both sides, added up from the middle outwards.

import { compareDecimals, type Level, toApproximateNumber } from "@tickwire/client";

import { begin, colourOf } from "./canvas.js";

interface Point {
  price: number;
  total: number;
}

function totals(levels: readonly Level[]): Point[] {
  let total = 0;
  return levels.map(([price, size]) => ({ price: toApproximateNumber(price), total: (total += toApproximateNumber(size)) }));
}

export function drawDepth(canvas: HTMLCanvasElement, bids: readonly Level[], asks: readonly Level[], width: number, height: number): void {
  const context = begin(canvas, width, height);
  if (context === undefined || bids.length === 0 || asks.length === 0) return;
  if (compareDecimals(bids[0]![0], asks[0]![0]) >= 0) return;
  const [left, right] = [totals(bids), totals(asks)];
  const middle = (left[0]!.price + right[0]!.price) / 2;
  // Both sides reach as far, so that the middle is in the middle.
  const span = Math.max(middle - left.at(-1)!.price, right.at(-1)!.price - middle) || 1;
  const highest = Math.max(left.at(-1)!.total, right.at(-1)!.total) || 1;
  const { up, down, upSoft, downSoft, line } = colourOf();
  const xOf = (price: number): number => ((price - middle) / span / 2 + 0.5) * width;
  const yOf = (total: number): number => height - 1 - (total / highest) * (height - 8);
  const side = (points: Point[], edge: number, stroke: string, fill: string): void => {
    context.beginPath();
    context.moveTo(xOf(points[0]!.price), height);
    let before = height;
    for (const { price, total } of points) {
      context.lineTo(xOf(price), before);
      context.lineTo(xOf(price), (before = yOf(total)));
    }
    context.lineTo(edge, before);
    context.strokeStyle = stroke;
    context.lineWidth = 1.25;
    context.stroke();
    context.lineTo(edge, height);
    context.closePath();
    context.fillStyle = fill;
    context.fill();
  };
  side(left, 0, up, upSoft);
  side(right, width, down, downSoft);
  context.strokeStyle = line;
  context.lineWidth = 1;
  context.beginPath();
  context.moveTo(Math.round(width / 2) + 0.5, 0);
  context.lineTo(Math.round(width / 2) + 0.5, height);
  context.stroke();
}
