// The page in its rarer states: nothing against any of them for whoever does not see it, zooms it, or chooses the colours.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { BrowserContextOptions, Page } from "playwright-core";

import { violations } from "../support/axe.js";
import { missing, picture, prices, says, sees, Stage, until } from "../support/browser.js";

/** Texts that lie over each other, or reach out of the page. */
function overlaps(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    if (document.documentElement.scrollWidth > innerWidth) found.push(`the page is ${document.documentElement.scrollWidth} wide`);
    const groups = [".top", ".strip", ".replay-bar", ".book .pane-head", ".tape .pane-head", ".watchlist .pane-head"];
    for (const group of groups) {
      const parts = [...(document.querySelector(group)?.children ?? [])].filter((part) => part.getClientRects().length > 0 && !part.matches(".unseen, .space"));
      const boxes = parts.map((part) => ({ name: `${group} ${part.className || part.tagName}`, box: part.getBoundingClientRect() })).filter(({ box }) => box.width > 1);
      for (const [at, one] of boxes.entries()) {
        if (one.box.right > innerWidth + 1) found.push(`${one.name} ends at ${one.box.right}`);
        for (const other of boxes.slice(at + 1)) {
          const wide = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
          const high = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
          if (wide > 1 && high > 1) found.push(`${one.name} lies over ${other.name}`);
        }
      }
    }
    // A number that is cut is another number.
    for (const cell of document.querySelectorAll<HTMLElement>(".tape td, .ladder td, .ladder th, .strip .price, .strip dd")) {
      if (cell.clientWidth > 0 && getComputedStyle(cell).overflowX !== "visible" && cell.getBoundingClientRect().bottom < innerHeight && cell.scrollWidth > cell.clientWidth + 1) found.push(`cut: ${cell.textContent}`);
    }
    return found.slice(0, 10);
  });
}

