// The real server behind a line that breaks, freezes and is moved: nothing is missing, nothing comes twice, all is told.

import assert from "node:assert/strict";
import { test } from "node:test";

import { Auditor, CHANNELS } from "../support/auditor.js";
import { MANY_REQUESTS, Plant, SIM } from "../support/plant.js";
import { Proxy } from "../support/proxy.js";
import { until } from "../support/until.js";

const SOON = { random: () => 0.05 };

test("a line that is cut: every sequence is there once after resume", async () => {
  const plant = await Plant.start();
  const proxy = await Proxy.before(plant.address);
  const auditor = new Auditor({ url: proxy.url, token: () => plant.token(), ...SOON });
  const { session } = auditor;
  try {
    session.subscribe({ channels: ["trades", "quotes", "ticker", "candles"], symbols: ["BTC-*", "ETH-*", "AAPL"], checksum: true });
    session.subscribe({ channels: ["book", "status"], symbols: ["*"], checksum: true });
    await until(() => auditor.has(["book", "status"], 6) && auditor.has(["trades", "quotes"], 1), "all streams go on");
    for (let turn = 1; turn <= 5; turn++) {
      const before = auditor.records.update;
      await until(() => auditor.records.update > before + 200, "more comes");
      proxy.cut();
      await until(() => session.state.value.reconnects === turn, "it comes back");
    }
    const before = auditor.records.update;
    await until(() => auditor.records.update > before + 200, "more comes");
    auditor.check();
    assert.deepEqual(auditor.gaps, []);
    assert.ok(auditor.checkedBooks > 100);
    assert.ok(auditor.phases.includes("reconnecting"));
    assert.equal(session.state.value.phase, "live");
    assert.equal(session.account.skipped, 0);
  } finally {
    session.close();
    proxy.close();
    await plant.stop();
  }
});

test("a server that is killed and starts anew: told as gaps and states, never wrong", async () => {
  const plant = await Plant.start();
  const auditor = new Auditor({ url: plant.url, token: plant.token(), ...SOON });
  const { session } = auditor;
  try {
    const subscription = session.subscribe({ channels: CHANNELS, symbols: ["*"], checksum: true });
    const { symbols } = await subscription.ready;
    const exact = session.subscribe({ channels: ["trades", "quotes"], symbols: [symbols[0]!, symbols[1]!] });
    await exact.ready;
    await until(() => auditor.has(CHANNELS, 6) && auditor.records.update > 300, "all streams go on");
    const { epoch } = session.state.value;
    plant.configure({ listen: plant.address });
    plant.signal("SIGKILL");
    await plant.ended();
    await until(() => session.state.value.phase === "reconnecting", "it is noticed");
    assert.equal(session.freshness("quotes", symbols[0]!).state, "disconnected");
    const { snapshot } = auditor.records;
    await plant.run();
    await until(() => session.state.value.phase === "live", "it comes back");
    assert.notEqual(session.state.value.epoch, epoch);
    const before = auditor.records.update;
    await until(() => auditor.records.update > before + 500, "more comes");
    await until(() => exact.symbols.length === 2, "symbols that were not listed yet are there");
    await until(() => auditor.gaps.length >= 36, "gaps are told");
    assert.ok(auditor.records.snapshot > snapshot);
    assert.ok(auditor.gaps.every((gap) => gap.reason === "cursor_expired" && gap.from_sequence === null));
    auditor.check();
    await until(() => session.freshness("book", symbols[0]!).state === "live", "its books are there");
  } finally {
    session.close();
    await plant.stop();
  }
});

