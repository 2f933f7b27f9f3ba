// A machine that sleeps: all of the browser stands still, and the line is dead without a word when it goes on.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { missing, prices, sees, Stage, until } from "../support/browser.js";

/** Longer than what a client takes for silence: two heartbeats of five seconds. */
const SLEEP_S = Number(process.env.TICKWIRE_SLEEP_S ?? 15);

describe("a machine that slept", { skip: missing }, () => {
  let stage: Stage;
  before(async () => void (stage = await Stage.open({ rate: 2000 })));
  after(() => (stage.sleep(false), stage.close()));

  test("shows the truth when it wakes", async (t) => {
    const page = await stage.page("#symbol=BTC-USD");
    const lines = stage.site.connections;
    stage.sleep(true);
    stage.site.bury();
    await new Promise((done) => setTimeout(done, SLEEP_S * 1000));
    const woke = Date.now();
    stage.sleep(false);
    await sees(page, "a live page", () => /LIVE/.test(document.querySelector(".pill")!.textContent!));
    await until("another connection", async () => stage.site.connections > lines);
    // The newest trade that is listed was made after the machine woke.
    await sees(page, "new trades", (since) => {
      const text = document.querySelector('.tape [data-cell="time"]')!.textContent!;
      const day = 86_400_000;
      // Midnight may have come between: the clock is ahead of that moment by less than half a day.
      return (Date.parse(`1970-01-01T${text}Z`) - (since % day) + day) % day < day / 2;
    }, woke);
    await sees(page, "nothing greyed", () => document.querySelector(".watchlist tr.doubtful, .ladder.doubtful") === null);
    t.diagnostic(`right again ${Date.now() - woke} ms after a sleep of ${SLEEP_S} s`);
    const { data } = await stage.plant.get("/v1/snapshot?channel=ticker&symbols=BTC-USD");
    assert.ok(data[0].last_price, "the plant is there");
    await prices(page);
    await page.context().close();
  });
});
