// The page as the program itself serves it, and the strip of prices on somebody else's page.

import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { resolve } from "node:path";
import { after, before, describe, test } from "node:test";

import { POLICY } from "../../tools/site.mjs";
import { missing, prices, sees, Stage } from "../support/browser.js";

describe("the program", { skip: missing }, () => {
  let stage: Stage;
  const other = createServer((_, answer) => {
    const server = `http://${stage.plant.address}`;
    const policy = `default-src 'none'; script-src ${server}; connect-src ${server} ${server.replace("http", "ws")}; style-src 'none'`;
    answer.writeHead(200, { "Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": policy });
    answer.end(`<!doctype html><title>other</title><script src="${server}/ticker.js" async></script><tickwire-ticker symbols="BTC-USD,ETH-*"></tickwire-ticker>`);
  });
  before(async () => {
    await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
    const origin = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    stage = await Stage.open({ config: `allowed_origins = ["${origin}"]`, args: ["--page", resolve("dist")] });
  });
  after(async () => {
    other.close();
    other.closeAllConnections();
    await stage.close();
  });

  test("serves the page with the same policy, packed, and lets guests in", async () => {
    const url = `http://${stage.plant.address}/`;
    const answer = await fetch(url, { headers: { "Accept-Encoding": "br" } });
    assert.equal(answer.headers.get("Content-Security-Policy"), POLICY);
    assert.equal(answer.headers.get("Content-Encoding"), "br");
    const page = await stage.page("", {}, "nothing");
    await page.goto(url);
    await prices(page);
    const cached = await fetch(new URL(await page.evaluate(() => document.querySelector<HTMLScriptElement>("script[src]")!.src)));
    assert.match(cached.headers.get("Cache-Control") ?? "", /immutable/);
    assert.deepEqual(stage.complaints, []);
    await page.context().close();
  });

  test("gives other people's pages a strip of prices, under their own strict policy", async () => {
    const page = await stage.page("", {}, "nothing");
    await page.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`);
    await sees(page, "prices in the strip", () => {
      const rows = [...(document.querySelector("tickwire-ticker")?.shadowRoot?.querySelectorAll("li") ?? [])];
      return rows.some((row) => /BTC-USD\s*[\d.]+/.test(row.textContent!)) && rows.some((row) => /ETH-USD\s*[\d.]+/.test(row.textContent!));
    });
    const price = (): Promise<string> => page.evaluate(() => document.querySelector("tickwire-ticker")!.shadowRoot!.querySelector("li")!.textContent!);
    const first = await price();
    await sees(page, "another price", (old) => document.querySelector("tickwire-ticker")!.shadowRoot!.querySelector("li")!.textContent !== old, first);
    assert.deepEqual(stage.complaints.filter((text) => !/favicon/.test(text)), []);
    await page.context().close();
  });
});
