// The order of requests and their number: what a server that counts them gets of a client that wants much.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";

import { type RequestError, type Session, type Subscription } from "../../src/index.js";
import { FakeSocket, settled } from "../support/fake.js";
import { clock, live, open, QUOTES, reset } from "../support/scripted.js";

beforeEach(reset);

const LIMITS = { limits: { max_requests_per_second: 20 } };

/** Of a pattern each: these cannot be asked as one. */
function many(session: Session, count: number): Subscription[] {
  return Array.from({ length: count }, (_, n) => session.subscribe({ channels: ["quotes"], symbols: [`S${n}-*`] }));
}

/** Answers requests as the server counts them: twice the rate at once, then the rate. */
class Counting {
  refused = 0;
  #paid = clock.now();
  #taken = 0;

  constructor(readonly socket: FakeSocket) {}

  answer(): void {
    for (; this.#taken < this.socket.sent.length; this.#taken++) {
      const { id, op, channels, symbols } = this.socket.sent[this.#taken]!;
      const paid = Math.max(this.#paid, clock.now()) + 50;
      const wait = paid - clock.now() - 2000;
      if (wait > 0) {
        this.refused += 1;
        this.socket.limit({ id, op }, wait);
        continue;
      }
      this.#paid = paid;
      if (op !== "auth") this.socket.say({ type: "ack", id, op, channels, symbols, rejected: [], resumed: false, cursor: "e:1" });
    }
  }
}

test("three hundred subscriptions come in one after the other, without a refusal", async () => {
  const session = open();
  const subscriptions = many(session, 300);
  const socket = await FakeSocket.newest.begin(LIMITS);
  const server = new Counting(socket);
  for (let ms = 0; ms < 16_000; ms += 50) {
    server.answer();
    await clock.pass(50);
    socket.say({ type: "heartbeat", cursor: "e:1", ts_sent: "2026-11-20T14:30:10.000000000Z" });
  }
  assert.equal(server.refused, 0);
  assert.equal(subscriptions.filter(({ isKnown }) => isKnown).length, 300);
  const order = socket.sent.filter(({ op }) => op === "subscribe").map(({ symbols }) => (symbols as string[])[0]);
  assert.deepEqual(order, subscriptions.map(({ request }) => request.symbols[0]));
});

test("the first refusal holds back all that is unsent, until the server says", async () => {
  const session = open();
  many(session, 60);
  const socket = await FakeSocket.newest.begin(LIMITS);
  const sent = socket.sent.length;
  assert.ok(sent > 20 && sent < 40, `${sent} at once`);
  const first = socket.asked("subscribe")!;
  socket.limit(first, 3000);
  await clock.pass(2999);
  assert.equal(socket.sent.length, sent);
  // Pings are requests, too: each of the four meanwhile counts.
  await clock.pass(1 + 4 * 50);
  assert.deepEqual(socket.sent.slice(sent).map(({ id }) => id), [first.id]);
  await clock.pass(100);
  const all = socket.sent.slice(1).map(({ symbols }) => (symbols as string[])[0]);
  assert.deepEqual(all.slice(sent - 1), [all[sent - 2], `S${sent - 1}-*`, `S${sent}-*`]);
});

test("equal wishes are asked as one, and each gets its own of the answer", async () => {
  const session = open();
  const rejections: string[] = [];
  session.on("rejected", ({ subscription, rejected }) => rejections.push(`${subscription.request.symbols}: ${rejected.symbol}`));
  const wish = (channel: "quotes" | "trades", ...symbols: string[]) => session.subscribe({ channels: [channel], symbols });
  const [one, other, trades, pattern] = [wish("quotes", "A", "B"), wish("quotes", "C", "X"), wish("trades", "A"), wish("quotes", "A-*")];
  const socket = await FakeSocket.newest.begin();
  const asked = socket.sent.filter(({ op }) => op === "subscribe");
  assert.deepEqual(asked.map(({ symbols }) => symbols), [["A", "B", "C", "X"], ["A"], ["A-*"]]);
  const rejected = [{ symbol: "X", code: "unknown_symbol", message: "Unknown symbol X." }];
  const narrowed = [{ channel: "quotes", conflate_ms: 250, symbols: ["B", "C"] }];
  const ack = { type: "ack", op: "subscribe", channels: ["quotes"], resumed: false, cursor: "e:1" };
  socket.say({ ...ack, id: asked[0]!.id, symbols: ["A", "B", "C"], rejected, narrowed });
  assert.deepEqual([one.symbols, other.symbols, other.rejected, rejections], [["A", "B"], ["C"], rejected, ["C,X: X"]]);
  assert.deepEqual((await other.ready).narrowed, [{ channel: "quotes", conflate_ms: 250, symbols: ["C"] }]);
  assert.deepEqual([one.rejected, trades.isKnown, pattern.isKnown], [[], false, false]);
});

test("what is refused as one is asked one by one: nobody fails for another's fault", async () => {
  const session = open();
  const [one, other] = [session.subscribe(QUOTES), session.subscribe({ ...QUOTES, symbols: ["not a name"] })];
  const socket = await FakeSocket.newest.begin();
  const refuse = (request: Record<string, unknown>): void =>
    socket.say({ type: "error", id: request.id, op: "subscribe", code: "invalid_request", message: "No name.", retryable: false });
  refuse(socket.asked("subscribe")!);
  const asked = socket.sent.filter(({ op }) => op === "subscribe").slice(1);
  assert.deepEqual(asked.map(({ symbols }) => symbols), [["A"], ["not a name"]]);
  refuse(asked[1]!);
  socket.say({ type: "ack", id: asked[0]!.id, op: "subscribe", ...QUOTES, rejected: [], resumed: false, cursor: "e:1" });
  await assert.rejects(other.ready, (error: RequestError) => error.code === "invalid_request");
  assert.deepEqual((await one.ready).symbols, ["A"]);
});

for (const [name, first, last] of [
  ["pause and unpause", (s: Subscription) => s.pause(), (s: Subscription) => s.unpause()],
  ["two changes", (s: Subscription) => s.change({ depth: 5 }), (s: Subscription) => s.change({ depth: 10 })],
  ["unpause and unsubscribe", (s: Subscription) => s.unpause(), (s: Subscription) => s.unsubscribe()],
] as const) {
  test(`${name}: the last word wins, also where the first one is refused for the moment`, async () => {
    const { session, socket } = await live();
    const before = socket.sent.length;
    first(session.subscriptions[0]!).catch(() => {});
    last(session.subscriptions[0]!).catch(() => {});
    // The one behind it would be heeded: it is not sent.
    const said = socket.sent.at(-1)!;
    assert.equal(socket.sent.length, before + 1);
    socket.limit(said, 10);
    await clock.pass(10);
    assert.deepEqual(socket.sent.at(-1), said);
    socket.say({ type: "ack", id: said.id, op: said.op, ...QUOTES, rejected: [], resumed: false, cursor: "e:4" });
    await settled();
    assert.equal(socket.sent.length, before + 3);
    assert.ok((socket.sent.at(-1)!.id as number) > (said.id as number));
    session.close();
  });
}

test("alerts of one name keep their order, those of another do not wait", async () => {
  const { session, socket } = await live();
  const set = (alert: string) => void session.request("alert_set", { alert, symbol: "A", above: "1" }).catch(() => {});
  set("a");
  set("b");
  assert.equal(socket.asked("alert_set")!.alert, "b");
  session.request("alert_clear", { alert: "a" }).catch(() => {});
  assert.equal(socket.asked("alert_clear"), undefined);
  socket.answer("alert_set", { alert: "b", beyond: false });
  assert.equal(socket.asked("alert_clear"), undefined);
  socket.say({ type: "ack", id: socket.sent.find(({ alert }) => alert === "a")!.id, op: "alert_set", alert: "a", beyond: false });
  assert.equal(socket.asked("alert_clear")!.alert, "a");
  session.close();
});

test("what waits for its turn when the connection goes is told so", async () => {
  const { session, socket } = await live();
  const asked = session.request("alert_set", { alert: "a" });
  const unasked = session.request("alert_clear", { alert: "a" });
  socket.end(1006);
  await assert.rejects(asked, /before the answer/);
  await assert.rejects(unasked, (error: RequestError) => error.code === "connection_lost" && /before this was asked/.test(error.message));
});
