// What a trader does at the page: by keys alone, with alerts, with lists.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";

import { missing, prices, sees, Stage, until } from "../support/browser.js";

const focused = (page: Page): Promise<string> => page.evaluate(() => document.activeElement?.textContent ?? "");
const title = (page: Page): Promise<string> => page.locator(".strip h1").innerText();

describe("the desk", { skip: missing }, () => {
  let stage: Stage;
  before(async () => void (stage = await Stage.open({ symbols: 24, rate: 1200 })));
  after(() => stage.close());

  test("goes by keys alone", async () => {
    const page = await stage.page("#symbol=BTC-USD");
    // Typing anywhere is looking for a symbol, also where the letters are keys by themselves.
    await page.keyboard.type("tsla");
    await sees(page, "what was typed", () => document.querySelector<HTMLInputElement>(".search-field")?.value.toUpperCase() === "TSLA");
    assert.equal(await page.evaluate(() => document.querySelector<HTMLSelectElement>(".tools select")!.value), "auto");
    await page.keyboard.press("Escape");
    await sees(page, "no search", () => document.querySelector("dialog") === null);
    await page.evaluate(() => (document.activeElement as HTMLElement).blur());
    await page.keyboard.press("ArrowDown");
    const next = await page.evaluate(() => document.querySelector('.watchlist tr[aria-current] + tr button.row')!.textContent);
    assert.equal(await focused(page), next);
    await page.keyboard.press("n");
    await page.keyboard.type("vd");
    await sees(page, "one symbol", () => document.querySelectorAll("#found li").length === 1);
    await page.keyboard.press("Enter");
    await until("another symbol", async () => (await title(page)) === "NVDA");
    await page.keyboard.press("/");
    await page.keyboard.type("eth");
    await page.keyboard.press("Escape");
    await sees(page, "no dialog", () => document.querySelector("dialog") === null);
    assert.equal(await title(page), "NVDA");
    // Rows: one stop for the Tab key, arrows within.
    await page.evaluate(() => document.querySelector<HTMLElement>('.watchlist button.row[tabindex="0"]')!.focus());
    assert.equal(await focused(page), "NVDA");
    await page.keyboard.press("Home");
    const first = await focused(page);
    await page.keyboard.press("ArrowDown");
    const second = await focused(page);
    assert.notEqual(second, first);
    await page.keyboard.press("Enter");
    await until("the row's symbol", async () => (await title(page)) === second);
    await page.keyboard.press("5");
    await sees(page, "bars of an hour", () => /interval=1h/.test(location.hash));
    await page.keyboard.press("u");
    await sees(page, "local times", () => [...document.querySelectorAll(".tools button")].some((one) => one.textContent === "Local"));
    await page.keyboard.press("u");
    await sees(page, "UTC", () => ![...document.querySelectorAll(".tools button")].some((one) => one.textContent === "Local"));
    await page.keyboard.press("t");
    await sees(page, "another palette", () => document.querySelector<HTMLSelectElement>(".tools select")!.value === "dark");
    await page.keyboard.press("?");
    await sees(page, "the keys", () => document.querySelectorAll("dialog.help dt").length > 12);
    await page.keyboard.press("Escape");
    await sees(page, "no keys", () => document.querySelector("dialog") === null);
    await page.keyboard.press("~");
    await sees(page, "the overlay", () => /\d/.test(document.querySelector('.overlay [data-cell="fps"]')?.textContent ?? ""));
    await page.keyboard.press("~");
    // Whatever has the focus shows it.
    const stops = new Set<string>();
    for (let at = 0; at < 40; at++) {
      await page.keyboard.press("Tab");
      const stop = await page.evaluate(() => {
        const { activeElement: one } = document;
        if (one === null || one === document.body) return "";
        const { outlineStyle, outlineWidth } = getComputedStyle(one);
        return `${one.tagName} ${one.className} ${outlineStyle === "none" || outlineWidth === "0px" ? "unseen" : "seen"}`;
      });
      stops.add(stop);
    }
    assert.deepEqual([...stops].filter((stop) => stop.endsWith("unseen")), []);
    for (const what of ["pill", "slider", "canvas-box", "scroll"]) assert.ok([...stops].some((stop) => stop.includes(what)), `${what} is reached: ${[...stops]}`);
    await page.context().close();
  });

  test("keeps a watchlist of one's own, in one's own order", async () => {
    const page = await stage.page("#symbol=BTC-USD");
    const names = (): Promise<string[]> => page.evaluate(() => [...document.querySelectorAll(".watchlist button.row")].map((row) => row.textContent!));
    const before = await names();
    await page.locator('.watchlist tr[data-symbol="AAPL"]').hover();
    await page.locator('.watchlist tr[data-symbol="AAPL"] .remove button').click();
    await until("a row less", async () => (await names()).length === before.length - 1);
    await page.reload();
    await prices(page);
    assert.ok(!(await names()).includes("AAPL"), "as it was left");
    await page.keyboard.press("/");
    await page.keyboard.type("aapl");
    await page.keyboard.press("Enter");
    await until("it is back, behind the others", async () => (await names()).at(-1) === "AAPL");
    await sees(page, "its price", () => /\d/.test(document.querySelector('tr[data-symbol="AAPL"] [data-cell="last"]')!.textContent!));
    await page.locator(".watchlist th button", { hasText: "Symbol" }).click();
    await until("in order", async () => String(await names()) === String([...before].sort()));
    await page.locator(".watchlist th button", { hasText: "Volume" }).click();
    await sees(page, "said to be in order", () => document.querySelector('th[aria-sort="descending"]') !== null);
    // Somebody points at a row: it stays where it is.
    await page.locator(".watchlist tbody tr").nth(3).hover();
    const pointed = await names();
    await sees(page, "many changes", () => Number((document.documentElement.dataset.seen = String(Number(document.documentElement.dataset.seen ?? 0) + 1))) > 80);
    assert.deepEqual(await names(), pointed);
    await page.context().close();
  });

  test("holds the list of trades still for whoever reads it", async () => {
    const page = await stage.page("#symbol=BTC-USD");
    await sees(page, "a full list", () => (document.querySelectorAll('.tape [data-cell="time"]')[60]?.textContent ?? "") !== "" || document.querySelectorAll('.tape [data-cell="time"]').length > 0);
    await page.evaluate(() => (document.querySelector<HTMLElement>(".tape .scroll")!.scrollTop = 200));
    await sees(page, "how many are new", () => /\d+ new/.test(document.querySelector(".fresh")?.textContent ?? ""));
    const read = await page.evaluate(() => document.querySelectorAll('.tape [data-cell="time"]')[12]!.textContent);
    await sees(page, "more are new", () => Number(/\d+/.exec(document.querySelector(".fresh")?.textContent ?? "0")?.[0]) > 5);
    assert.equal(await page.evaluate(() => document.querySelectorAll('.tape [data-cell="time"]')[12]!.textContent), read);
    await page.locator(".fresh").click();
    await sees(page, "the newest", () => document.querySelector(".fresh") === null && document.querySelector(".tape .scroll")!.scrollTop === 0);
    await page.locator(".tape input").fill("0.1");
    await sees(page, "large ones only", () => [...document.querySelectorAll('.tape [data-cell="size"]')].map((cell) => cell.textContent!).filter((text) => text !== "").every((text) => Number(text.replaceAll(",", "")) >= 0.1));
    await page.context().close();
  });

  test("groups the book by a step", async () => {
    const page = await stage.page("#symbol=BTC-USD");
    await page.locator(".book select").selectOption("100");
    await sees(page, "whole prices", () => {
      const shown = [...document.querySelectorAll<HTMLElement>(".ladder tr[data-price]")].map((row) => row.dataset.price!).filter((price) => price !== "");
      return shown.length > 3 && shown.every((price) => price.endsWith(".00"));
    });
    await page.mouse.move(...(await page.locator(".ladder").boundingBox().then((box) => [box!.x + 40, box!.y + 40] as const)));
    await page.mouse.wheel(0, 100);
    await sees(page, "deeper levels", () => /level 2/.test(document.querySelector(".book .quiet")?.textContent ?? ""));
    await page.keyboard.press("c");
    await sees(page, "the middle", () => document.querySelector(".book .quiet") === null);
    await page.context().close();
  });

  test("loads older bars when the chart is scrolled back", async () => {
    const page = await stage.page("#symbol=BTC-USD&interval=1s");
    await sees(page, "bars", () => document.querySelectorAll(".chart .unseen tbody tr").length > 3);
    await page.locator(".canvas-box").focus();
    // A young market has few bars: there is no further back than those.
    await until("the way back", async () => {
      await page.keyboard.press("ArrowLeft");
      return page.evaluate(() => document.querySelector(".go-live") !== null);
    });
    await sees(page, "that older bars were asked for", () => performance.getEntriesByType("resource").some(({ name }) => /v1\/candles\?.*to=/.test(name)));
    await page.locator(".go-live").click();
    await sees(page, "the newest bar", () => document.querySelector(".go-live") === null);
    await page.context().close();
  });

  test("complained of nothing but the broken line", () => {
    assert.deepEqual(stage.complaints.filter((text) => !/WebSocket connection|Failed to load resource/.test(text)), []);
  });
});