test("a client that does not read: what is merged says so, and the ledger closes", async () => {
  const plant = await Plant.start({ config: `${MANY_REQUESTS}${SIM.replace("rate = 600", "rate = 20000")}` });
  const proxy = await Proxy.before(plant.address);
  const auditor = new Auditor({ url: proxy.url, token: plant.token(), heartbeatMs: 60_000, pingMs: 600_000, ...SOON });
  const { session } = auditor;
  try {
    const notices: unknown[] = [];
    session.on("notice", (notice) => notices.push(notice.state));
    const subscription = session.subscribe({ channels: CHANNELS, symbols: ["*"], checksum: true });
    await until(() => auditor.has(CHANNELS, 6) && auditor.records.update > 2000, "all streams go on");
    proxy.freeze(true);
    const published = async (): Promise<number> => {
      const text = await (await fetch(`http://${plant.admin}/metrics`)).text();
      const found = text.matchAll(/^tickwire_feed_events_total\{[^}]*\} (\d+)$/gm);
      return [...found].reduce((sum, [, count]) => sum + Number(count), 0);
    };
    const began = await published();
    await until(async () => (await published()) > began + 150_000, "the market moves on");
    proxy.freeze(false);
    // A busy machine may have been slow before.
    await until(() => session.account.coalesced > 10_000 && notices.at(-1) === "ended", "it has caught up");
    const { subscriptions } = await session.ledger();
    for (const entry of subscriptions) {
      assert.equal(entry.published, entry.delivered + entry.coalesced + entry.skipped + entry.pending, JSON.stringify(entry));
    }
    const final = await subscription.unsubscribe();
    for (const entry of final) {
      const seen = auditor.streams.get(entry.interval ? `candles ${entry.symbol} ${entry.interval}` : `${entry.channel} ${entry.symbol}`)!;
      assert.equal(entry.pending + seen.delivered + seen.coalesced + seen.skipped, entry.published, JSON.stringify(entry));
      assert.equal(seen.coalesced, entry.coalesced);
    }
    auditor.check();
    assert.equal(session.state.value.reconnects, 0);
  } finally {
    session.close();
    proxy.close();
    await plant.stop();
  }
});

test("a server that is replaced by another one: nobody sees a gap or anything twice", async () => {
  const plant = await Plant.start({ server: 'drain = "2s"\nhandover = "handover.sock"\n', config: MANY_REQUESTS + SIM });
  const next = new Plant(plant.folder);
  const auditor = new Auditor({ url: plant.url, token: plant.token(), ...SOON });
  const { session } = auditor;
  try {
    session.subscribe({ channels: ["trades", "quotes", "ticker", "candles", "status"], symbols: ["*"] });
    await until(() => auditor.has(["trades", "quotes"], 6), "all streams go on");
    const { epoch } = session.state.value;
    let wasDraining = false;
    session.state.subscribe(({ draining }) => (wasDraining ||= draining));
    await next.run();
    await until(() => session.state.value.reconnects === 1, "it moves");
    await plant.ended();
    const before = auditor.records.update;
    await until(() => auditor.records.update > before + 300, "more comes");
    auditor.check();
    assert.ok(wasDraining);
    assert.deepEqual(auditor.gaps, []);
    assert.equal(session.state.value.epoch, epoch);
    assert.deepEqual(auditor.phases, ["connecting", "live"]);
    assert.equal(session.account.skipped, 0);
  } finally {
    session.close();
    await next.stop();
  }
});

test("a server that is told to go: the client comes back when another one listens", async () => {
  const plant = await Plant.start({ server: 'drain = "1s"\n' });
  const auditor = new Auditor({ url: plant.url, token: plant.token(), ...SOON });
  const { session } = auditor;
  try {
    session.subscribe({ channels: CHANNELS, symbols: ["*"], checksum: true });
    await until(() => auditor.has(CHANNELS, 6), "all streams go on");
    plant.configure({ listen: plant.address });
    plant.signal("SIGTERM");
    await plant.ended();
    await until(() => session.state.value.phase === "reconnecting", "it is noticed");
    await plant.run();
    await until(() => session.state.value.phase === "live", "it comes back");
    const before = auditor.records.update;
    await until(() => auditor.records.update > before + 300, "more comes");
    auditor.check();
  } finally {
    session.close();
    await plant.stop();
  }
});

test("a token that runs out is replaced in place", async () => {
  const plant = await Plant.start();
  let asked = 0;
  // The server speaks of it 60 seconds before: at once, here.
  const token = async (): Promise<string> => plant.token(["stream:*"], ++asked === 1 ? "58s" : "10m");
  const auditor = new Auditor({ url: plant.url, token });
  const { session } = auditor;
  try {
    session.subscribe({ channels: ["quotes"], symbols: ["*"] });
    await until(() => session.state.value.tokenExpiresAt !== null, "the token is known");
    const first = session.state.value.tokenExpiresAt!;
    await until(() => session.state.value.tokenExpiresAt! > first, "there is another one");
    assert.equal(asked, 2);
    const before = auditor.records.update;
    await until(() => auditor.records.update > before + 100, "more comes");
    assert.equal(session.state.value.reconnects, 0);
    auditor.check();
  } finally {
    session.close();
    await plant.stop();
  }
});
