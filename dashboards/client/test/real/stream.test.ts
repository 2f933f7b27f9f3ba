// The real server: all channels in both encodings, and accounts that agree with its ledger.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { RequestError } from "../../src/index.js";
import { Auditor, CHANNELS } from "../support/auditor.js";
import { Plant } from "../support/plant.js";
import { until } from "../support/until.js";

let plant: Plant;
before(async () => (plant = await Plant.start()));
after(() => plant.stop());

for (const encoding of ["json", "msgpack"] as const) {
  test(`all channels as ${encoding}, and the ledger agrees`, async () => {
    const auditor = new Auditor({ url: plant.url, token: plant.token(), encoding });
    const { session } = auditor;
    const subscription = session.subscribe({ channels: CHANNELS, symbols: ["*"], checksum: true, stamp: true });
    const ack = await subscription.ready;
    assert.equal(ack.symbols.length, 6);
    assert.deepEqual(subscription.symbols, ack.symbols);
    await until(() => auditor.has(CHANNELS, 6) && auditor.records.update > 1500, "all streams go on");
    await until(() => session.state.value.clockOffsetMs !== null, "the clocks are compared");
    assert.equal(session.state.value.phase, "live");
    assert.equal(session.state.value.subject, "alice");
    assert.ok(Math.abs(session.state.value.clockOffsetMs!) < 1000);
    assert.ok(session.dataAge.lastMs !== null && session.dataAge.lastMs < 5000);
    assert.equal(session.freshness("book", ack.symbols[0]!).state, "live");
    assert.equal(session.freshness("book", ack.symbols[0]!).statusKnown, true);
    const { subscriptions } = await session.ledger();
    for (const entry of subscriptions) {
      assert.equal(entry.published, entry.delivered + entry.coalesced + entry.skipped + entry.pending);
    }
    const final = await subscription.unsubscribe();
    assert.equal(final.length, 36);
    // The answer is a fence: what had come before it is all that there is.
    for (const entry of final) {
      const seen = auditor.streams.get(entry.interval ? `candles ${entry.symbol} ${entry.interval}` : `${entry.channel} ${entry.symbol}`)!;
      const { delivered, coalesced, skipped, position } = seen;
      assert.deepEqual(
        { delivered, coalesced, skipped, position: position ?? 0 },
        { delivered: entry.delivered, coalesced: entry.coalesced, skipped: entry.skipped, position: entry.last_sequence },
        JSON.stringify(entry),
      );
    }
    auditor.check();
    assert.ok(auditor.checkedBooks > 100);
    assert.deepEqual(auditor.gaps, []);
    session.close();
    assert.deepEqual(auditor.phases, ["connecting", "live", "closed"]);
  });
}

test("both encodings give the same records", async () => {
  const symbols = ["BTC-USD"];
  const seen = await Promise.all(
    (["json", "msgpack"] as const).map(async (encoding) => {
      const auditor = new Auditor({ url: plant.url, token: plant.token(), encoding });
      const records = new Map<string, unknown>();
      auditor.session.on("data", (data) => {
        for (const record of data.records) if (!record.coalesced) records.set(`${data.kind} ${data.channel} ${record.sequence}`, record);
      });
      auditor.session.subscribe({ channels: ["trades", "quotes"], symbols });
      await until(() => records.size > 400, "records come");
      auditor.session.close();
      return records;
    }),
  );
  const both = [...seen[0]!.keys()].filter((name) => seen[1]!.has(name));
  assert.ok(both.length > 100, `${both.length} in common`);
  for (const name of both) assert.deepEqual(seen[0]!.get(name), seen[1]!.get(name));
});

test("what cannot be had is told, and the rest holds", async () => {
  const { session } = new Auditor({ url: plant.url, token: plant.token() });
  const rejected: string[] = [];
  session.on("rejected", (event) => rejected.push(event.rejected.symbol));
  const ack = await session.subscribe({ channels: ["quotes"], symbols: ["BTC-USD", "NO-SUCH"] }).ready;
  assert.deepEqual(ack.symbols, ["BTC-USD"]);
  assert.deepEqual(rejected, ["NO-SUCH"]);
  const wrong = session.subscribe({ channels: ["quote" as never], symbols: ["BTC-USD"] });
  await assert.rejects(wrong.ready, (error: RequestError) => error.code === "unknown_channel");
  await assert.rejects(session.request("no_such_op"), (error: RequestError) => error.code === "unknown_op");
  assert.equal(session.subscriptions.length, 1);
  session.close();
  await assert.rejects(session.ledger());
});

test("a bad token ends it, with the reason in words", async () => {
  const { session } = new Auditor({ url: plant.url, token: "rubbish" });
  await until(() => session.state.value.phase === "closed", "it gives up");
  assert.match(session.state.value.reason, /token_invalid/);
});

test("options change in place: the state comes again, and the accounts agree", async () => {
  const auditor = new Auditor({ url: plant.url, token: plant.token() });
  const { session } = auditor;
  const subscription = session.subscribe({ channels: ["trades", "quotes", "ticker", "book"], symbols: ["*"], checksum: true });
  for (const options of [{ conflate_ms: 50 }, { conflate_ms: 0, depth: 5 }, { snapshot: false, conflate_ms: 20 }, { depth: 50 }]) {
    const before = auditor.records.update;
    await until(() => auditor.records.update > before + 200, "more comes");
    await subscription.change(options);
  }
  await subscription.pause();
  const paused = auditor.records.update;
  await session.request("ping");
  assert.equal(auditor.records.update, paused);
  await subscription.unpause();
  await until(() => auditor.records.update > paused + 200, "more comes");
  for (const entry of await subscription.unsubscribe()) {
    const { delivered, coalesced, skipped, position } = auditor.streams.get(`${entry.channel} ${entry.symbol}`)!;
    const told = [entry.delivered, entry.coalesced, entry.skipped, entry.last_sequence];
    assert.deepEqual([delivered, coalesced, skipped, position], told, JSON.stringify(entry));
  }
  auditor.check();
  session.close();
});
