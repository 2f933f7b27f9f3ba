// A browser with the page in it, before a plant of its own; what the page complains of is kept.

import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";

import { Plant } from "../../tools/plant.mjs";
import { Site } from "../../tools/site.mjs";

export const CHROMIUM = process.env.TICKWIRE_CHROMIUM ?? "/usr/bin/chromium-headless-shell";
/** Why there is nothing to be tested here. */
export const missing = existsSync(CHROMIUM) ? false : `there is no Chromium at ${CHROMIUM}; TICKWIRE_CHROMIUM says where`;
export const PICTURES = resolve(process.env.TICKWIRE_PICTURES ?? "pictures");
/** How long anything may take: long, for machines that are busy. */
export const PATIENCE = 120_000;

type PlantOptions = Parameters<typeof Plant.start>[0];

export class Stage {
  readonly complaints: string[] = [];

  private constructor(
    readonly plant: Plant,
    readonly site: Site,
    readonly browser: Browser,
  ) {}

  static async open(options: PlantOptions = {}): Promise<Stage> {
    const plant = await Plant.start(options);
    const site = await new Site(plant).listen();
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
    return new Stage(plant, site, browser);
  }

  /** A page that is there; it waits for prices unless told otherwise. */
  async page(place = "", options: BrowserContextOptions = {}, awaits = "prices"): Promise<Page> {
    const context = await this.browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "dark", locale: "en-GB", ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(PATIENCE);
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.complaints.push(error.stack ?? error.message));
    await page.goto(this.site.url + place);
    if (awaits === "prices") await prices(page);
    return page;
  }

  /** Stops the browser with all its processes, as a machine does that goes to sleep; and goes on. */
  sleep(sleeps: boolean): void {
    for (const pid of descendants(process.pid)) {
      if (readFileSync(`/proc/${pid}/comm`, "utf8").startsWith("chrom")) process.kill(pid, sleeps ? "SIGSTOP" : "SIGCONT");
    }
  }

  async close(): Promise<void> {
    await this.browser.close();
    await this.site.close();
    await this.plant.stop();
  }
}

/** The processes that come of one. */
function descendants(of: number): number[] {
  const children = readFileSync(`/proc/${of}/task/${of}/children`, "utf8").split(" ").filter((one) => one !== "").map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** Waits until all of the page shows a market. */
export function prices(page: Page): Promise<void> {
  return sees(page, "prices", () => {
    const text = (selector: string): string => document.querySelector(selector)?.textContent ?? "";
    return ['.strip .price', ".mid-price", '.tape [data-cell="price"]', '.watchlist tr[aria-current] [data-cell="last"]'].every((one) => /\d/.test(text(one)));
  });
}

/** Waits until a function of the page says yes. The page's policy forbids Playwright's own way. */
export function sees<A>(page: Page, about: string, holds: (argument: A) => boolean, argument?: A, patience?: number): Promise<void> {
  return until(about, () => page.evaluate(holds as (argument: unknown) => boolean, argument), patience);
}

export const pill = (page: Page): Promise<string> => page.locator(".pill").innerText();

/** Waits until the pill says so. */
export function says(page: Page, word: RegExp, patience?: number): Promise<void> {
  return until(`the pill says ${word}`, async () => word.test(await pill(page)), patience);
}

export async function picture(page: Page, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true });
  await page.screenshot({ path: join(PICTURES, `${name}.png`) });
}

/** Waits until something is so. */
export async function until(about: string, holds: () => Promise<boolean>, patience = PATIENCE): Promise<void> {
  const end = Date.now() + patience;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`never: ${about}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}
