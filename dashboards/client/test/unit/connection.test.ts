// The connection of a session without a network and without waiting: back-off, verdicts, draining, tokens, silence.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { verdict } from "../../src/verdicts.js";
import { FakeSocket, settled } from "../support/fake.js";
import { clock, live, open, reset } from "../support/scripted.js";

beforeEach(reset);

test("the token is the first message, never in the address", async () => {
  const session = open({ token: async () => "secret" });
  await settled();
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

test("only data on a connection that lasts ends the waiting between attempts", async () => {
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
  await clock.pass(4999);
  third.end(4429);
  assert.equal(session.state.value.retryAt! - clock.now(), 2000);
  await clock.pass(2000);
  const fourth = await FakeSocket.newest.begin();
  fourth.acknowledge("e:4", { resumed: true });
  fourth.quote(13, "e:5");
  await clock.pass(5000);
  assert.equal(session.state.value.attempt, 0);
  fourth.end(4408);
  assert.equal(session.state.value.retryAt! - clock.now(), 500);
});

test("verdicts: who may come back, who may not, and why", async () => {
  for (const code of [1001, 1005, 1006, 1011, 1012, 1013, 4000, 4408, 4429, 4499]) assert.equal(verdict(code, "").retry, "again", `${code}`);
  for (const code of [1000, 1002, 1007, 1009, 4502, 4503, 4505, 3000]) assert.equal(verdict(code, "").retry, "never", `${code}`);
  assert.equal(verdict(4501, "token_expired").retry, "token");
  assert.equal(verdict(4504, "auth_timeout").retry, "late");
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

test("a token that takes long is fetched before the server waits for it, and being late is not the end", async () => {
  const session = open({ token: () => new Promise((resolve) => clock.after(11_000, () => resolve("slow"))) });
  await clock.pass(10_999);
  assert.equal(FakeSocket.opened.length, 0);
  await clock.pass(1);
  await FakeSocket.newest.begin();
  assert.equal(session.state.value.phase, "live");
  session.close();
  const late = await live({ token: async () => "t" });
  late.socket.end(4504, "auth_timeout");
  assert.equal(late.session.state.value.phase, "reconnecting");
  const fixed = await live();
  fixed.socket.end(4504, "auth_timeout");
  assert.equal(fixed.session.state.value.phase, "closed");
});

test("a token that never comes costs an attempt, with the reason in words", async () => {
  const session = open({ token: () => new Promise(() => {}) });
  await clock.pass(15_000);
  assert.deepEqual([session.state.value.phase, session.state.value.reason], ["connecting", "no token came for 15000 ms"]);
  session.close();
});

test("a cookie does without a token, also where a function has none", async () => {
  for (const token of [undefined, async () => undefined as unknown as string]) {
    const session = open({ token });
    await settled();
    const socket = await FakeSocket.newest.begin({ authenticated: true });
    assert.deepEqual([session.state.value.phase, socket.sent], ["live", []]);
    session.close();
  }
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
  await clock.pass(4000);
  socket.say({ type: "token_expiring", expires_at: "2026-11-20T15:30:00.000000000Z", expires_in_ms: 6000 });
  await settled();
  assert.equal(socket.asked("auth")!.token, "t2");
  socket.say({ type: "ack", id: "auth", op: "auth", subject: "alice", expires_at: "2026-11-20T16:30:00.000000000Z" });
  assert.equal(session.state.value.tokenExpiresAt, "2026-11-20T16:30:00.000000000Z");
  assert.equal(session.state.value.phase, "live");
});

test("a token that is told to run out as soon as it is taken lives half of its life", async () => {
  let asked = 0;
  const { socket } = await live({ token: async () => `t${++asked}` });
  for (const next of [2, 3]) {
    socket.say({ type: "token_expiring", expires_at: "2026-11-20T15:30:00.000000000Z", expires_in_ms: 4000 });
    await clock.pass(1999);
    assert.equal(asked, next - 1);
    await clock.pass(1);
    await settled();
    assert.equal(asked, next);
    socket.say({ type: "ack", id: "auth", op: "auth", subject: "alice", expires_at: "2026-11-20T16:30:00.000000000Z" });
  }
});

test("a token that is out already is not asked for in a loop", async () => {
  let asked = 0;
  const { socket } = await live({ token: async () => `t${(asked += 1)}` });
  for (let at = 0; at < 50; at++) {
    socket.say({ type: "token_expiring", expires_at: "2026-11-20T14:30:00.000000000Z", expires_in_ms: 0 });
    const before = asked;
    await clock.pass(100);
    await settled();
    if (asked > before) socket.say({ type: "ack", id: "auth", op: "auth", subject: "alice", expires_at: "2026-11-20T14:30:00.000000000Z" });
  }
  assert.ok(asked >= 3 && asked <= 7, `${asked} times in five seconds`);
});

test("a ping that is refused is nobody's matter; what nobody asked for is told", async () => {
  const { session, socket } = await live();
  const told: string[] = [];
  session.on("error", ({ message }) => told.push(message));
  const error = { type: "error", op: "ping", code: "rate_limited", message: "Too many requests.", retryable: true };
  socket.say({ ...error, id: "ping-1" });
  assert.deepEqual(told, []);
  socket.say({ ...error, id: "ping-1" });
  assert.equal(told.length, 1, "it was answered already");
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

test("a network that goes is believed where the server does not answer", async () => {
  const surroundings = Object.assign(new EventTarget(), { navigator: { onLine: true } });
  const { session, socket } = await live({ surroundings });
  surroundings.dispatchEvent(new Event("offline"));
  socket.quote(11, "e:3");
  await clock.pass(2600);
  assert.equal(session.state.value.phase, "live");
  surroundings.navigator.onLine = false;
  surroundings.dispatchEvent(new Event("offline"));
  await clock.pass(2400);
  assert.equal(session.state.value.phase, "live");
  await clock.pass(200);
  assert.equal(session.state.value.phase, "offline");
  assert.match(session.state.value.reason, /nobody answered/);
  session.close();
});
