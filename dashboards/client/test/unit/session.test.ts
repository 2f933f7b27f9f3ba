// A session without a network and without waiting: a scripted socket, and a clock that moves when told to.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { connect, type ConnectOptions, type Gap, RequestError, type Session, type Violation } from "../../src/index.js";
import { verdict } from "../../src/verdicts.js";
import { FakeClock, FakeSocket, settled } from "../support/fake.js";

let clock: FakeClock;
beforeEach(() => {
  clock = new FakeClock();
  FakeSocket.opened = [];
});

function open(options: Partial<ConnectOptions> = {}): Session {
  return connect({ url: "wss://host/v1/stream", token: "t", encoding: "json", WebSocket: FakeSocket, clock, random: () => 1, ...options });
}

const QUOTES = { channels: ["quotes" as const], symbols: ["A"] };

/** A session with one stream that has come to a sequence. */
async function live(options: Partial<ConnectOptions> = {}): Promise<{ session: Session; socket: FakeSocket }> {
  const session = open(options);
  session.subscribe(QUOTES);
  const socket = await FakeSocket.newest.begin();
  socket.acknowledge("e:1");
  socket.say({ type: "snapshot", channel: "quotes", cursor: "e:2", data: [{ symbol: "A", sequence: 10 }] });
  socket.quote(11, "e:3");
  return { session, socket };
}

test("the token is the first message, never in the address", async () => {
  const session = open({ token: async () => "secret" });
  const socket = await FakeSocket.newest.begin();
  assert.equal(socket.url, "wss://host/v1/stream");
  assert.deepEqual(socket.protocols, ["tickwire.v1.json"]);
  assert.deepEqual(socket.sent, [{ op: "auth", id: "auth", token: "secret" }]);
  assert.equal(session.state.value.phase, "live");
  assert.equal(session.state.value.subject, "alice");
});

test("attempts wait twice as long each time, up to 30 s, anything below with jitter", async () => {
  for (const [random, factor] of [[() => 1, 1], [() => 0.25, 0.25]] as const) {
    FakeSocket.opened = [];
    const session = open({ random });
    for (const bound of [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]) {
      FakeSocket.newest.end(1006);
      const { phase, retryAt, attempt } = session.state.value;
      assert.equal(phase, "connecting");
      assert.equal(retryAt! - clock.now(), bound * factor);
      const count = FakeSocket.opened.length;
      assert.equal(attempt, count);
      await clock.pass(bound * factor - 1);
      assert.equal(FakeSocket.opened.length, count);
      await clock.pass(1);
      assert.equal(FakeSocket.opened.length, count + 1);
    }
    session.close();
  }
});

test("only data ends the waiting between attempts, a connection does not", async () => {
  const { session, socket } = await live();
  socket.end(1006);
  assert.equal(session.state.value.retryAt! - clock.now(), 500);
  await clock.pass(500);
  (await FakeSocket.newest.begin()).end(1011);
  assert.equal(session.state.value.retryAt! - clock.now(), 1000);
  await clock.pass(1000);
  const third = await FakeSocket.newest.begin();
  assert.equal(session.state.value.attempt, 2);
  third.acknowledge("e:3", { resumed: true });
  third.quote(12, "e:4");
  assert.equal(session.state.value.attempt, 0);
  third.end(4408);
  assert.equal(session.state.value.retryAt! - clock.now(), 500);
});

test("verdicts: who may come back, who may not, and why", async () => {
  for (const code of [1001, 1005, 1006, 1011, 1012, 1013, 4000, 4408, 4429, 4499]) assert.equal(verdict(code, "").retry, "again", `${code}`);
  for (const code of [1000, 1002, 1007, 1009, 4502, 4503, 4504, 4505, 3000]) assert.equal(verdict(code, "").retry, "never", `${code}`);
  assert.equal(verdict(4501, "token_expired").retry, "token");
  const { session, socket } = await live();
  const waiting = session.request("list");
  socket.end(4505, "kicked");
  assert.equal(session.state.value.phase, "closed");
  assert.equal(session.state.value.reason, "an operator has ended the session (kicked)");
  await assert.rejects(waiting);
  await clock.pass(60_000);
  assert.equal(FakeSocket.opened.length, 1);
});

test("a token that is not good any more: another one is asked for where there is a function, once", async () => {
  const fixed = await live();
  fixed.socket.end(4501, "token_expired");
  assert.equal(fixed.session.state.value.phase, "closed");
  let asked = 0;
  const { session, socket } = await live({ token: () => `t${++asked}` });
  socket.end(4501, "token_expired");
  await clock.pass(500);
  const second = await FakeSocket.newest.begin();
  assert.equal(second.asked("auth")!.token, "t2");
  second.end(4501, "token_revoked");
  assert.equal(session.state.value.phase, "closed");
});

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

