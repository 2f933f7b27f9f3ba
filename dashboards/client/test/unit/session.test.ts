// What a session asks and takes, on a scripted socket: subscriptions that survive, gaps, accounts, requests.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { type Gap, LatestStore, RequestError, type Violation } from "../../src/index.js";
import { FakeSocket } from "../support/fake.js";
import { clock, live, open, QUOTES, reset } from "../support/scripted.js";

beforeEach(reset);

test("every stream is asked for again behind the last message, and nothing comes twice", async () => {
  const { session, socket } = await live();
  const seen: number[] = [];
  session.on("data", (data) => seen.push(...data.records.map(({ sequence }) => sequence)));
  socket.end(1006);
  await clock.pass(500);
  const second = await FakeSocket.newest.begin();
  const { id: _, ...asked } = second.asked("subscribe")!;
  assert.deepEqual(asked, { op: "subscribe", ...QUOTES, resume: "e:3" });
  second.acknowledge("e:3", { resumed: true, streams: [{ channel: "quotes", state: "filled", symbols: ["A"] }] });
  second.quote(11, "e:3");
  second.quote(12, "e:4");
  second.quote(15, "e:5", { prev_sequence: 12, coalesced: 2 });
  assert.deepEqual(seen, [12, 15]);
  const { delivered, coalesced, skipped, gaps, duplicates, violations } = session.account;
  assert.deepEqual([delivered, coalesced, skipped, gaps, duplicates, violations], [3, 2, 0, 0, 1, 0]);
});

test("the cursor stays until all that was asked for again is there", async () => {
  const { session, socket } = await live();
  session.subscribe({ channels: ["ticker"], symbols: ["A"] });
  socket.acknowledge("e:4");
  socket.say({ type: "snapshot", channel: "ticker", cursor: "e:5", data: [{ symbol: "A", sequence: 3 }] });
  socket.end(1006);
  await clock.pass(500);
  const second = await FakeSocket.newest.begin();
  const [first, other] = second.sent.filter(({ op }) => op === "subscribe");
  second.say({ type: "ack", id: first!.id, op: "subscribe", ...QUOTES, rejected: [], resumed: true, cursor: "e:5" });
  second.quote(12, "e:9");
  assert.equal(session.cursor, "e:5");
  second.end(1006);
  await clock.pass(500);
  const third = await FakeSocket.newest.begin();
  assert.ok(third.sent.filter(({ op }) => op === "subscribe").every(({ resume }) => resume === "e:5"));
  assert.equal(other!.resume, "e:5");
});

test("gaps are told with the range that is new; holes and wrong counts are violations", async () => {
  const { session, socket } = await live();
  const gaps: Gap[] = [];
  const violations: Violation[] = [];
  session.on("gap", (gap) => gaps.push(gap));
  session.on("violation", (violation) => violations.push(violation));
  const gap = { type: "gap", channel: "quotes", symbol: "A", reason: "slow_consumer", cursor: "e:4" };
  socket.say({ ...gap, from_sequence: 9, to_sequence: 14, count: 6 });
  assert.deepEqual(gaps, [{ channel: "quotes", symbol: "A", from_sequence: 12, to_sequence: 14, count: 3, reason: "slow_consumer" }]);
  socket.quote(15, "e:5");
  socket.quote(18, "e:6");
  assert.deepEqual(violations.map(({ kind, position, sequence }) => [kind, position, sequence]), [["hole", 15, 18]]);
  assert.deepEqual([gaps[1]!.from_sequence, gaps[1]!.to_sequence, gaps[1]!.reason], [16, 17, "hole"]);
  socket.quote(20, "e:7", { prev_sequence: 18, coalesced: 5 });
  assert.equal(violations[1]!.kind, "count");
  const { delivered, coalesced, skipped } = session.account;
  assert.equal(delivered + coalesced + skipped, 20 - 10);
});

test("another life of the server: no old sequence counts", async () => {
  const { session, socket } = await live();
  const gaps: Gap[] = [];
  session.on("gap", (gap) => gaps.push(gap));
  socket.end(1006);
  await clock.pass(500);
  const second = await FakeSocket.newest.begin({ epoch: "f" });
  second.acknowledge("e:3");
  second.say({ type: "gap", channel: "quotes", symbol: "A", reason: "cursor_expired", cursor: "f:1" });
  second.say({ type: "snapshot", channel: "quotes", cursor: "f:2", data: [{ symbol: "A", sequence: 2 }] });
  second.quote(3, "f:3");
  assert.equal(gaps[0]!.from_sequence, null);
  assert.equal(session.cursor, "f:3");
  assert.deepEqual([session.account.violations, session.account.duplicates, session.account.skipped], [0, 0, 0]);
  assert.equal(session.accounts[0]!.position, 3);
});