describe("rarer states", { skip: missing }, () => {
  let stage: Stage;
  before(async () => void (stage = await Stage.open({ symbols: 24, rate: 2000 })));
  after(() => stage.close());

  test("alerts that have happened, dialogs, a replay at its end: nothing against them", async () => {
    const page = await stage.page("#symbol=BTC-USD");
    const last = Number((await stage.plant.get("/v1/snapshot?channel=ticker&symbols=BTC-USD")).data[0].last_price);
    await page.keyboard.press("a");
    await page.locator("dialog.alert input.number").fill("nonsense");
    await page.keyboard.press("Enter");
    await sees(page, "why not", () => document.querySelector("dialog.alert .note")!.textContent !== "");
    assert.deepEqual(await violations(page), []);
    await page.locator("dialog.alert input.number").fill((last + 0.01).toFixed(2));
    await page.locator("dialog.alert select").nth(1).selectOption("above");
    await page.locator('dialog.alert button[type="submit"]').click();
    await sees(page, "the alert", () => document.querySelector(".alert-toast") !== null);
    if (await page.locator("dialog.alert").count()) await page.keyboard.press("Escape");
    await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press("a");
    await sees(page, "the list of alerts", () => document.querySelector(".alert-list li") !== null);
    assert.deepEqual(await violations(page), []);
    await picture(page, "alerts");
    await page.keyboard.press("Escape");
    await sees(page, "no dialog", () => document.querySelector("dialog") === null);
    await page.keyboard.press("/");
    await page.keyboard.type("nothing has this name");
    await sees(page, "that nothing is found", () => /No symbol/.test(document.querySelector("dialog.search")!.textContent!));
    assert.deepEqual(await violations(page), []);
    await page.keyboard.press("Escape");
    await sees(page, "no dialog", () => document.querySelector("dialog") === null);
    await page.keyboard.press("r");
    await says(page, /REPLAY/);
    await page.locator(".replay-bar .speed select").selectOption("max");
    await sees(page, "the end", () => /finished/.test(document.querySelector(".replay-bar .phase")!.textContent!));
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(await overlaps(page), []);
    await picture(page, "replay-end");
    await page.context().close();
  });

  const SCREENS: [string, BrowserContextOptions][] = [
    ["zoomed to 200 %", { viewport: { width: 720, height: 450 }, deviceScaleFactor: 2 }],
    ["zoomed to 150 %", { viewport: { width: 960, height: 600 }, deviceScaleFactor: 1.5 }],
    ["of a small notebook", { viewport: { width: 1280, height: 720 } }],
    ["between two layouts", { viewport: { width: 1100, height: 800 } }],
    ["narrow", { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }],
    ["of 4K", { viewport: { width: 3840, height: 2160 } }],
  ];
  for (const [name, options] of SCREENS) {
    for (const locale of ["en-GB", "de-DE"]) {
      test(`nothing overlaps on a screen ${name}, ${locale}`, async () => {
        const page = await stage.page("#symbol=BTC-USD&interval=1s", { ...options, locale }, "nothing");
        await sees(page, "a price", () => /\d/.test(document.querySelector(".strip .price")?.textContent ?? ""));
        await until("it is live", async () => /LIVE/.test(await page.locator(".pill").innerText()));
        assert.deepEqual(await overlaps(page), []);
        await picture(page, `screen-${name.replaceAll(/\W+/g, "-")}-${locale}`);
        await page.keyboard.press("r");
        await sees(page, "the replay", () => document.querySelector(".badge") !== null);
        await until("it plays", async () => /REPLAY/.test(await page.locator(".pill").innerText()));
        assert.deepEqual(await overlaps(page), []);
        await picture(page, `screen-${name.replaceAll(/\W+/g, "-")}-${locale}-replay`);
        await page.context().close();
      });
    }
  }

  for (const colorScheme of ["light", "dark"] as const) {
    test(`colours of the system, ${colorScheme}: all can be read, and what is chosen is seen`, async () => {
      const page = await stage.page("#symbol=BTC-USD&interval=1s", { forcedColors: "active", colorScheme });
      const [pressed, other] = await page.evaluate(() => [...document.querySelectorAll('.choices.layouts button')].map((one) => getComputedStyle(one).backgroundColor));
      assert.notEqual(pressed, other);
      assert.deepEqual(await violations(page), []);
      await picture(page, `forced-${colorScheme}`);
      await page.context().close();
    });
  }

  test("is dark on white on paper", async () => {
    const page = await stage.page("#symbol=BTC-USD");
    await page.emulateMedia({ media: "print" });
    const [ground, text] = await page.evaluate(() => [getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('.watchlist [data-cell="bid"]')!).color]);
    assert.equal(ground, "rgb(255, 255, 255)");
    assert.equal(text, "rgb(17, 17, 17)");
    await picture(page, "print");
    const paper = await page.pdf({ format: "A4", landscape: true });
    assert.ok(paper.length > 10_000);
    await page.context().close();
  });

  test("long names are cut, and nothing else", async () => {
    const name = `${"A".repeat(20)}-${"LONG".repeat(9)}-USD`;
    const context = await stage.browser.newContext({ viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    await page.route("**/v1/symbols", async (route) => {
      const answer = await route.fetch();
      const { symbols } = (await answer.json()) as { symbols: object[] };
      await route.fulfill({ response: answer, json: { symbols: [{ symbol: name, tick_size: "0.01" }, ...symbols] } });
    });
    await page.goto(`${stage.site.url}#symbol=${name}`);
    await sees(page, "its row", (symbol) => document.querySelector(`tr[data-symbol="${symbol}"]`) !== null, name);
    await says(page, /LIVE/);
    assert.deepEqual(await overlaps(page), []);
    const cut = await page.evaluate((symbol) => {
      const row = document.querySelector(`tr[data-symbol="${symbol}"]`)!;
      const [button, cell] = [row.querySelector("button.row")!, row.querySelector("th")!];
      return { within: button.getBoundingClientRect().right <= cell.getBoundingClientRect().right, dots: getComputedStyle(button).textOverflow, title: (button as HTMLElement).title };
    }, name);
    assert.deepEqual(cut, { within: true, dots: "ellipsis", title: name });
    await page.keyboard.press("/");
    await page.keyboard.type("aaaa");
    await sees(page, "it is found", () => document.querySelectorAll("#found li").length === 1);
    const wide = await page.evaluate(() => document.querySelector("dialog.search")!.scrollWidth <= document.querySelector("dialog.search")!.clientWidth);
    assert.ok(wide, "within the dialog");
    await picture(page, "long-name");
    await context.close();
  });

  test("finds one of 5,000 symbols as one types", async (t) => {
    const context = await stage.browser.newContext({ viewport: { width: 1440, height: 900 } });
    const page = await context.newPage();
    await page.route("**/v1/symbols", async (route) => {
      const answer = await route.fetch();
      const { symbols } = (await answer.json()) as { symbols: object[] };
      const more = Array.from({ length: 5000 - symbols.length }, (_, at) => ({ symbol: `S${String(at).padStart(4, "0")}-USD`, tick_size: "0.01" }));
      await route.fulfill({ response: answer, json: { symbols: [...symbols, ...more] } });
    });
    await page.goto(stage.site.url);
    await prices(page);
    await page.evaluate(() => {
      const long: number[] = ((window as unknown as { long: number[] }).long = []);
      new PerformanceObserver((list) => long.push(...list.getEntries().map(({ duration }) => duration))).observe({ entryTypes: ["longtask"] });
    });
    await page.keyboard.press("/");
    await page.keyboard.type("s4711");
    await sees(page, "the one", () => document.querySelector("#found li")?.textContent === "S4711-USD");
    assert.ok((await page.evaluate(() => document.querySelectorAll("#found li").length)) <= 50);
    const long = await page.evaluate(() => (window as unknown as { long: number[] }).long);
    t.diagnostic(`long tasks while typing, ms: ${long.map(Math.round)}`);
    await context.close();
  });

  test("a page that nobody sees draws nothing, and is right as soon as it is seen", async () => {
    const page = await stage.page("#symbol=BTC-USD");
    const hide = (isHidden: boolean): Promise<void> => page.evaluate((value) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => value });
      Object.defineProperty(document, "visibilityState", { configurable: true, get: () => (value ? "hidden" : "visible") });
      document.dispatchEvent(new Event("visibilitychange"));
    }, isHidden);
    await hide(true);
    // What was under way is drawn yet.
    await new Promise((done) => setTimeout(done, 1200));
    await page.evaluate(() => {
      const seen = ((window as unknown as { changes: number }).changes = 0);
      void seen;
      new MutationObserver((list) => ((window as unknown as { changes: number }).changes += list.length)).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    });
    await new Promise((done) => setTimeout(done, 3000));
    assert.equal(await page.evaluate(() => (window as unknown as { changes: number }).changes), 0, "nothing was drawn");
    // The newest trade that is listed two frames after it is seen was made while nobody saw it.
    const age = await page.evaluate(() => new Promise<number>((done) => {
      Object.defineProperty(document, "hidden", { configurable: true, get: () => false });
      document.dispatchEvent(new Event("visibilitychange"));
      const seen = Date.now();
      let frames = 0;
      const look = (): void => {
        const text = document.querySelector('.tape [data-cell="time"]')!.textContent!;
        const made = Date.parse(`${new Date().toISOString().slice(0, 11)}${text}Z`);
        if (seen - made < 1000 || ++frames > 600) done(frames);
        else requestAnimationFrame(look);
      };
      // What is to be drawn at once is put off by nothing.
      setTimeout(() => requestAnimationFrame(look), 0);
    }));
    assert.ok(age <= 8, `it took ${age} frames`);
    await page.context().close();
  });

  test("two pages are two: one replays, the other is live", async () => {
    const context = await stage.browser.newContext({ viewport: { width: 1440, height: 900 } });
    const [one, two] = [await context.newPage(), await context.newPage()];
    await one.goto(`${stage.site.url}#symbol=BTC-USD`);
    await two.goto(`${stage.site.url}#symbol=ETH-USD`);
    for (const page of [one, two]) await prices(page);
    await one.bringToFront();
    await one.keyboard.press("r");
    await says(one, /REPLAY/);
    assert.match(await two.locator(".pill").innerText(), /LIVE/);
    assert.equal(await two.locator(".strip h1").innerText(), "ETH-USD");
    await two.bringToFront();
    const shown = await two.locator(".strip .price").innerText();
    await sees(two, "another price", (old) => document.querySelector(".strip .price")!.textContent !== old, shown);
    await context.close();
  });

  test("complained of nothing", () => assert.deepEqual(stage.complaints, []));
});

