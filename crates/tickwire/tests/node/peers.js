// npm's `ws` as a client: echoes of every kind and size, and the stream, with and without compression.
//
//     node peers.js ADDRESS CA
//
// The token is in TICKWIRE_TOKEN; NODE_PATH leads to `ws`.
"use strict";

const assert = require("node:assert");
const crypto = require("node:crypto");
const fs = require("node:fs");
const { once } = require("node:events");
const WebSocket = require("ws");

const [address, ca] = process.argv.slice(2);
const trust = { ca: fs.readFileSync(ca) };
const patience = setTimeout(() => {
  console.error("nothing more came");
  process.exit(1);
}, 60_000);

async function connect(path, perMessageDeflate, more = {}) {
  const client = new WebSocket(`wss://${address}${path}`, more.protocols ?? [], {
    ...trust,
    perMessageDeflate,
    headers: more.headers,
  });
  client.messages = [];
  client.on("message", (data, binary) => client.messages.push(binary ? data : data.toString()));
  await once(client, "open");
  return client;
}

async function next(client) {
  while (client.messages.length === 0) await once(client, "message");
  return client.messages.shift();
}

async function echoes(perMessageDeflate) {
  const client = await connect("/echo", perMessageDeflate);
  assert.strictEqual(client.extensions, perMessageDeflate ? "permessage-deflate" : "");
  for (const size of [0, 1, 125, 126, 128, 65_535, 65_536, 1 << 20]) {
    for (const sent of ["tick∀".repeat(size / 5), crypto.randomBytes(size), Buffer.alloc(size)]) {
      client.send(sent);
      assert.deepStrictEqual(await next(client), sent);
    }
  }
  client.send("in ", { fin: false });
  client.send("parts", { fin: true });
  assert.strictEqual(await next(client), "in parts");
  client.ping("there?");
  assert.strictEqual(String((await once(client, "pong"))[0]), "there?");
  client.close(3_999, "done");
  assert.strictEqual((await once(client, "close"))[0], 3_999);
}

async function stream(perMessageDeflate) {
  const headers = { Authorization: `Bearer ${process.env.TICKWIRE_TOKEN}` };
  const client = await connect("/v1/stream", perMessageDeflate, { headers, protocols: ["tickwire.v1.json"] });
  assert.strictEqual(client.extensions, perMessageDeflate ? "permessage-deflate" : "");
  client.send(JSON.stringify({ op: "subscribe", channels: ["trades", "book"], symbols: ["*"] }));
  for (let records = 0; records < 200; ) records += (JSON.parse(await next(client)).data ?? []).length;
  client.close(1000);
  assert.strictEqual((await once(client, "close"))[0], 1000);
}

(async () => {
  for (const offer of [false, true, { serverMaxWindowBits: 9, clientMaxWindowBits: 9, threshold: 0 }]) {
    await echoes(offer);
    await stream(offer);
  }
  clearTimeout(patience);
})();
