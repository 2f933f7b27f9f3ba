// A page of another origin with a strict policy, in an encoding of its own, and a browser that looks at it.

import { createServer, type Server } from "node:http";
import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";

import { type Browser, chromium, type Page } from "playwright-core";

/** What of a row is seen. */
export interface SeenRow {
  name: string;
  price: string;
  change: string;
  mark: string;
  state: string | undefined;
}

export class Site {
  readonly faults: string[] = [];
  /** The address of the program at the moment. */
  plant = "";
  html = "";
  script = "";
  readonly #server: Server;

  private constructor(readonly browser: Browser) {
    this.#server = createServer(({ url, headers }, answer) => {
      const { port } = this.#server.address() as AddressInfo;
      if (url === "/ticker.js") return void answer.setHeader("Content-Type", "text/javascript").end(readFileSync("dist/ticker.js"));
      if (url === "/before.js") return void answer.setHeader("Content-Type", "text/javascript").end(this.script);
      if (headers.host !== `localhost:${port}`) return void answer.writeHead(404).end();
      const scripts = `http://127.0.0.1:${port}`;
      const policy = `default-src 'none'; script-src ${scripts}; connect-src http://${this.plant} ws://${this.plant}; style-src 'none'`;
      answer.setHeader("Content-Security-Policy", policy).setHeader("Content-Type", "text/html; charset=windows-1252");
      answer.end(`<!doctype html><title>x</title><body>${this.html}<script src="${scripts}/before.js"></script><script src="${scripts}/ticker.js"></script>`);
    });
  }

  static async open(program: string): Promise<Site> {
    const site = new Site(await chromium.launch({ executablePath: program, args: ["--no-sandbox"] }));
    await new Promise<void>((done) => site.#server.listen(0, "127.0.0.1", done));
    return site;
  }

  get origin(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  /** A page with this element in it, and a script that runs before the ticker's own. */
  async show(html: string, script = ""): Promise<Page> {
    [this.html, this.script] = [html, script];
    const page = await this.browser.newPage();
    page.on("pageerror", (error) => this.faults.push(`uncaught: ${error.message}`));
    page.on("console", (message) => {
      if (/content security policy|trusted/i.test(message.text())) this.faults.push(message.text());
    });
    await page.goto(this.origin);
    return page;
  }

  async close(): Promise<void> {
    await this.browser.close();
    this.#server.close();
  }
}

export function rowsOf(page: Page): Promise<SeenRow[]> {
  return page.evaluate(() => {
    const rows = document.querySelector("tickwire-ticker")!.shadowRoot!.querySelectorAll("li");
    return [...rows].map((row) => {
      const text = (part: string): string => row.querySelector(`.${part}`)!.textContent!;
      return { name: text("name"), price: text("price"), change: text("change"), mark: text("mark"), state: row.dataset["state"] };
    });
  });
}

export function said(page: Page): Promise<string> {
  return page.evaluate(() => document.querySelector("tickwire-ticker")!.shadowRoot!.querySelector("p")!.textContent!);
}
