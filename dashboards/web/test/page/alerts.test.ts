// Price alerts: what is crossed is told, whoever was away meanwhile, the page or the server.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";

import { missing, prices, says, sees, Stage, until } from "../support/browser.js";

/** An alert as a page of before has left it. */
function wish(more: object): object {
  return { alert: "web-1", symbol: "BTC-USD", field: "last_price", ...more };
}

async function openAlerts(page: Page): Promise<void> {
  await page.evaluate(() => (document.activeElement as HTMLElement).blur());
  await page.keyboard.press("a");
  await sees(page, "the dialog", () => document.querySelector("dialog.alert") !== null);
}

/** What the server says to the page's guest, over a line of its own. */
function ask(page: Page, request: object): Promise<Record<string, unknown>> {
  return page.evaluate(async (wish) => {
    const socket = new WebSocket(`ws://${location.host}/v1/stream`, ["tickwire.v1.json"]);
    const send = (message: object): void => socket.send(JSON.stringify(message));
    return new Promise<Record<string, unknown>>((done) => {
      socket.onmessage = ({ data }) => {
        const message = JSON.parse(String(data));
        if (message.type === "welcome") send({ op: "auth", token: sessionStorage.getItem("tickwire.guest") });
        if (message.op === "auth") send({ id: 1, ...wish });
        if (message.id === 1) (socket.close(), done(message));
      };
    });
  }, request);
}

/** How many the server watches for this page. */
const watchedFor = async (page: Page): Promise<number> => ((await ask(page, { op: "alert_list" })).alerts as unknown[]).length;

const toasts = (page: Page): Promise<string[]> => page.locator(".alert-toast p").allInnerTexts();

