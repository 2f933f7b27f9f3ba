// Getting in: as a guest for as long as the page is open, by a cookie, with a token; and what is shown of a token that gives less.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import type { Page } from "playwright-core";

import { missing, pill, prices, says, sees, Stage, until } from "../support/browser.js";

const NETWORK = /WebSocket connection|Failed to load resource/;
const price = (page: Page): Promise<string> => page.locator(".strip .price").innerText();

/** Waits until the page shows another price than now. */
async function goesOn(page: Page): Promise<void> {
  const shown = await price(page);
  await until("another price", async () => (await price(page)) !== shown);
}

/** The address of an answer, its status and the token that it was asked with. */
interface Asked {
  url: string;
  status: number;
  bearer: string;
}

function watch(page: Page): Asked[] {
  const all: Asked[] = [];
  page.on("response", (answer) => all.push({ url: answer.url(), status: answer.status(), bearer: answer.request().headers()["authorization"] ?? "" }));
  return all;
}

/** Has the page ask for bars of the past. */
async function scrollBack(page: Page, asked: Asked[]): Promise<Asked> {
  const before = asked.length;
  const candles = (): Asked | undefined => asked.slice(before).find(({ url }) => url.includes("/v1/candles"));
  const next = (await page.evaluate(() => /interval=1s/.test(location.hash))) ? "2" : "1";
  await page.evaluate(() => (document.activeElement as HTMLElement | null)?.blur());
  // Another interval: what was asked for before has no more.
  await page.keyboard.press(next);
  await page.locator(".canvas-box").focus();
  await until("older bars were asked for", async () => {
    await page.keyboard.press("ArrowLeft");
    return candles() !== undefined;
  });
  return candles()!;
}

/** Who guests are, one after the other. */
function guests(page: Page): string[] {
  const all: string[] = [];
  page.on("response", (answer) => {
    if (answer.url().endsWith("/v1/guests") && answer.ok()) void answer.json().then(({ subject }) => all.push(subject));
  });
  return all;
}

describe("a guest", { skip: missing }, () => {
  test("is renewed in time, life after life, also for plain HTTP", async () => {
    const LIFE_S = 8;
    const stage = await Stage.open({ symbols: 6, auth: `lifetime_max = "${LIFE_S}s"` });
    try {
      const page = await stage.page("#symbol=BTC-USD");
      const [asked, visits] = [watch(page), guests(page)];
      const other: string[] = [];
      const end = Date.now() + 3.5 * LIFE_S * 1000;
      while (Date.now() < end) {
        const word = await pill(page);
        if (!/LIVE/.test(word)) other.push(word);
        await new Promise((done) => setTimeout(done, 100));
      }
      assert.deepEqual(other, [], "it was live all the time");
      assert.equal(stage.site.connections, 1, "over one connection");
      assert.ok(visits.length >= 4, `${visits.length} lives`);
      assert.ok(visits.length < 16, `${visits.length} lives: it is not asked for in a loop`);
      assert.equal(new Set(visits).size, 1, "the same guest");
      await goesOn(page);
      const { status, bearer } = await scrollBack(page, asked);
      assert.equal(status, 200);
      assert.match(bearer, /^Bearer ey/);
      assert.deepEqual(stage.complaints, []);
    } finally {
      await stage.close();
    }
  });

  test("is another one where the server has other keys, without a reload", async () => {
    const stage = await Stage.open({ symbols: 6 });
    try {
      const { plant } = stage;
      const page = await stage.page("#symbol=BTC-USD");
      const [asked, visits] = [watch(page), guests(page)];
      await page.evaluate(() => (document.documentElement.dataset.stayed = "yes"));
      const lines = stage.site.connections;
      await plant.kill();
      writeFileSync(join(plant.folder, "secret.key"), "another secret of at least thirty-two bytes");
      await plant.run();
      await until("another connection", async () => stage.site.connections > lines);
      await says(page, /LIVE/);
      await goesOn(page);
      assert.equal((await scrollBack(page, asked)).status, 200);
      assert.ok(visits.length > 0, "it was asked for");
      await page.locator(".pill").hover();
      await sees(page, "who it is by now", (name) => (document.querySelector(".details")?.textContent ?? "").includes(name), visits.at(-1)!);
      assert.equal(await page.evaluate(() => document.documentElement.dataset.stayed), "yes");
      assert.deepEqual(stage.complaints.filter((text) => !NETWORK.test(text)), []);
    } finally {
      await stage.close();
    }
  });
});