test("requests: refused, refused for the moment, lost on the way, and unknown messages", async () => {
  const { session, socket } = await live();
  const refused = session.request("alert", { symbol: "A" });
  assert.deepEqual(socket.asked("alert"), { op: "alert", id: socket.asked("alert")!.id, symbol: "A" });
  socket.say({ type: "error", id: socket.asked("alert")!.id, op: "alert", code: "unknown_op", message: "Unknown op.", retryable: false });
  await assert.rejects(refused, (error: RequestError) => error.code === "unknown_op");
  const limited = session.request("list");
  const { id } = socket.asked("list")!;
  socket.say({ type: "error", id, op: "list", code: "rate_limited", message: "", retryable: true, details: { retry_after_ms: 50 } });
  await clock.pass(50);
  assert.equal(socket.sent.filter(({ op }) => op === "list").length, 2);
  socket.say({ type: "ack", id, op: "list", subscriptions: [] });
  assert.equal((await limited).op, "list");
  const unknown: unknown[] = [];
  session.on("message", (message) => unknown.push(message.type));
  socket.say({ type: "alert", id: "x" });
  assert.deepEqual(unknown, ["alert"]);
  const lost = session.ledger();
  socket.end(1006);
  await assert.rejects(lost, (error: RequestError) => error.code === "connection_lost");
  const early = session.request("list");
  await clock.pass(500);
  const second = await FakeSocket.newest.begin();
  second.acknowledge("e:3", { resumed: true });
  second.answer("list", { subscriptions: [] });
  assert.equal((await early).op, "list");
});

test("two who want the same: streams stay until the last one goes", async () => {
  const { session, socket } = await live();
  const second = session.subscribe({ channels: ["quotes", "trades"], symbols: ["A", "B"] });
  socket.acknowledge("e:4");
  await second.ready;
  const going = second.unsubscribe();
  // At once: what is subscribed to from here on comes behind all of them.
  session.subscribe({ channels: ["trades"], symbols: ["A"] });
  const asked = socket.sent.slice(-2);
  assert.deepEqual(asked.map(({ op, channels, symbols }) => [op, channels, symbols]), [
    ["unsubscribe", ["quotes"], ["B"]],
    ["unsubscribe", ["trades"], ["A", "B"]],
  ]);
  for (const { id, channels, symbols } of asked) socket.say({ type: "ack", id, op: "unsubscribe", channels, symbols, rejected: [], ledger: [] });
  assert.deepEqual(await going, []);
  assert.equal(session.subscriptions.length, 2);
  assert.deepEqual([socket.sent.at(-1)!.op, socket.sent.at(-1)!.channels], ["subscribe", ["trades"]]);
});

test("what is not subscribed to any more is not live, and its status is not known", async () => {
  const { session, socket } = await live();
  const store = new LatestStore(session, { schedule: () => () => {} });
  socket.quote(12, "e:4");
  const status = session.subscribe({ channels: ["status"], symbols: ["A"] });
  socket.acknowledge("e:4");
  socket.say({ type: "snapshot", channel: "status", cursor: "e:5", data: [{ symbol: "A", sequence: 1, state: "halted" }] });
  store.flush();
  assert.equal(session.freshness("quotes", "A").state, "halted");
  assert.equal(store.latest("quotes", "A")!.record!.sequence, 12);
  const gone: object[] = [];
  session.on("forgotten", (stream) => gone.push(stream));
  void status.unsubscribe();
  socket.answer("unsubscribe", { channels: ["status"], symbols: ["A"], rejected: [], ledger: [] });
  assert.deepEqual([session.freshness("quotes", "A").state, session.freshness("quotes", "A").statusKnown], ["live", false]);
  // Lost before the answer: on no other connection will it come.
  void session.subscriptions[0]!.unsubscribe();
  socket.end(1006);
  await clock.pass(500);
  assert.deepEqual((await FakeSocket.newest.begin()).asked("subscribe"), undefined);
  assert.equal(session.freshness("quotes", "A").state, "waiting");
  assert.deepEqual(gone, [{ channel: "status", symbol: "A" }, { channel: "quotes", symbol: "A" }]);
  store.flush();
  assert.equal(store.latest("quotes", "A"), undefined);
});

test("symbols that a new server has not listed yet are asked for until they are, and not shown as live meanwhile", async () => {
  const { session, socket } = await live();
  socket.end(1006);
  await clock.pass(500);
  const second = await FakeSocket.newest.begin({ epoch: "f" });
  const rejected = [{ symbol: "A", code: "unknown_symbol", message: "Unknown symbol A." }];
  second.acknowledge("e:3", { symbols: [], rejected });
  assert.equal(session.freshness("quotes", "A").state, "waiting");
  assert.deepEqual(session.subscriptions[0]!.rejected, rejected);
  await clock.pass(2000);
  const { id: _, ...asked } = second.asked("subscribe")!;
  assert.deepEqual(asked, { op: "subscribe", ...QUOTES, snapshot: true });
  second.acknowledge("f:1");
  second.say({ type: "snapshot", channel: "quotes", cursor: "f:2", data: [{ symbol: "A", sequence: 1 }] });
  assert.equal(session.freshness("quotes", "A").state, "live");
  assert.deepEqual(session.subscriptions[0]!.rejected, []);
  const count = second.sent.length;
  await clock.pass(4000);
  assert.equal(second.sent.length, count);
});

test("what is asked before there is a connection waits for it; a first answer is lost without harm", async () => {
  const session = open();
  const subscription = session.subscribe(QUOTES);
  const first = await FakeSocket.newest.begin();
  first.end(1006);
  await clock.pass(500);
  const second = await FakeSocket.newest.begin();
  assert.equal(second.asked("subscribe")!.resume, undefined);
  second.acknowledge("e:1");
  assert.deepEqual((await subscription.ready).symbols, ["A"]);
  // Acknowledged, but no state came: it is asked for before the rest goes on.
  second.end(1006);
  await clock.pass(1000);
  const third = await FakeSocket.newest.begin();
  third.acknowledge("e:1");
  const asked = third.sent.filter(({ op }) => op === "subscribe");
  assert.deepEqual(asked.map(({ resume }) => resume), [undefined, "e:1"]);
});
