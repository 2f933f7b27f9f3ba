// Canvases that are as sharp as the screen, and the colours of the palette in force.

import { effect } from "@preact/signals";

import { palette } from "../feed/settings.js";

export interface Colours {
  up: string;
  down: string;
  upSoft: string;
  downSoft: string;
  upBar: string;
  downBar: string;
  line: string;
  text: string;
  dim: string;
  accent: string;
  panel: string;
}

let colours: Colours | undefined;
effect(() => {
  palette();
  colours = undefined;
});

/** As the style sheet has them. */
export function colourOf(): Colours {
  if (colours !== undefined) return colours;
  const style = getComputedStyle(document.documentElement);
  const read = (name: string): string => style.getPropertyValue(name).trim();
  colours = {
    up: read("--up"), down: read("--down"), upSoft: read("--up-soft"), downSoft: read("--down-soft"), upBar: read("--up-bar"), downBar: read("--down-bar"),
    line: read("--line"), text: read("--text"), dim: read("--dim"), accent: read("--accent"), panel: read("--panel"),
  };
  return colours;
}

/** A cleared context in CSS pixels, of the size that the element has; none where it has none. */
export function begin(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | undefined {
  const ratio = Math.min(3, window.devicePixelRatio || 1);
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (wide === 0 || high === 0) return undefined;
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  const context = canvas.getContext("2d");
  if (context === null) return undefined;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}