test("draining: the second connection comes at its moment, and the first is closed when it has brought all", async () => {
  const { session, socket } = await live();
  socket.say({ type: "draining", reason: "shutdown", reconnect_after_ms: 1730, deadline: "", cursor: "e:3", ledger: [] });
  assert.equal(session.state.value.draining, true);
  await clock.pass(1729);
  assert.equal(FakeSocket.opened.length, 1);
  socket.quote(12, "e:4");
  await clock.pass(1);
  assert.equal(FakeSocket.opened.length, 2);
  const second = await FakeSocket.newest.begin();
  assert.equal(second.asked("subscribe")!.resume, "e:4");
  // From here on the second one counts: what the first one still says comes there, too.
  socket.quote(13, "e:5");
  assert.equal(socket.closed, undefined);
  second.acknowledge("e:4", { resumed: true });
  assert.equal(socket.closed, 1000);
  second.quote(13, "e:5");
  const { phase, reconnects, draining } = session.state.value;
  assert.deepEqual([phase, reconnects, draining], ["live", 1, false]);
  assert.deepEqual([session.account.delivered, session.account.duplicates, session.account.skipped], [3, 0, 0]);
});

test("draining with nobody else there: the first serves to its end, then attempts go on", async () => {
  const { session, socket } = await live();
  socket.say({ type: "draining", reason: "shutdown", reconnect_after_ms: 100, deadline: "", cursor: "e:3", ledger: [] });
  await clock.pass(100);
  FakeSocket.newest.end(1006);
  assert.equal(session.state.value.phase, "live");
  socket.quote(12, "e:4");
  socket.end(1012);
  assert.equal(session.state.value.phase, "reconnecting");
  await clock.pass(2000);
  assert.equal((await FakeSocket.newest.begin()).asked("subscribe")!.resume, "e:4");
  assert.equal(session.state.value.phase, "live");
});

test("a token that runs out is replaced in place, by what the function gives then", async () => {
  let asked = 0;
  const { session, socket } = await live({ token: async () => `t${++asked}` });
  socket.say({ type: "token_expiring", expires_at: "2026-11-20T15:30:00.000000000Z", expires_in_ms: 60_000 });
  await settled();
  assert.equal(socket.asked("auth")!.token, "t2");
  socket.say({ type: "ack", id: "auth", op: "auth", subject: "alice", expires_at: "2026-11-20T16:30:00.000000000Z" });
  assert.equal(session.state.value.tokenExpiresAt, "2026-11-20T16:30:00.000000000Z");
  assert.equal(session.state.value.phase, "live");
});

test("silence: first not to be taken as live, then another connection", async () => {
  const { session, socket } = await live();
  assert.equal(session.freshness("quotes", "A").state, "live");
  await clock.pass(8000);
  assert.equal(session.state.value.phase, "stale");
  assert.equal(session.freshness("quotes", "A").state, "disconnected");
  socket.say({ type: "heartbeat", cursor: "e:3", ts_sent: "2026-11-20T14:30:08.000000000Z" });
  assert.equal(session.state.value.phase, "live");
  await clock.pass(11_100);
  assert.equal(session.state.value.phase, "reconnecting");
  assert.match(session.state.value.reason, /nothing came for/);
  assert.equal(socket.closed, 1000);
});

test("a machine that slept looks at what lies there, and then does not wait", async () => {
  const { session } = await live();
  await clock.sleep(3_600_000);
  assert.equal(session.state.value.phase, "stale");
  await clock.pass(250);
  assert.equal(session.state.value.phase, "reconnecting");
  assert.match(session.state.value.reason, /slept/);
  const other = await live();
  await clock.sleep(3_600_000);
  other.socket.quote(12, "e:4");
  await clock.pass(250);
  assert.equal(other.session.state.value.phase, "live");
});

test("the network and the eyes on the page end the waiting", async () => {
  const surroundings = Object.assign(new EventTarget(), {
    document: Object.assign(new EventTarget(), { visibilityState: "hidden" }),
    navigator: { onLine: false },
  });
  const { session, socket } = await live({ surroundings });
  socket.end(1006);
  assert.equal(session.state.value.phase, "offline");
  surroundings.dispatchEvent(new Event("online"));
  assert.equal(FakeSocket.opened.length, 2);
  FakeSocket.newest.end(1006);
  surroundings.document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(FakeSocket.opened.length, 2);
  surroundings.document.visibilityState = "visible";
  surroundings.document.dispatchEvent(new Event("visibilitychange"));
  assert.equal(FakeSocket.opened.length, 3);
  session.close();
  surroundings.dispatchEvent(new Event("online"));
  assert.equal(FakeSocket.opened.length, 3);
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
  (await FakeSocket.newest.begin()).answer("list", { subscriptions: [] });
  assert.equal((await early).op, "list");
});

test("two who want the same: streams stay until the last one goes", async () => {
  const { session, socket } = await live();
  const second = session.subscribe({ channels: ["quotes", "trades"], symbols: ["A", "B"] });
  socket.acknowledge("e:4");
  await second.ready;
  const going = second.unsubscribe();
  const asked = socket.sent.filter(({ op }) => op === "unsubscribe");
  assert.deepEqual(asked.map(({ channels, symbols }) => [channels, symbols]), [[["quotes"], ["B"]]]);
  socket.answer("unsubscribe", { channels: ["quotes"], symbols: ["B"], rejected: [], ledger: [] });
  await settled();
  assert.deepEqual(socket.asked("unsubscribe")!.channels, ["trades"]);
  socket.answer("unsubscribe", { channels: ["trades"], symbols: ["A", "B"], rejected: [], ledger: [] });
  assert.deepEqual(await going, []);
  assert.equal(session.subscriptions.length, 1);
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
  const asked = third.sent.filter(({ op }) => op === "subscribe");
  assert.deepEqual(asked.map(({ resume }) => resume), [undefined, "e:1"]);
});
