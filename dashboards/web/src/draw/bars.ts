// The bars behind the rows of a ladder: a soft one for the total, a stronger one for the size.

import type { LadderRow } from "../model/levels.js";
import { begin, colourOf } from "./canvas.js";

export interface BarRow {
  row: LadderRow;
  side: "bid" | "ask";
  top: number;
}

export function drawBars(canvas: HTMLCanvasElement, rows: readonly BarRow[], width: number, height: number, rowHeight: number): void {
  const context = begin(canvas, width, height);
  if (context === undefined) return;
  const { upSoft, downSoft } = colourOf();
  for (const { row, side, top } of rows) {
    context.fillStyle = side === "bid" ? upSoft : downSoft;
    context.fillRect(width * (1 - row.depth), top + 0.5, width * row.depth, rowHeight - 1);
    context.fillRect(width * (1 - row.share * 0.6), top + 0.5, width * row.share * 0.6, rowHeight - 1);
  }
}
