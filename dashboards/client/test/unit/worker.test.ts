// The page's side of a worker: how it is started, how it fails and ends, and what it follows.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as tick } from "node:timers/promises";

import { ClosedError, connectInWorker, serveWorker, type WorkerSession } from "../../src/index.js";
import { WorkerSession as Session } from "../../src/worker-session.js";
import { FakeSocket } from "../support/fake.js";
import { Page } from "../support/ports.js";
import { reset } from "../support/scripted.js";

const OPTIONS = { url: "wss://host/v1/stream", token: "t", encoding: "json" as const, flushMs: 1 };
const globals = globalThis as Record<string, unknown>;

beforeEach(reset);
afterEach(() => {
  for (const name of ["Worker", "location", "trustedTypes"]) delete globals[name];
});

/** A session in what would be a worker, with its socket. */
async function served(terminate = () => {}): Promise<{ session: WorkerSession; page: Page; socket: FakeSocket }> {
  const page = new Page();
  serveWorker(page.worker, FakeSocket);
  const session = new Session(page, OPTIONS, terminate);
  await tick();
  return { session, page, socket: await FakeSocket.newest.begin() };
}

test("symbols of a subscription follow what the server says later", async () => {
  const { session, socket } = await served();
  const subscription = session.subscribe({ channels: ["quotes"], symbols: ["A*"] });
  await tick();
  socket.acknowledge("e:1", { symbols: ["A1"] });
  await subscription.ready;
  assert.deepEqual(subscription.symbols, ["A1"]);
  socket.say({ type: "ack", op: "subscribe", channels: ["quotes"], symbols: ["A2"], rejected: [], resumed: false, cursor: "e:2" });
  await tick();
  assert.deepEqual(subscription.symbols, ["A1", "A2"]);
  socket.say({ type: "ack", op: "unsubscribe", channels: ["quotes"], symbols: ["A1"], rejected: [], ledger: [] });
  await tick();
  assert.deepEqual(subscription.symbols, ["A2"]);
  session.close();
});

test("a worker ends with its session, once, and nothing is asked of it behind that", async () => {
  let ended = 0;
  const { session, page, socket } = await served(() => (ended += 1));
  const open = session.request("list");
  session.close();
  session.close();
  await assert.rejects(open, ClosedError);
  assert.deepEqual([ended, session.state.value.phase, socket.closed], [1, "closed", 1000]);
  await assert.rejects(session.request("list"), ClosedError);
  await assert.rejects(session.subscribe({ channels: ["quotes"], symbols: ["A"] }).ready, ClosedError);
  const told = page.told.length;
  session.close();
  await tick();
  assert.deepEqual([ended, page.told.length], [1, told]);
});

test("a worker that says nothing ends all the same", async () => {
  const page = new Page();
  const ended = new Promise<void>((resolve) => new Session(page, OPTIONS, resolve).close());
  await ended;
});

for (const [name, event, reason] of [
  ["error", Object.assign(new Event("error"), { message: "boom" }), "the worker failed: boom"],
  ["error", new Event("error"), "the worker failed: its script could not be had"],
  ["messageerror", new Event("messageerror"), "the worker said what this page cannot read"],
] as const) {
  test(`a worker that fails is told, not waited for: ${reason}`, async () => {
    const page = new Page();
    let ended = 0;
    const session = new Session(page, OPTIONS, () => (ended += 1));
    const open = session.request("list");
    page.dispatchEvent(event);
    assert.deepEqual([name, ended, session.state.value.phase, session.state.value.reason], [name, 1, "closed", reason]);
    await assert.rejects(open, ClosedError);
  });
}

test("a closed replay is told, and closed again without harm", async () => {
  const { session, page, socket } = await served();
  const opening = session.openReplay({ channels: ["quotes"], symbols: ["A"] });
  await tick();
  socket.answer("replay_open", { replay: "r1", recording: "x", from: "", to: "", channels: ["quotes"], symbols: ["A"], rejected: [] });
  const replay = await opening;
  await tick(5);
  socket.say({ type: "snapshot", channel: "quotes", replay: "r1", cursor: "r1:1", data: [{ symbol: "A", sequence: 1 }] });
  const [closing, again] = [replay.close(), replay.close()];
  await tick();
  assert.equal(socket.sent.filter(({ op }) => op === "replay_close").length, 1);
  socket.answer("replay_close", { replay: "r1", ledger: [] });
  await Promise.all([closing, again]);
  assert.equal(replay.state.value.phase, "closed");
  assert.equal(await replay.close(), undefined);
  await assert.rejects(replay.step(), ClosedError);
  // What was left of it came before its end, and nothing of it does later.
  const of = page.told.filter((told) => "of" in told && told.of !== 0).map(({ tell }) => tell);
  assert.deepEqual(of.slice(-2), ["flush", "replay"]);
  session.close();
});

/** A page whose policy wants Trusted Types: plain addresses are refused as a browser does. */
function strictPage(allowed: string[]): { made: string[]; started: unknown[] } {
  const [made, started]: [string[], unknown[]] = [[], []];
  class Vouched {
    constructor(readonly address: string) {}
  }
  globals["location"] = new URL("https://page.example/app/");
  globals["trustedTypes"] = {
    isScriptURL: (value: unknown) => value instanceof Vouched,
    createPolicy(name: string, rules: { createScriptURL(address: string): string }) {
      if (!allowed.includes(name)) throw new TypeError(`Policy "${name}" disallowed.`);
      made.push(name);
      return { createScriptURL: (address: string) => new Vouched(rules.createScriptURL(address)) };
    },
  };
  globals["Worker"] = class extends Page {
    constructor(address: unknown) {
      super();
      started.push(address instanceof Vouched ? address.address : address);
      if (!(address instanceof Vouched)) throw new TypeError("This document requires 'TrustedScriptURL' assignment.");
    }
    terminate(): void {}
  };
  return { made, started };
}

test("where Trusted Types are wanted, a policy vouches for addresses of this origin, and for no others", () => {
  const refused = strictPage([]);
  assert.throws(() => connectInWorker("/worker.js", OPTIONS), /TrustedScriptURL/);
  assert.deepEqual(refused.started, ["/worker.js"]);
  const { made, started } = strictPage(["tickwire-worker"]);
  for (const address of ["worker.js", new URL("https://page.example/worker.js")]) connectInWorker(address, OPTIONS).close();
  assert.deepEqual([made, started], [["tickwire-worker"], ["https://page.example/app/worker.js", "https://page.example/worker.js"]]);
  for (const address of ["https://other.example/worker.js", "data:text/javascript,1", "blob:https://page.example/1"]) {
    assert.throws(() => connectInWorker(address, OPTIONS), /TrustedScriptURL/);
  }
});
