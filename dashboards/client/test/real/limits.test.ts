// A real server that counts requests: what wants more of them than it takes at once gets in all the same.

import assert from "node:assert/strict";
import { test } from "node:test";

import { connect } from "../../src/index.js";
import { WebSocket } from "ws";
import { Plant, SIM } from "../support/plant.js";
import { until } from "../support/until.js";

test("a hundred and sixty subscriptions come in over one connection", async () => {
  const plant = await Plant.start({ config: `[limits]\nrequests_per_second = 40\n${SIM}` });
  const session = connect({ url: plant.url, token: plant.token(), WebSocket });
  const errors: string[] = [];
  session.on("error", ({ message }) => errors.push(message));
  try {
    // Alike and not alike in turns: some are asked for as one, some are not.
    const wish = (n: number) => ({ channels: ["quotes" as const], symbols: [n % 8 < 4 ? "BTC-USD" : `BTC-*${n}`], conflate_ms: n % 8 === 0 ? 10 : 20 });
    const subscriptions = Array.from({ length: 160 }, (_, n) => session.subscribe(wish(n)));
    await until(() => subscriptions.every(({ isKnown }) => isKnown), "all are there");
    await until(() => session.account.delivered > 0, "data comes");
    assert.deepEqual([session.state.value.reconnects, errors], [0, []]);
  } finally {
    session.close();
    await plant.stop();
  }
});