describe("a price alert", { skip: missing }, () => {
  let stage: Stage;
  before(async () => void (stage = await Stage.open()));
  after(() => stage.close());

  const left = async (wishes: object[]): Promise<Page> => {
    const page = await stage.page("", {}, "nothing");
    await page.evaluate((kept) => localStorage.setItem("tickwire.alerts", JSON.stringify(kept)), wishes);
    await page.reload();
    await prices(page);
    return page;
  };

  test("tells of a price that was crossed, also after the server forgot", async () => {
    const page = await stage.page("#symbol=BTC-USD");
    await page.locator('.book [data-side="ask"] tr:not(.none) button').first().click();
    await sees(page, "the dialog", () => document.querySelector("dialog.alert") !== null);
    assert.match(await page.locator("dialog.alert input.number").inputValue(), /^\d+\.\d\d$/);
    // One that waits: far away.
    await page.locator("dialog.alert input.number").fill("99999.00");
    await page.keyboard.press("Enter");
    await sees(page, "it is set", () => document.querySelector(".number-badge")?.textContent === "1");
    // One that happens: just above the last price, in a market that wanders.
    const last = async (): Promise<number> => Number((await stage.plant.get("/v1/snapshot?channel=ticker&symbols=BTC-USD")).data[0].last_price);
    await page.keyboard.press("a");
    await page.locator("dialog.alert input.number").fill(((await last()) + 0.01).toFixed(2));
    await page.locator("dialog.alert select").nth(1).selectOption("above");
    await page.locator('dialog.alert button[type="submit"]').click();
    await sees(page, "that it has happened", () => document.querySelector('.alert-toast[role="alert"]') !== null);
    assert.match(await page.locator(".alert-toast").first().innerText(), /BTC-USD: Last price [\d,.]+ is above [\d,.]+/);
    if (await page.locator("dialog.alert").count()) await page.keyboard.press("Escape");
    await page.locator(".alert-toast button").first().click();
    await stage.plant.kill();
    await says(page, /RECONNECTING/);
    await stage.plant.run();
    await says(page, /LIVE/);
    await openAlerts(page);
    await sees(page, "both", () => document.querySelectorAll(".alert-list .alert-armed").length === 1 && document.querySelectorAll(".alert-list .alert-done").length === 1);
    await until("the server has the one that waits", async () => (await watchedFor(page)) === 1);
    await page.locator('.alert-list li button').first().click();
    await sees(page, "one less", () => document.querySelectorAll(".alert-list li").length === 1);
    await page.context().close();
  });

  test("that was armed when the page was closed is told by the next one", async () => {
    const page = await left([
      wish({ alert: "web-1", above: "1", state: "armed" }), wish({ alert: "web-2", above: "2", state: "beyond" }), wish({ alert: "web-3", above: "3", state: "done" }),
    ]);
    await sees(page, "that it has happened", () => document.querySelector(".alert-toast") !== null);
    await openAlerts(page);
    await sees(page, "how they stand", () => document.querySelectorAll(".alert-list .alert-done").length === 2 && document.querySelectorAll(".alert-list .alert-beyond").length === 1);
    assert.match(String(await toasts(page)), /^BTC-USD: Last price [\d,.]+ is above 1 [\d:]+$/);
    await page.context().close();
  });

  test("that happens while the page is loaded again is told, by the same guest", async () => {
    const page = await left([wish({ above: "999999" })]);
    await until("it is watched", async () => (await watchedFor(page)) > 0);
    // Nobody looks while it happens: a page without the program, of the same tab.
    await page.goto(`${stage.site.url}v1/symbols`);
    const set = { op: "alert_set", alert: "web-1", symbol: "BTC-USD", above: "1", armed: true };
    assert.equal((await ask(page, set)).beyond, true);
    await page.goto(stage.site.url);
    await sees(page, "that it has happened", () => document.querySelector(".alert-toast") !== null);
    await page.reload();
    await prices(page);
    await openAlerts(page);
    await sees(page, "that it is done", () => document.querySelector(".alert-list .alert-done") !== null);
    assert.deepEqual(await toasts(page), []);
    await page.context().close();
  });

  test("that the server does not take keeps none of the others back", async () => {
    const page = await left([wish({ alert: "web-1", symbol: "GONE-USD", above: "1" }), wish({ alert: "web-2", above: "999999" })]);
    await openAlerts(page);
    await sees(page, "both, as they are", () => document.querySelector(".alert-list .alert-refused") !== null && document.querySelector(".alert-list .alert-armed") !== null);
    await page.locator(".alert-list li", { has: page.locator(".alert-refused") }).locator("button").click();
    await sees(page, "one", () => document.querySelectorAll(".alert-list li").length === 1);
    await until("it is watched", async () => (await watchedFor(page)) === 1);
    await page.context().close();
  });

  test("of one page is that of the others, set and cleared", async () => {
    const page = await stage.page("#symbol=BTC-USD");
    const other = await page.context().newPage();
    await other.goto(stage.site.url);
    await prices(other);
    await openAlerts(page);
    await page.locator("dialog.alert input.number").fill("999,999.50");
    assert.match(await page.locator("#alert-note").innerText(), /BTC-USD Last price above 999,999\.50/);
    await page.keyboard.press("Enter");
    await until("another guest watches it, too", async () => (await watchedFor(other)) === 1);
    await openAlerts(other);
    await sees(other, "it", () => document.querySelectorAll(".alert-list .alert-armed").length === 1);
    await openAlerts(page);
    await page.locator(".alert-list li button").click();
    await sees(other, "that it is gone", () => document.querySelectorAll(".alert-list li").length === 0);
    await page.context().close();
  });

  test("is written with the marks of the language", async () => {
    const page = await stage.page("", { locale: "de-DE" });
    await openAlerts(page);
    assert.match(await page.locator("dialog.alert input.number").inputValue(), /^\d+,\d\d$/);
    const note = async (text: string): Promise<string> => {
      await page.locator("dialog.alert input.number").fill(text);
      return page.locator("#alert-note").innerText();
    };
    assert.match(await note("68.845"), /68\.845$/);
    assert.match(await note("68845,5"), /68\.845,5$/);
    assert.match(await note("68845.5"), /68\.845,5$/);
    assert.equal(await note("68,845,5"), "");
    await page.keyboard.press("Enter");
    await sees(page, "what is wrong", () => /Zahl, wie 68\.900,50/.test(document.querySelector("#alert-note")!.textContent!));
    await page.context().close();
  });

  test("made the page complain of nothing but the broken line", () => {
    assert.deepEqual(stage.complaints.filter((text) => !/WebSocket connection|Failed to load resource/.test(text)), []);
  });
});
