// The page in a recording: it follows that clock in all panes, and shows what the server's own answers say.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";

import { missing, picture, pill, prices, says, sees, Stage, until } from "../support/browser.js";

const place = (page: Page): Promise<URLSearchParams> => page.evaluate(() => location.hash.slice(1)).then((hash) => new URLSearchParams(hash));
const at = async (page: Page): Promise<string> => (await place(page)).get("at") ?? "";
const phase = (page: Page): Promise<string> => page.locator(".replay-bar .phase").innerText();

interface Levels {
  bids: string[];
  asks: string[];
}

/** The levels that the ladder shows, best first. */
function levels(page: Page): Promise<Levels> {
  return page.evaluate(() => {
    const of = (side: string): string[] => [...document.querySelectorAll<HTMLElement>(`[data-side="${side}"] tr`)].map((row) => row.dataset.price ?? "").filter((price) => price !== "");
    return { bids: of("bid"), asks: of("ask").reverse() };
  });
}

/** A key of the page, not of the control that was used last. */
/** Whether a clock stands at another one or before, within half a day. */
function isUpTo(clock: string, other: string): boolean {
  const ms = (text: string): number => Date.parse(`1970-01-01T${text}Z`);
  return (ms(other) - ms(clock) + 86_400_000) % 86_400_000 < 43_200_000;
}

async function press(page: Page, key: string): Promise<void> {
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  await page.keyboard.press(key);
}