describe("states without a line", { skip: missing }, () => {
  let stage: Stage;
  before(async () => void (stage = await Stage.open({ symbols: 12, rate: 600 })));
  after(() => stage.close());

  test("no line, and what went wrong: nothing against them", async () => {
    const page = await stage.page("#symbol=BTC-USD");
    const other = await stage.page("", {}, "nothing");
    await stage.plant.kill();
    await says(page, /RECONNECTING/);
    await sees(page, "all greyed", () => document.querySelector(".watchlist tr.doubtful") !== null && document.querySelector(".ladder.doubtful") !== null);
    assert.deepEqual(await violations(page), []);
    assert.deepEqual(await overlaps(page), []);
    await picture(page, "reconnecting");
    await other.reload();
    await sees(other, "no server", () => /does not answer/.test(document.body.textContent!));
    assert.deepEqual(await violations(other), []);
    await picture(other, "gone");
    await stage.plant.run();
    await prices(other);
    await says(page, /LIVE/);
    for (const one of [page, other]) await one.context().close();
    stage.site.welcomes = false;
    const form = await stage.page("", {}, "nothing");
    await sees(form, "the form", () => document.querySelector(".sign-in") !== null);
    await form.locator(".sign-in input").fill("no.token.this");
    await form.keyboard.press("Enter");
    await sees(form, "why not", () => (document.querySelector(".sign-in .note")?.textContent ?? "") !== "");
    assert.deepEqual(await violations(form), []);
    await picture(form, "sign-in");
    await form.context().close();
    stage.site.welcomes = true;
  });
});

describe("a list of 3,000", { skip: missing }, () => {
  test("has a price in each row that is looked at", async () => {
    const stage = await Stage.open({ symbols: 3000, rate: 6000, recording: false });
    try {
      const { symbols } = await stage.plant.get("/v1/symbols");
      const names: string[] = symbols.map(({ symbol }: { symbol: string }) => symbol);
      const page = await stage.page("", {}, "nothing");
      await page.evaluate((all) => localStorage.setItem("tickwire.watchlist", JSON.stringify(all)), names);
      await page.reload();
      await sees(page, "all rows", (count) => document.querySelectorAll(".watchlist tbody tr").length === count, names.length);
      await page.evaluate(() => document.querySelector(".watchlist tbody tr:last-child")!.scrollIntoView());
      await sees(page, "the last one's price", () => /\d/.test(document.querySelector('.watchlist tbody tr:last-child [data-cell="last"]')!.textContent!));
      await page.evaluate(() => document.querySelector(".watchlist tbody tr")!.scrollIntoView());
      await sees(page, "the first one's price", () => /\d/.test(document.querySelector('.watchlist tbody tr [data-cell="last"]')!.textContent!));
      assert.deepEqual(stage.complaints, []);
    } finally {
      await stage.close();
    }
  });
});
