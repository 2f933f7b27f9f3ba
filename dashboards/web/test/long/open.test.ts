// A page that is left open: what it holds does not grow. Half an hour, or as long as TICKWIRE_MINUTES says.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { CDPSession } from "playwright-core";

import { missing, Stage } from "../support/browser.js";

const MINUTES = Number(process.env.TICKWIRE_MINUTES ?? 30);
/** Lists and charts have filled by then: what grows later grows for ever. */
const WARM_MINUTES = 5;

interface Held {
  /** MiB after the garbage is gone. */
  page: number;
  worker: number;
  nodes: number;
  listeners: number;
}

/** The session's worker as the inspector has it: it says nothing of its memory itself. */
async function workerOf(session: CDPSession): Promise<(method: string) => Promise<{ usedSize: number }>> {
  const found = new Promise<string>((done) => session.once("Target.attachedToTarget", ({ sessionId }) => done(sessionId)));
  await session.send("Target.setAutoAttach", { autoAttach: true, waitForDebuggerOnStart: false, flatten: false });
  const sessionId = await found;
  let last = 0;
  return (method) => {
    const id = ++last;
    return new Promise((done) => {
      const take = (event: { message: string }): void => {
        const answer = JSON.parse(event.message);
        if (answer.id !== id) return;
        session.off("Target.receivedMessageFromTarget", take);
        done(answer.result);
      };
      session.on("Target.receivedMessageFromTarget", take);
      void session.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify({ id, method }) });
    });
  };
}

async function held(session: CDPSession, worker: Awaited<ReturnType<typeof workerOf>>): Promise<Held> {
  await session.send("HeapProfiler.collectGarbage");
  await worker("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  const metric = (name: string): number => metrics.find((one) => one.name === name)!.value;
  const [page, inWorker] = [await session.send("Runtime.getHeapUsage"), await worker("Runtime.getHeapUsage")];
  return { page: page.usedSize / 2 ** 20, worker: inWorker.usedSize / 2 ** 20, nodes: metric("Nodes"), listeners: metric("JSEventListeners") };
}

const middle = (numbers: number[]): number => numbers.sort((a, b) => a - b)[numbers.length >> 1]!;

describe("a page that is left open", { skip: missing }, () => {
  let stage: Stage;
  before(async () => void (stage = await Stage.open({ symbols: 40, rate: 2000, recording: false })));
  after(() => stage.close());

  test(`does not grow in ${MINUTES} minutes`, async (t) => {
    const page = await stage.page("#symbol=BTC-USD&interval=1s");
    const session = await page.context().newCDPSession(page);
    await session.send("Performance.enable");
    const worker = await workerOf(session);
    const seen: Held[] = [];
    for (let minute = 1; minute <= MINUTES; minute++) {
      await new Promise((done) => setTimeout(done, 60_000));
      const now = await held(session, worker);
      seen.push(now);
      t.diagnostic(`minute ${minute}: page ${now.page.toFixed(2)} MiB, worker ${now.worker.toFixed(2)} MiB, ${now.nodes} nodes, ${now.listeners} listeners`);
    }
    const [early, late] = [seen.slice(WARM_MINUTES - 2, WARM_MINUTES + 1), seen.slice(-3)];
    for (const name of ["page", "worker", "nodes", "listeners"] as const) {
      const [was, is] = [middle(early.map((one) => one[name])), middle(late.map((one) => one[name]))];
      assert.ok(is <= was * 1.1, `${name}: ${was} after ${WARM_MINUTES} minutes, ${is} after ${MINUTES}`);
    }
    assert.deepEqual(stage.complaints, []);
  });
});
