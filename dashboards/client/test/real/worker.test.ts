// A session in a worker: what a page gets of it, and what it gets where it is busy.

import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageChannel } from "node:worker_threads";

import { connectInWorker, everyMs, type Flush, recordings, RequestError, serveWorker, type Trade } from "../../src/index.js";
import { WebSocket } from "ws";
import { MANY_REQUESTS, Plant, SIM } from "../support/plant.js";
import { until } from "../support/until.js";

test("what changed, once per flush; a page that is busy is not flooded", async () => {
  const plant = await Plant.start({ config: `${MANY_REQUESTS}${SIM.replace("rate = 600", "rate = 5000")}` });
  const { port1, port2 } = new MessageChannel();
  serveWorker(port1 as never, WebSocket);
  let posted = 0;
  port2.on("message", (message) => (posted += message.tell === "flush" ? 1 : 0));
  const frames: (() => void)[] = [];
  let isBusy = false;
  const schedule = (run: () => void) => (isBusy ? (frames.push(run), () => {}) : everyMs(10)(run));
  let asked = 0;
  const token = async (): Promise<string> => (asked++, plant.token());
  const session = connectInWorker(port2 as never, { url: plant.url, token, schedule, flushMs: 10, tradesMax: 50, bookDepth: 5 });
  try {
    const flushes: Flush[] = [];
    session.onFlush((flush) => flushes.push(flush));
    const subscription = session.subscribe({ channels: ["trades", "quotes", "book", "status"], symbols: ["*"], stamp: true });
    const ack = await subscription.ready;
    assert.deepEqual(subscription.symbols, ack.symbols);
    assert.equal(session.state.value.phase, "live");
    assert.equal(asked, 1);
    const symbol = "BTC-USD";
    // A simulated book may be thin for a moment.
    await until(() => session.latest("book", symbol)?.book?.bids.length === 5 && session.account.delivered > 1000, "it goes on");
    assert.ok(flushes.every(({ changes }) => changes.every(({ book }) => (book?.bids.length ?? 0) <= 5)));
    await until(() => session.freshness("quotes", symbol).statusKnown, "its status is known");
    assert.equal(session.freshness("quotes", symbol).state, "live");
    // Nothing is taken for a while: at most what is on its way comes, and then the newest of all.
    isBusy = true;
    await until(() => frames.length > 0, "a flush waits");
    const [count, taken] = [posted, session.account.delivered];
    await until(async () => (await session.ledger()).subscriptions.reduce((sum, { delivered }) => sum + delivered, 0) > taken + 10_000, "more comes");
    assert.equal(posted, count);
    isBusy = false;
    frames[0]!();
    const had = flushes.length;
    await until(() => flushes.length > had, "the next one comes");
    await until(() => flushes.slice(had).flatMap(({ changes }) => changes).some(({ passed }) => passed && passed.trades > 0), "what was passed over is counted");
    const trades = flushes.slice(had).flatMap(({ changes }) => changes).flatMap((change) => (change.trades ?? []) as Trade[]);
    assert.ok(trades.length > 0 && typeof trades[0]!.price === "string");
    await assert.rejects(session.request("no_such_op"), (error: RequestError) => error.code === "unknown_op");
    const ledger = await subscription.unsubscribe();
    assert.equal(ledger.length, 24);
    await until(() => session.latest("quotes", symbol) === undefined, "it is forgotten here, too");
    const { state, statusKnown } = session.freshness("quotes", symbol);
    assert.deepEqual([state, statusKnown], ["waiting", false]);
  } finally {
    session.close();
    await until(() => session.state.value.phase === "closed", "it is over");
    port1.close();
    await plant.stop();
  }
});

test("a replay in a worker", async () => {
  const plant = await Plant.start({ config: `${MANY_REQUESTS}[recording]\nfolder = "recordings"\n${SIM}` });
  const { port1, port2 } = new MessageChannel();
  serveWorker(port1 as never, WebSocket);
  const http = { url: plant.url, token: plant.token(["stream:*", "replay"]) };
  await until(async () => ((await recordings(http))[0]?.records ?? 0) > 500, "something is recorded");
  const session = connectInWorker(port2 as never, { ...http, schedule: everyMs(5), flushMs: 5 });
  try {
    const replay = await session.openReplay({ channels: ["quotes"], symbols: ["*"], speed: "max", paused: true });
    let records = 0;
    replay.onFlush((flush) => (records += flush.changes.reduce((sum, { updates }) => sum + updates, 0)));
    await until(() => replay.state.value.phase === "paused", "it waits");
    await replay.step(5);
    await until(() => records >= 5, "five come");
    await replay.close();
    await until(() => replay.state.value.phase === "closed", "it is over");
    assert.equal(await replay.close(), undefined);
    await assert.rejects(session.openReplay({ channels: ["quotes"], symbols: ["*"], recording: "none" }), (error: RequestError) => error.code === "unknown_recording");
  } finally {
    session.close();
    await until(() => session.state.value.phase === "closed", "it is over");
    port1.close();
    await plant.stop();
  }
});
