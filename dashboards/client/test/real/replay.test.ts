// The real server plays what it recorded: exactly, paused, stepped, sought, over a lost line, and on into what is live.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { type Data, type LedgerEntry, recordings, type Replay, type ReplayOptions, RequestError } from "../../src/index.js";
import { Auditor } from "../support/auditor.js";
import { MANY_REQUESTS, Plant, SIM } from "../support/plant.js";
import { Proxy } from "../support/proxy.js";
import { until } from "../support/until.js";

const SCOPES = ["stream:*", "replay"];
const WISH: ReplayOptions = { channels: ["trades", "quotes", "book"], symbols: ["*"] };
let plant: Plant;
let name: string;
before(async () => {
  plant = await Plant.start({ server: 'drain = "0s"\n', config: `${MANY_REQUESTS}[recording]\nfolder = "recordings"\n${SIM}` });
  const http = { url: plant.url, token: plant.token(SCOPES) };
  await until(async () => ((await recordings(http))[0]?.records ?? 0) > 3000, "something is recorded");
  plant.signal("SIGTERM");
  await plant.ended();
  name = (await recordingNames())[0]!;
  await plant.run();
});
after(() => plant.stop());

async function recordingNames(): Promise<string[]> {
  const { readdirSync } = await import("node:fs");
  return readdirSync(`${plant.folder}/recordings`).sort();
}

/** Notes what comes of a replay, and holds it to the law. What lies outside a book's depth is counted where it is folded in. */
function watched(replay: Replay): { records: Data["records"][number][]; faults: string[]; count(): number } {
  const seen = { records: [] as Data["records"][number][], faults: [] as string[], count: () => seen.records.reduce((sum, record) => sum + 1 + (record.coalesced ?? 0), 0) };
  // What is told before it plays is how things stood; states that come later are records of the recording.
  replay.on("data", (data) => {
    const { phase } = replay.state.value;
    if (data.kind === "update" || phase === "playing" || phase === "paused") seen.records.push(...(data.records as never[]));
  });
  replay.on("violation", (violation) => seen.faults.push(violation.message));
  replay.on("gap", (gap) => seen.faults.push(JSON.stringify(gap)));
  return seen;
}

const isAt = (replay: Replay, phase: string) => () => replay.state.value.phase === phase;

test("all of it, twice the same, with the server's digest", async () => {
  const { session } = new Auditor({ url: plant.url, token: plant.token(SCOPES) });
  const digests: (string | null)[] = [];
  for (let turn = 0; turn < 2; turn++) {
    const replay = await session.openReplay({ ...WISH, recording: name, speed: "max" });
    const seen = watched(replay);
    await until(isAt(replay, "finished"), "it is over");
    assert.deepEqual(seen.faults, []);
    assert.equal(seen.count(), replay.state.value.records);
    assert.ok(seen.count() > 1000);
    assert.equal(replay.state.value.progress, 1);
    digests.push(replay.state.value.digest);
    const ack = (await replay.close()) as { ledger?: LedgerEntry[] };
    for (const entry of ack.ledger!) {
      const own = replay.accounts.find(({ channel, symbol }) => channel === entry.channel && symbol === entry.symbol)!;
      const { delivered, coalesced, position } = own;
      assert.deepEqual([delivered, coalesced, position], [entry.delivered, entry.coalesced, entry.last_sequence]);
    }
    assert.equal(replay.state.value.phase, "closed");
  }
  assert.match(digests[0]!, /^[0-9a-f]{64}$/);
  assert.equal(digests[0], digests[1]);
  await assert.rejects(session.openReplay({ ...WISH, recording: "none" }), (error: RequestError) => error.code === "unknown_recording");
  session.close();
});

