// npm's `socket.io-client` through every transport: accounts that close, refusals, cursors that cross.
//
//     node socketio.js ADDRESS CA
//
// The token is in TICKWIRE_TOKEN; NODE_PATH leads to `socket.io-client`.
"use strict";

const assert = require("node:assert");
const fs = require("node:fs");
const { io } = require("socket.io-client");

const [address, ca] = process.argv.slice(2);
const token = process.env.TICKWIRE_TOKEN;
const CHANNELS = ["trades", "quotes", "ticker", "book", "candles", "status"];
const WANTED = { channels: CHANNELS, symbols: ["*"], checksum: true };
const POLLING = ["polling"], WEBSOCKET = ["websocket"], BOTH = ["polling", "websocket"];
setTimeout(() => {
  console.error("nothing more came");
  process.exit(1);
}, 60_000).unref();

/** What a client makes of its streams; it believes nothing. */
class Checker {
  constructor() {
    this.streams = new Map();
    this.records = 0;
    this.waiting = [];
  }

  stream(channel, symbol, interval) {
    const key = [channel, symbol, interval ?? ""].join("/");
    if (!this.streams.has(key)) this.streams.set(key, { position: null, delivered: 0, coalesced: 0, skipped: 0 });
    return this.streams.get(key);
  }

  take(event, message) {
    assert.strictEqual(event, message.type);
    if (event === "snapshot") {
      for (const record of message.data) {
        const stream = this.stream(message.channel, record.symbol, record.interval);
        if (message.channel === "book" && stream.position !== null) stream.skipped += record.sequence - stream.position;
        stream.position = message.channel === "book" ? record.sequence : Math.max(stream.position ?? 0, record.sequence);
      }
      (message.symbols ?? []).forEach((symbol, n) => {
        const stream = this.stream(message.channel, symbol, message.channel === "candles" ? "1m" : undefined);
        stream.position ??= (message.sequences ?? [])[n] ?? 0;
      });
    } else if (event === "update") {
      for (const record of message.data) {
        const stream = this.stream(message.channel, record.symbol, record.interval);
        const before = record.prev_sequence ?? record.sequence - 1;
        assert.strictEqual(record.coalesced ?? 0, record.sequence - before - 1);
        this.records += 1;
        if (record.sequence <= stream.position) continue;
        assert.ok(before <= stream.position, `a hole: at ${stream.position} came ${JSON.stringify(record)}`);
        stream.delivered += 1;
        stream.coalesced += record.sequence - before - 1;
        stream.position = record.sequence;
      }
    } else if (event === "gap") {
      const stream = this.stream(message.channel, message.symbol, message.interval);
      assert.ok(message.from_sequence <= stream.position + 1, JSON.stringify(message));
      stream.skipped += Math.max(0, message.to_sequence - stream.position);
      stream.position = Math.max(stream.position, message.to_sequence);
    }
    this.cursor = message.cursor ?? this.cursor;
    this.waiting = this.waiting.filter(({ met, go }) => !met() || go());
  }

  /** Until something holds. */
  until(met) {
    return new Promise((go) => this.waiting.push({ met, go }));
  }

  records_more(count) {
    const wanted = this.records + count;
    return this.until(() => this.records >= wanted);
  }

  /** What the ledger says is what came, stream by stream. */
  check(ledger) {
    assert.strictEqual(ledger.length, this.streams.size);
    for (const entry of ledger) {
      const stream = this.stream(entry.channel, entry.symbol, entry.interval);
      assert.strictEqual(entry.published, entry.delivered + entry.coalesced + entry.skipped + entry.pending);
      assert.strictEqual(entry.last_sequence, stream.position, JSON.stringify(entry));
      for (const name of ["delivered", "coalesced", "skipped"]) {
        assert.strictEqual(entry[name], stream[name], `${name}: ${JSON.stringify([entry, stream])}`);
      }
    }
  }
}

function client(transports, options = {}) {
  return io(`https://${address}`, {
    transports,
    ca: fs.readFileSync(ca),
    forceNew: true,
    reconnection: false,
    auth: { token },
    ...options,
  });
}

function once(socket, event) {
  return new Promise((go) => socket.once(event, (...given) => go(given)));
}

async function connect(transports, checker, options) {
  const socket = client(transports, options);
  if (checker) {
    for (const event of ["welcome", "snapshot", "update", "gap", "notice", "ack", "heartbeat"]) {
      socket.on(event, (message) => checker.take(event, message));
    }
  }
  const refused = (error) => assert.fail(error);
  socket.once("connect_error", refused);
  const upgraded = transports === BOTH ? new Promise((go) => socket.io.engine.once("upgrade", go)) : null;
  await once(socket, "connect");
  await upgraded;
  socket.off("connect_error", refused);
  return socket;
}

/** The ledger, held against what came before it: a promise would be kept only after what comes behind. */
function settle(socket, checker) {
  return new Promise((go) => {
    socket.emit("ledger", (ledger) => {
      checker.check(ledger.subscriptions);
      go(ledger);
    });
  });
}

/** All updates come, in whole accounts. */
async function account(transports) {
  const checker = new Checker();
  const socket = await connect(transports, checker);
  assert.strictEqual(socket.io.engine.transport.name, transports.at(-1));
  const ack = await socket.emitWithAck("subscribe", { ...WANTED, id: "mine" });
  assert.deepStrictEqual([ack.type, ack.op, ack.id, ack.rejected], ["ack", "subscribe", "mine", []]);
  await checker.until(() => checker.streams.size === CHANNELS.length * ack.symbols.length);
  await checker.records_more(3_000);
  const ledger = await settle(socket, checker);
  assert.ok(!("id" in ledger), "no id was given");
  // The connection is as it was: a change of transport costs nothing.
  await checker.records_more(500);
  socket.disconnect();
}