describe("a replay", { skip: missing }, () => {
  let stage: Stage;
  let page: Page;

  /** The book of the recording at the time where the page stands. */
  const truth = async (): Promise<Levels> => {
    const query = await place(page);
    const book = await stage.plant.get(`/v1/recordings/${query.get("recording")}/book?symbol=${query.get("symbol")}&at=${query.get("at")}&depth=50`);
    const of = (side: string[][]): string[] => side.map(([price]) => price!);
    return { bids: of(book.data[0].bids), asks: of(book.data[0].asks) };
  };
  /** Waits until the ladder is the server's book of that moment, as far as it shows it. */
  const agree = async (): Promise<boolean> => {
    const [shown, real] = [await levels(page), await truth()];
    const same = (one: string[], other: string[]): boolean => one.length >= Math.min(8, other.length) && one.every((price, index) => price === other[index]);
    return same(shown.bids, real.bids) && same(shown.asks, real.asks);
  };
  const agrees = (about: string): Promise<void> => until(about, agree);
  /** The same between two events that were received at once: the server's book is that after all of them. */
  const settles = (about: string): Promise<void> => until(about, async () => {
    if (await agree()) return true;
    await press(page, "ArrowRight");
    await new Promise((done) => setTimeout(done, 150));
    return false;
  });

  before(async () => {
    stage = await Stage.open();
    page = await stage.page("#symbol=BTC-USD");
    // Something to go back to.
    await until("a recording of some seconds", async () => {
      const { from, to } = (await stage.plant.get("/v1/recordings")).recordings[0];
      return Date.parse(to) - Date.parse(from) > 14_000;
    });
  });
  after(() => stage.close());

  test("begins, and nobody takes it for live", async () => {
    await page.keyboard.press("r");
    await says(page, /REPLAY 1×/);
    await sees(page, "the badge and the edge", () => document.documentElement.dataset.replay === "true" && document.querySelector(".badge") !== null);
    assert.match(await page.locator("#link-says").innerText(), /not live/);
    await until("it plays", async () => (await phase(page)) === "playing");
    await sees(page, "prices of then", () => /\d/.test(document.querySelector(".strip .price")!.textContent!) && document.querySelectorAll('.tape [data-cell="price"]').length > 0);
  });

  test("waits, and shows the book of that moment", async () => {
    await press(page, " ");
    await until("it waits", async () => (await phase(page)) === "paused");
    await settles("the book where it was paused");
    const [stood, clock] = [await at(page), await page.locator(".replay-bar .clock").inputValue()];
    await sees(page, "its bars", () => document.querySelector(".legend")!.textContent !== "");
    await stage.plant.get("/v1/recordings");
    assert.equal(await at(page), stood);
    assert.equal(await page.locator(".replay-bar .clock").inputValue(), clock);
    await picture(page, "replay");
  });

  test("goes on event by event", async () => {
    const stood = await at(page);
    await until("a step", async () => {
      await press(page, "ArrowRight");
      return (await at(page)) > stood;
    });
    const stepped = await at(page);
    await press(page, "Shift+ArrowRight");
    await until("a hundred steps", async () => (await at(page)) > stepped);
    await until("it waits again", async () => (await phase(page)) === "paused");
    await settles("the book after steps");
  });

  test("says what is wrong with a time, and stays", async () => {
    const stood = await at(page);
    const clock = page.locator(".replay-bar .clock");
    for (const [text, wrong] of [["half past two", /no time/], ["2001-01-01 00:00", /not in the recording: it goes from/]] as const) {
      await clock.fill(text);
      await clock.press("Enter");
      await sees(page, "what is wrong", (pattern) => new RegExp(pattern).test(document.querySelector(".toasts")?.textContent ?? ""), wrong.source);
    }
    await clock.press("Escape");
    await page.locator(".toast button").click();
    assert.equal(await at(page), stood);
  });

  test("goes where it is told", async () => {
    const { recordings } = await stage.plant.get("/v1/recordings");
    const from = Date.parse(recordings[0].from);
    const target = new Date(from + 4000).toISOString().slice(0, 19).replace("T", " ");
    const clock = page.locator(".replay-bar .clock");
    await clock.fill(target);
    await clock.press("Enter");
    await until("it is there", async () => (await at(page)).startsWith(target.replace(" ", "T")));
    await agrees("the book there");
    // No trade of the list is from later.
    const newest = await page.evaluate(() => document.querySelector('.tape [data-cell="time"]')!.textContent!);
    assert.ok(isUpTo(newest, `${target.slice(11)}.999`), `${newest} is later than ${target}`);
    const slider = page.locator(".replay-bar .slider");
    const box = (await slider.boundingBox())!;
    const before = await at(page);
    await page.mouse.click(box.x + box.width * 0.6, box.y + box.height / 2);
    await until("it is elsewhere", async () => (await at(page)) > before);
    await agrees("the book at the slider's place");
  });

  test("plays faster and slower", async () => {
    await press(page, "]");
    await says(page, /REPLAY 2×/);
    await press(page, "]");
    await says(page, /REPLAY 5×/);
    await press(page, "[");
    await says(page, /REPLAY 2×/);
    await page.locator(".replay-bar .speed select").selectOption("max");
    await says(page, /REPLAY max/);
    await press(page, " ");
    await until("it comes to its end", async () => (await phase(page)) === "finished");
    await agrees("the book at the end");
  });

  test("has another symbol and interval by the same clock", async () => {
    const { recordings } = await stage.plant.get("/v1/recordings");
    await page.locator(".replay-bar .speed select").selectOption("0.5");
    await says(page, /REPLAY 0.5×/);
    const clock = page.locator(".replay-bar .clock");
    await clock.fill(new Date(Date.parse(recordings[0].from) + 6000).toISOString().slice(0, 19));
    await clock.press("Enter");
    // It goes on from there, as it did before it came to its end.
    await until("it plays there", async () => (await phase(page)) === "playing");
    await press(page, " ");
    await until("it waits there", async () => (await phase(page)) === "paused");
    await page.locator('.watchlist tr[data-symbol="ETH-USD"]').click();
    await until("the other symbol", async () => (await place(page)).get("symbol") === "ETH-USD");
    await agrees("the other book");
    await until("it waits", async () => (await phase(page)) === "paused");
    await press(page, "1");
    await sees(page, "bars of a second", () => document.querySelectorAll(".chart .unseen tbody tr").length > 2);
    await agrees("the same book");
  });

  test("shows bars of long before it began, when the chart is scrolled back", async () => {
    const { recordings } = await stage.plant.get("/v1/recordings");
    const target = new Date(Date.parse(recordings[0].from) + 35_000).toISOString().slice(0, 19);
    // Many bars lie before this place; a state of the recording has twenty.
    await until("a recording of more bars", async () => {
      const { data } = await stage.plant.get(`/v1/candles?recording=${recordings[0].recording}&symbol=ETH-USD&interval=1s&limit=5000`);
      return data.length > 40;
    });
    const asked: Promise<{ url: string; body: { data: { start: string; close: string; volume: string }[] } }>[] = [];
    page.on("response", (answer) => {
      if (answer.url().includes("/v1/candles") && answer.ok()) asked.push(answer.json().then((body) => ({ url: answer.url(), body })));
    });
    // The other intervals begin anew, and so does this one: with what has been recorded by now.
    await press(page, "2");
    await until("bars of a minute", async () => (await place(page)).get("interval") === null && (await phase(page)) === "paused");
    await press(page, "1");
    await until("bars of a second", async () => (await place(page)).get("interval") === "1s" && (await phase(page)) === "paused");
    const clock = page.locator(".replay-bar .clock");
    await clock.fill(target);
    await clock.press("Enter");
    await until("it is there", async () => (await at(page)).slice(0, 19) === target);
    asked.length = 0;
    await page.locator(".canvas-box").focus();
    await until("older bars were asked for", async () => {
      await page.keyboard.press("ArrowLeft");
      return asked.length > 0 && (await Promise.all(asked)).some(({ url, body }) => url.includes("interval=1s") && body.data.length > 0);
    });
    const { body } = (await Promise.all(asked)).find(({ url, body: { data } }) => url.includes("interval=1s") && data.length > 0)!;
    assert.ok((await Promise.all(asked)).every(({ url }) => url.includes(`recording=${recordings[0].recording}`)), "of what is played");
    // They are the bars that the recording's own lines end with.
    const lines = await fetch(`http://${stage.plant.address}/v1/recordings/${recordings[0].recording}?format=ndjson&channels=candles&symbols=ETH-USD&interval=1s`, { headers: { Authorization: `Bearer ${stage.plant.token()}` } });
    const last = new Map((await lines.text()).trim().split("\n").map((line) => JSON.parse(line)).map((bar) => [bar.start, bar]));
    for (const { start, close, volume } of body.data) assert.deepEqual([close, volume], [last.get(start).close, last.get(start).volume], start);
    const starts = [...last.keys()].filter((start) => start <= body.data[0]!.start).sort();
    assert.deepEqual(body.data.map(({ start }) => start).reverse(), starts.slice(-body.data.length), "without a hole");
    assert.ok(body.data.length >= 10, `${body.data.length} bars`);
    await page.keyboard.press("End");
    await agrees("the book of where it stands");
  });

  test("is found again by its address", async () => {
    const other = await stage.page(new URL(page.url()).hash, {}, "nothing");
    // Never live, not even for a moment.
    await sees(other, "the page", () => document.querySelector(".pill") !== null);
    assert.equal(await other.evaluate(() => document.documentElement.dataset.replay), "true");
    await says(other, /REPLAY/);
    await prices(other);
    const [mine, theirs] = [await place(page), await place(other)];
    assert.equal(theirs.get("recording"), mine.get("recording"));
    assert.equal(theirs.get("symbol"), mine.get("symbol"));
    await until("the same levels", async () => String((await levels(other)).bids) === String((await levels(page)).bids));
    assert.doesNotMatch(other.url(), /token|eyJ/);
    // An address that is put into an open page.
    await other.evaluate(() => (location.hash = "#symbol=ETH-USD&interval=5m"));
    await says(other, /LIVE/);
    await sees(other, "the other symbol", () => document.querySelector(".strip")!.textContent!.includes("ETH-USD"));
    await other.evaluate((hash) => (location.hash = hash), new URL(page.url()).hash);
    await says(other, /REPLAY/);
    await until("the same levels again", async () => String((await levels(other)).bids) === String((await levels(page)).bids));
    await other.context().close();
  });

  test("comes back to where it was after the connection broke", async () => {
    const stood = await at(page);
    const before = stage.site.connections;
    stage.site.cut();
    await until("it is opened again", async () => (await phase(page)) === "opening" || !/REPLAY/.test(await pill(page)) || stage.site.connections > before);
    await until("it waits", async () => (await phase(page)) === "paused");
    await prices(page);
    // It is behind the same event; the clock may have been between that and the next one.
    await until("the place", async () => Math.abs(Date.parse(await at(page)) - Date.parse(stood)) < 1000);
    await settles("the book after the break");
  });

  test("ends with a key", async () => {
    await press(page, "l");
    await says(page, /LIVE/);
    await sees(page, "no badge", () => document.documentElement.dataset.replay === "false" && document.querySelector(".badge") === null);
    assert.equal((await place(page)).get("at"), null);
    const first = await page.locator(".strip .price").innerText();
    await sees(page, "live prices", (old) => document.querySelector(".strip .price")!.textContent !== old, first);
    assert.deepEqual(stage.complaints.filter((text) => !/WebSocket/.test(text)), []);
  });
});

describe("without recordings", { skip: missing }, () => {
  test("the bar says how to switch them on", async () => {
    const stage = await Stage.open({ recording: false });
    try {
      const page = await stage.page();
      await sees(page, "the way to recordings", () => /folder = "recordings"/.test(document.querySelector(".replay-bar")!.textContent!));
      assert.deepEqual(stage.complaints, []);
    } finally {
      await stage.close();
    }
  });
});