test("paused, stepped, sought, and at another speed", async () => {
  const { session } = new Auditor({ url: plant.url, token: plant.token(SCOPES) });
  const replay = await session.openReplay({ ...WISH, recording: name, paused: true });
  const seen = watched(replay);
  await until(isAt(replay, "paused"), "it waits");
  assert.equal(seen.count(), 0);
  await replay.step(7);
  await until(() => seen.count() === 7 && replay.state.value.phase === "paused", "seven come");
  await replay.setSpeed(50);
  await replay.resume();
  await until(() => seen.count() > 100, "it goes on");
  await replay.pause();
  const paused = seen.count();
  await session.request("ping");
  assert.equal(seen.count(), paused);
  const { from } = replay.opened;
  await replay.seek({ to: from });
  const sought = seen.count();
  await replay.setSpeed("max");
  await replay.resume();
  await until(isAt(replay, "finished"), "it is over");
  assert.equal(seen.count() - sought, replay.state.value.records);
  assert.deepEqual(seen.faults, []);
  session.close();
  assert.equal(replay.state.value.phase, "closed");
});

test("a lost line: it goes on behind what has come, and nothing comes twice", async () => {
  const proxy = await Proxy.before(plant.address);
  const { session } = new Auditor({ url: proxy.url, token: plant.token(SCOPES), random: () => 0.05 });
  const replay = await session.openReplay({ ...WISH, recording: name, speed: 5 });
  const seen = watched(replay);
  for (let turn = 1; turn <= 3; turn++) {
    const before = seen.count();
    await until(() => seen.count() > before + 100, "it goes on");
    proxy.cut();
    await until(() => session.state.value.reconnects === turn, "it comes back");
  }
  await replay.setSpeed("max");
  await until(isAt(replay, "finished"), "it is over");
  assert.deepEqual(seen.faults, []);
  assert.equal(replay.state.value.digest, null);
  const whole = await session.openReplay({ ...WISH, recording: name, speed: "max" });
  const unbroken = watched(whole);
  await until(isAt(whole, "finished"), "it is over");
  // What was folded into books is told by their state after a break; all else came one by one.
  const single = ({ records }: typeof seen): unknown[] => records.filter((record) => !("bids" in record));
  const key = (record: unknown): string => JSON.stringify(record);
  assert.deepEqual(single(seen).map(key).sort(), single(unbroken).map(key).sort());
  const places = ({ accounts }: Replay): unknown[] => accounts.map(({ channel, symbol, position }) => [channel, symbol, position]);
  assert.deepEqual(places(replay).sort(), places(whole).sort());
  for (const symbol of replay.opened.symbols) {
    assert.deepEqual(replay.book(symbol)?.bids(), whole.book(symbol)?.bids());
    assert.equal(replay.book(symbol)?.checksum(), whole.book(symbol)?.checksum());
  }
  session.close();
  proxy.close();
});

test("on into what happens now", async () => {
  const auditor = new Auditor({ url: plant.url, token: plant.token(SCOPES) });
  const { session } = auditor;
  const replay = await session.openReplay({ ...WISH, from: "-1s", live: true });
  const seen = watched(replay);
  await until(isAt(replay, "live"), "it is live");
  const before = seen.count();
  await until(() => seen.count() > before + 300, "it goes on");
  assert.deepEqual(seen.faults, []);
  assert.equal(session.subscriptions.length, 1);
  assert.ok(replay.book("BTC-USD") !== undefined);
  assert.equal(replay.book("BTC-USD"), session.book("BTC-USD"));
  auditor.check();
  session.close();
});

test("a subscription that begins with what was recorded", async () => {
  const auditor = new Auditor({ url: plant.url, token: plant.token(SCOPES) });
  const { session } = auditor;
  await until(async () => ((await recordings({ url: plant.url, token: plant.token(SCOPES) })).at(-1)?.records ?? 0) > 500, "there is a past");
  const subscription = session.subscribe({ channels: ["trades", "quotes"], symbols: ["*"], rewind_ms: 1000 });
  await subscription.ready;
  await until(() => subscription.rewinds === undefined && session.cursor !== undefined, "it is live");
  const before = auditor.records.update;
  await until(() => auditor.records.update > before + 200, "it goes on");
  auditor.check();
  assert.deepEqual(auditor.gaps, []);
  session.close();
});
