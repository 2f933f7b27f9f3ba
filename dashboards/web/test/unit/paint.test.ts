// Rounds of painting: over several frames, with what changes meanwhile, and with a pane that fails.

import assert from "node:assert/strict";
import { test } from "node:test";

const frames: ((time: number) => void)[] = [];
const errors: unknown[] = [];
const page = Object.assign(new EventTarget(), { hidden: false });
Object.assign(globalThis, {
  document: page,
  requestAnimationFrame: (run: (time: number) => void) => frames.push(run),
  reportError: (error: unknown) => errors.push(error),
});
const { addPainter, requestPaint } = await import("../../src/view/paint.js");

/** Runs frames, as a browser does, until so many have gone by. */
async function pass(count: number): Promise<void> {
  for (let at = 0; at < count; at++) {
    await new Promise((done) => setTimeout(done, 16));
    for (const run of frames.splice(0)) run(performance.now());
  }
}

const busy = (ms: number): void => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

test("a round takes several frames; what changes in it is drawn by the next one; who fails stops nobody", async () => {
  let [value, shown, late] = [1, 0, 0];
  const drawn = [0, 0];
  const offs = [
    addPainter(() => void (shown = value)),
    addPainter(() => (busy(4), (drawn[0]! += 1))),
    addPainter(() => {
      throw new Error("a pane that fails");
    }),
    addPainter(() => (busy(4), (drawn[1]! += 1))),
  ];
  // The first pane has drawn, others have not: something changes.
  while (drawn[0] === 0) await pass(1);
  assert.equal(drawn[1], 0, "more than one frame");
  value = 2;
  requestPaint();
  for (; shown !== 2 && late < 60; late++) await pass(1);
  assert.equal(shown, 2, "nobody had to ask again");
  assert.ok(drawn[1]! >= 1 && errors.length >= 1);
  offs[3]!();
  const before = drawn[1];
  requestPaint();
  await pass(20);
  assert.equal(drawn[1], before, "who is gone draws no more");
  page.hidden = true;
  await pass(40);
  const hidden = drawn[0];
  requestPaint();
  await pass(20);
  assert.equal(drawn[0], hidden, "nothing is drawn that nobody sees");
  for (const off of offs) off();
});
