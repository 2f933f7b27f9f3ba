// A real browser as a client: echoes, the stream with the token among the subprotocols, events with tickets.
//
//     node browser.js ADDRESS CERTIFICATE PROGRAM PROFILE COMPRESSED
//
// PROGRAM is Chromium, PROFILE an empty folder; COMPRESSED is `yes` where the stream is to be. The token is
// in TICKWIRE_TOKEN; NODE_PATH leads to `playwright-core`.
"use strict";

const assert = require("node:assert");
const crypto = require("node:crypto");
const fs = require("node:fs");
const { chromium } = require("playwright-core");

const [address, certificate, executablePath, profile, compressed] = process.argv.slice(2);
const key = new crypto.X509Certificate(fs.readFileSync(certificate)).publicKey;
const trusted = crypto.createHash("sha256").update(key.export({ type: "spki", format: "der" })).digest("base64");
const patience = setTimeout(() => {
  console.error("nothing more came");
  process.exit(1);
}, 60_000);

// In the page: what was sent comes back.
async function echoes(url) {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  await new Promise((open, fail) => ((socket.onopen = open), (socket.onerror = fail)));
  const next = () => new Promise((take) => (socket.onmessage = (event) => take(event.data)));
  const wrong = [];
  for (const size of [0, 1, 125, 126, 65_535, 65_536, 1 << 20]) {
    const text = "tick∀".repeat(size / 5);
    const bytes = Uint8Array.from({ length: size }, (_, at) => (at * at) >> 3);
    socket.send(text);
    if ((await next()) !== text) wrong.push(`text of ${size}`);
    socket.send(bytes);
    const got = new Uint8Array(await next());
    if (got.length !== size || got.some((byte, at) => byte !== bytes[at])) wrong.push(`${size} bytes`);
  }
  const closed = new Promise((take) => (socket.onclose = take));
  socket.close(3_999, "done");
  const { code, wasClean } = await closed;
  return { extensions: socket.extensions, wrong, code, wasClean };
}

// In the page: every stream, until there is enough of each; each record begins where the one before ended.
async function stream({ url, token, enough }) {
  const socket = new WebSocket(url, ["tickwire.v1.json", `bearer.${token}`]);
  const channels = ["trades", "quotes", "ticker", "book"];
  const [last, counts, wrong] = [{}, {}, []];
  const take = (message) => {
    if (message.type === "error") wrong.push(message.message);
    for (const record of message.data ?? []) {
      const [stream, { sequence }] = [`${message.channel} of ${record.symbol}`, record];
      const prev = record.prev_sequence ?? sequence - 1;
      if (message.type === "update" && prev !== last[stream]) wrong.push(`${stream}: ${prev} is not ${last[stream]}`);
      last[stream] = sequence;
      counts[message.channel] = (counts[message.channel] ?? 0) + 1;
    }
    for (const symbol of message.symbols ?? []) last[`${message.channel} of ${symbol}`] = 0;
    if (message.type === "gap") last[`${message.channel} of ${message.symbol}`] = message.to_sequence;
  };
  socket.onopen = () => socket.send(JSON.stringify({ op: "subscribe", channels, symbols: ["*"] }));
  const closed = new Promise((done) => (socket.onclose = done));
  socket.onmessage = (event) => {
    take(JSON.parse(event.data));
    if (channels.every((channel) => counts[channel] >= enough)) socket.close(1000, "done");
  };
  const { code, wasClean } = await closed;
  return { protocol: socket.protocol, extensions: socket.extensions, wrong, code, wasClean };
}

// In the page: the trades as events, with a ticket for each connection and the last event's id as the cursor.
async function events({ token, enough }) {
  const [last, wrong] = [{}, []];
  let [cursor, count] = [null, 0];
  const take = ({ type, data, lastEventId }) => {
    cursor = lastEventId;
    for (const record of JSON.parse(data).data) {
      const prev = record.prev_sequence ?? record.sequence - 1;
      const again = record.sequence <= last[record.symbol];
      if (type === "update" && !again && prev > last[record.symbol]) wrong.push(`${prev}: ${last[record.symbol]}`);
      last[record.symbol] = Math.max(last[record.symbol] ?? 0, record.sequence);
      count += type === "update" && !again;
    }
    for (const symbol of JSON.parse(data).symbols ?? []) last[symbol] ??= 0;
  };
  for (let visit = 1; visit <= 3; visit++) {
    const answer = await fetch("/v1/tickets", { method: "POST", headers: { Authorization: `Bearer ${token}` } });
    const { ticket } = await answer.json();
    const query = new URLSearchParams({ channels: "trades", symbols: "*", ticket, ...(cursor && { cursor }) });
    const source = new EventSource(`/v1/events?${query}`);
    await new Promise((done) => {
      source.onerror = () => done(wrong.push("an error"));
      for (const type of ["snapshot", "update"]) {
        source.addEventListener(type, (event) => (take(event), count >= visit * enough && done()));
      }
    });
    source.close();
  }
  return { wrong, count };
}

(async () => {
  const context = await chromium.launchPersistentContext(profile, {
    executablePath,
    // The server's own page needs no scripts and forbids connections.
    bypassCSP: true,
    args: [
      // One certificate is trusted, not all.
      `--ignore-certificate-errors-spki-list=${trusted}`,
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  const page = await context.newPage();
  await page.goto(`https://${address}/`);
  assert.strictEqual(await page.title(), "Tickwire");

  const echoed = await page.evaluate(echoes, `wss://${address}/echo`);
  assert.match(echoed.extensions, /^permessage-deflate/);
  assert.deepStrictEqual(echoed.wrong, []);
  assert.deepStrictEqual([echoed.code, echoed.wasClean], [3_999, true]);

  const asked = { url: `wss://${address}/v1/stream`, token: process.env.TICKWIRE_TOKEN, enough: 200 };
  const streamed = await page.evaluate(stream, asked);
  assert.deepStrictEqual(streamed.wrong, []);
  assert.strictEqual(streamed.protocol, "tickwire.v1.json");
  assert.match(streamed.extensions, compressed === "yes" ? /^permessage-deflate/ : /^$/);
  assert.deepStrictEqual([streamed.code, streamed.wasClean], [1000, true]);

  const told = await page.evaluate(events, { token: process.env.TICKWIRE_TOKEN, enough: 100 });
  assert.deepStrictEqual(told.wrong, []);
  assert(told.count >= 300);
  await context.close();
  clearTimeout(patience);
})();