describe("a cookie", { skip: missing }, () => {
  let stage: Stage;
  before(async () => void (stage = await Stage.open({ symbols: 6, guests: [], auth: 'cookie = "desk"' })));
  after(() => stage.close());

  test("lets the page in, and back in; nothing else carries a token", async () => {
    const context = await stage.browser.newContext({ viewport: { width: 1440, height: 900 } });
    const value = stage.plant.token(["stream:*", "replay"], "carol");
    await context.addCookies([{ name: "desk", value, url: stage.site.url, httpOnly: true, sameSite: "Strict" }]);
    const page = await context.newPage();
    const asked = watch(page);
    await page.goto(`${stage.site.url}#symbol=BTC-USD`);
    await prices(page);
    assert.equal(await page.evaluate(() => document.cookie), "", "no script sees it");
    assert.equal((await scrollBack(page, asked)).status, 200);
    await sees(page, "recordings", () => document.querySelectorAll(".recordings option").length > 0);
    const lines = stage.site.connections;
    stage.site.cut();
    await until("another connection", async () => stage.site.connections > lines);
    await says(page, /LIVE/);
    await goesOn(page);
    assert.deepEqual(asked.filter(({ bearer }) => bearer !== ""), []);
    await context.close();
  });

  test("is asked for by nobody: without it there is the form", async () => {
    const page = await stage.page("", {}, "nothing");
    await sees(page, "the form", () => document.querySelector(".sign-in") !== null);
    await page.context().close();
  });
});

describe("a token that gives some of it late", { skip: missing }, () => {
  let stage: Stage;
  before(async () => {
    const extra = '[streams]\ndelays = ["3s", "15m"]';
    stage = await Stage.open({ symbols: 6, extra, guests: ["stream:BTC-USD", "stream:ETH-USD?delay_ms=900000", "stream:SOL-USD?delay_ms=3000", "replay"] });
  });
  after(() => stage.close());

  const tag = (page: Page, symbol: string) => page.locator(`.watchlist tr[data-symbol="${symbol}"] [data-cell="state"]`);

  test("is told so, by how much, wherever it is shown", async () => {
    const page = await stage.page("#symbol=BTC-USD");
    await until("its mark", async () => (await tag(page, "ETH-USD").innerText()) === "D");
    assert.equal(await tag(page, "ETH-USD").getAttribute("title"), "Delayed by 15 min");
    assert.equal(await tag(page, "BTC-USD").innerText(), "", "what is live has none");
    assert.equal(await page.locator('.strip [data-cell="state"]').innerText(), "");
    await page.locator('.watchlist tr[data-symbol="SOL-USD"]').click();
    await until("the mark of the strip", async () => (await page.locator('.strip [data-cell="state"]').innerText()) === "D 3 s");
    // There are prices, and they are as late as is said.
    await prices(page);
    await sees(page, "late trades", () => {
      const text = document.querySelector('.tape [data-cell="time"]')!.textContent!;
      const day = 86_400_000;
      // The clock is of today, or of yesterday just after midnight.
      const late = (Date.now() - Date.parse(`1970-01-01T${text}Z`)) % day;
      return late >= 2900 && late < 30_000;
    });
    assert.equal(await tag(page, "SOL-USD").innerText(), "D");
    await page.locator('.watchlist tr[data-symbol="ETH-USD"]').click();
    await until("15 minutes", async () => (await page.locator('.strip [data-cell="state"]').innerText()) === "D 15 min");
    const cut = await page.evaluate(() => {
      const one = document.querySelector('.strip [data-cell="state"]')!;
      return one.scrollWidth > one.clientWidth;
    });
    assert.equal(cut, false, "all of it is read");
    assert.deepEqual(stage.complaints, []);
    await page.context().close();
  });
});

describe("getting in", { skip: missing }, () => {
  let stage: Stage;
  before(async () => void (stage = await Stage.open({ symbols: 6 })));
  after(() => stage.close());

  test("with a token, where guests are not welcome; it is kept nowhere", async () => {
    stage.site.welcomes = false;
    const page = await stage.page("", {}, "nothing");
    await sees(page, "the form", () => document.querySelector(".sign-in") !== null);
    await page.locator(".sign-in input").fill("no.token.this");
    await page.keyboard.press("Enter");
    await sees(page, "why not", () => (document.querySelector(".sign-in .note")?.textContent ?? "") !== "");
    const token = stage.plant.token();
    await page.locator(".sign-in input").fill(token);
    await page.keyboard.press("Enter");
    await prices(page);
    const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]));
    assert.ok(!kept.includes(token.slice(0, 20)), kept);
    await page.context().close();
    stage.site.welcomes = true;
  });

  test("says what to do without symbols", async () => {
    const bare = await Stage.open({ guests: ["stream:NOTHING"] });
    const page = await bare.page("", {}, "nothing");
    await sees(page, "no symbols", () => /No symbols/.test(document.body.textContent!) && /token mint/.test(document.body.textContent!));
    await bare.close();
  });

  test("says what to do without a server, and goes on when there is one", async () => {
    const { plant } = stage;
    await plant.kill();
    const other = await stage.page("", {}, "nothing");
    await sees(other, "no server", () => /does not answer/.test(document.body.textContent!) && /tickwire demo/.test(document.body.textContent!));
    await plant.run();
    await prices(other);
    await other.context().close();
  });
});
