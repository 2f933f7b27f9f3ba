// How the page looks: three palettes, two languages, wide and narrow, live and in a replay; for everybody.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { violations } from "../support/axe.js";
import { missing, picture, says, sees, Stage, until } from "../support/browser.js";

const THEMES = ["dark", "light", "blue-orange"] as const;

describe("looks", { skip: missing }, () => {
  let stage: Stage;
  before(async () => {
    stage = await Stage.open({ symbols: 50, rate: 2000 });
    await until("some bars", async () => (await stage.plant.get("/v1/candles?symbol=BTC-USD&interval=1s&limit=500")).data.length > 60, 90_000);
  });
  after(() => stage.close());

  for (const theme of THEMES) {
    test(`${theme}: nothing against it, live and in a replay`, async () => {
      const page = await stage.page("#symbol=BTC-USD&interval=1s");
      await page.locator(".tools select").first().selectOption(theme);
      await sees(page, "the palette", (name) => document.documentElement.dataset.theme === name, theme);
      await sees(page, "bars", () => document.querySelectorAll(".chart .unseen tbody tr").length === 10);
      assert.deepEqual(await violations(page), []);
      await page.mouse.move(5, 200);
      await picture(page, `desk-${theme}`);
      await page.keyboard.press("r");
      await says(page, /REPLAY/);
      await sees(page, "prices of then", () => /\d/.test(document.querySelector(".mid-price")!.textContent!));
      assert.deepEqual(await violations(page), []);
      await picture(page, `replay-${theme}`);
      await page.context().close();
    });
  }

  test("follows the system's choice of colours", async () => {
    const light = await stage.page("", { colorScheme: "light" });
    assert.equal(await light.evaluate(() => document.documentElement.dataset.theme), "light");
    await light.emulateMedia({ colorScheme: "dark" });
    await sees(light, "dark", () => document.documentElement.dataset.theme === "dark");
    await light.context().close();
  });

  test("dialogs and layouts have nothing against them", async () => {
    const page = await stage.page("#symbol=ETH-USD&interval=1s");
    await page.keyboard.press("/");
    await page.keyboard.type("b");
    await sees(page, "symbols", () => document.querySelectorAll("#found li").length > 0);
    assert.deepEqual(await violations(page), []);
    await picture(page, "search");
    await page.keyboard.press("Escape");
    await sees(page, "no dialog", () => document.querySelector("dialog") === null);
    await page.keyboard.press("a");
    await sees(page, "the dialog", () => document.querySelector("dialog.alert") !== null);
    assert.deepEqual(await violations(page), []);
    await picture(page, "alert");
    await page.keyboard.press("Escape");
    await sees(page, "no dialog", () => document.querySelector("dialog") === null);
    await page.keyboard.press("?");
    await sees(page, "the keys", () => document.querySelector("dialog.help") !== null);
    assert.deepEqual(await violations(page), []);
    await picture(page, "keys");
    await page.keyboard.press("Escape");
    await sees(page, "no dialog", () => document.querySelector("dialog") === null);
    await page.locator(".pill").hover();
    await sees(page, "the ledger", () => /Delivered[\d,]+/.test(document.querySelector(".details")?.textContent ?? ""));
    await page.keyboard.press("F2");
    await sees(page, "frames", () => /\d/.test(document.querySelector('.overlay [data-cell="fps"]')?.textContent ?? ""));
    assert.deepEqual(await violations(page), []);
    await picture(page, "details");
    await page.keyboard.press("F2");
    for (const layout of ["chart", "book"]) {
      await page.keyboard.press("v");
      await sees(page, layout, (name) => document.querySelector<HTMLElement>(".panes")!.dataset.layout === name, layout);
      assert.deepEqual(await violations(page), []);
      await picture(page, `layout-${layout}`);
    }
    await page.context().close();
  });

  test("is whole on a wide screen", async () => {
    const page = await stage.page("#symbol=BTC-USD&interval=1s", { viewport: { width: 1920, height: 1080 } });
    await sees(page, "bars", () => document.querySelectorAll(".chart .unseen tbody tr").length === 10);
    await picture(page, "wide");
    await page.context().close();
  });

  test("is usable at 390 pixels", async () => {
    const page = await stage.page("#symbol=BTC-USD&interval=1s", { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true }, "nothing");
    await sees(page, "a price", () => /\d/.test(document.querySelector(".strip .price")?.textContent ?? ""));
    const tabs = page.locator(".tabs button");
    for (const [at, name] of ["watchlist", "chart", "book", "tape"].entries()) {
      await tabs.nth(at).tap();
      await sees(page, name, (pane) => document.querySelector(`.${pane}`)!.getBoundingClientRect().width > 380, name);
      const numbers = { watchlist: '[data-cell="last"]', chart: ".unseen", book: ".mid-price", tape: '[data-cell="price"]' }[name]!;
      await sees(page, `numbers of ${name}`, (selector) => /\d/.test(document.querySelector(selector)!.textContent!), `.${name} ${numbers}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= 390, `${name} is ${wide} wide`);
      assert.deepEqual(await violations(page), []);
      await picture(page, `narrow-${name}`);
    }
    await page.context().close();
  });

  test("speaks German, with its numbers", async () => {
    const page = await stage.page("#symbol=BTC-USD", { locale: "de-DE" });
    assert.equal(await page.evaluate(() => document.documentElement.lang), "de");
    assert.match(await page.locator(".watchlist h2").innerText(), /Beobachtungsliste/);
    assert.match(await page.locator(".strip .price").innerText(), /\d{2}\.\d{3},\d{2}/);
    assert.match(await page.locator(".book h2").innerText(), /Orderbuch/);
    assert.deepEqual(await violations(page), []);
    await picture(page, "german");
    await page.locator(".tools select").nth(1).selectOption("en");
    await sees(page, "English", () => document.querySelector(".watchlist h2")!.textContent === "Watchlist");
    await sees(page, "its numbers", () => /\d{2},\d{3}\.\d{2}/.test(document.querySelector(".strip .price")!.textContent!));
    await page.context().close();
  });

  test("does not flash where motion is not wanted", async () => {
    const page = await stage.page("", { reducedMotion: "reduce" });
    const moved = await page.evaluate(() => document.querySelector(".strip .price")!.textContent);
    let flashes = 0;
    await until("another price", async () => {
      flashes += await page.evaluate(() => document.querySelectorAll(".flash").length);
      return (await page.locator(".strip .price").innerText()) !== moved;
    });
    assert.equal(flashes, 0);
    await page.context().close();
  });

  test("complained of nothing", () => assert.deepEqual(stage.complaints, []));
});