/** A client comes back through other transports with nothing but its cursor. */
async function crossing() {
  const checker = new Checker();
  let filled = 0;
  for (const transports of [POLLING, WEBSOCKET, POLLING, BOTH, WEBSOCKET, BOTH, POLLING]) {
    const socket = await connect(transports, checker);
    const resume = checker.cursor;
    const ack = await socket.emitWithAck("subscribe", { ...WANTED, ...(resume && { resume }) });
    assert.strictEqual(ack.type, "ack", JSON.stringify(ack));
    filled += ack.resumed;
    await checker.records_more(500);
    socket.disconnect();
    // Something must have been missed.
    const other = new Checker();
    const watching = await connect(WEBSOCKET, other);
    await watching.emitWithAck("subscribe", { channels: ["trades"], symbols: ["*"] });
    await other.records_more(20);
    watching.disconnect();
  }
  assert.ok(filled > 0, "nothing was resumed");
}

/** Who does not poll is coalesced, told exactly what, and nobody's memory grows. */
async function stalled() {
  const checker = new Checker();
  const socket = await connect(POLLING, checker);
  const ack = await socket.emitWithAck("subscribe", WANTED);
  await checker.until(() => checker.streams.size === CHANNELS.length * ack.symbols.length);
  const { transport } = socket.io.engine;
  await new Promise((go) => transport.pause(go));
  const other = new Checker();
  const watching = await connect(WEBSOCKET, other);
  await watching.emitWithAck("subscribe", WANTED);
  // More than the pipe and the logs hold.
  await other.records_more(8_000);
  watching.disconnect();
  const coalesced = () => [...checker.streams.values()].reduce((sum, stream) => sum + stream.coalesced, 0);
  const before = coalesced();
  transport.readyState = "open";
  transport._poll();
  await checker.until(() => coalesced() > before);
  await checker.records_more(1_000);
  await settle(socket, checker);
  socket.disconnect();
}

async function refusals() {
  for (const transports of [POLLING, WEBSOCKET]) {
    for (const [auth, code] of [
      [{ token: "x.y.z" }, "token_invalid"],
      [{ token: 5 }, "invalid_request"],
    ]) {
      const socket = client(transports, { auth });
      const [error] = await once(socket, "connect_error");
      assert.deepStrictEqual([error.data.code, error.data.message], [code, error.message]);
      socket.disconnect();
    }
    const [unknown] = await once(client(transports).io.socket("/admin").connect(), "connect_error");
    assert.strictEqual(unknown.message, "Invalid namespace");

    const socket = await connect(transports);
    const asked = async (...event) => {
      const { type, op, code, id } = await socket.emitWithAck(...event);
      return [type, op, code, id];
    };
    assert.deepStrictEqual(await asked("subscribr", { id: 7 }), ["error", "subscribr", "unknown_op", 7]);
    assert.deepStrictEqual(await asked("list", { a: 1 }), ["error", "list", "invalid_request", undefined]);
    assert.deepStrictEqual(await asked("list", 1), ["error", "list", "invalid_request", undefined]);
    assert.deepStrictEqual(await asked("echo", { payload: Buffer.from("x") }), [
      "error", "echo", "invalid_request", undefined,
    ]);
    const { payload } = await socket.emitWithAck("echo", { payload: { any: ["value", "\u001e €"] } });
    assert.deepStrictEqual(payload, { any: ["value", "\u001e €"] });
    // Without a callback the answer is an event.
    socket.emit("ping", { id: "p", ts: "2026-11-20T14:30:11.000000000Z" });
    const [pong] = await once(socket, "pong");
    assert.deepStrictEqual([pong.id, pong.ts], ["p", "2026-11-20T14:30:11.000000000Z"]);
    // What is too large ends the session, and says so before.
    const [said, gone] = [once(socket, "error"), once(socket, "disconnect")];
    socket.emit("echo", { payload: "x".repeat(66_000) });
    assert.strictEqual((await said)[0].code, "message_too_big");
    assert.strictEqual((await gone)[0], "io server disconnect");

    // A token may come later, or with the handshake.
    const late = await connect(transports, null, { auth: {} });
    assert.strictEqual((await late.emitWithAck("list")).code, "unauthenticated");
    assert.strictEqual((await late.emitWithAck("auth", { token })).subject, "alice");
    late.disconnect();
    const early = await connect(transports, null, { auth: {}, extraHeaders: { Authorization: `Bearer ${token}` } });
    assert.strictEqual((await early.emitWithAck("list")).type, "ack");
    early.disconnect();
    const headers = { Authorization: `Bearer ${token}` };
    const ticketed = await ticket(headers);
    const visitor = await connect(transports, null, { auth: {}, query: { ticket: ticketed } });
    assert.strictEqual((await visitor.emitWithAck("list")).type, "ack");
    visitor.disconnect();
  }
}

function ticket(headers) {
  const trust = { ca: fs.readFileSync(ca), method: "POST", headers };
  return new Promise((go) => {
    const request = require("node:https").request(`https://${address}/v1/tickets`, trust, (response) => {
      response.on("data", (data) => go(JSON.parse(data).ticket));
    });
    request.end();
  });
}

(async () => {
  for (const transports of [POLLING, WEBSOCKET, BOTH]) await account(transports);
  await crossing();
  await stalled();
  await refusals();
  process.exit(0);
})();
