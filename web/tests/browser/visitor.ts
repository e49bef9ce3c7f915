/**
 * People in front of a browser: a clean one for each, behind a network of its own, and a record of what a page must
 * never do.
 *
 * Invariant: when a test ends, each page in it has logged no error and asked nobody but its own origin, or it fails.
 */
import { mkdirSync } from "node:fs";
import {
  type Browser,
  type BrowserContext,
  type BrowserContextOptions,
  chromium,
  type Locator,
  type Page,
} from "playwright-core";
import { afterAll, expect, onTestFinished } from "vitest";
import { Between } from "./between.ts";
import { type Field, until } from "./server.ts";

const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--use-gl=angle",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
];

export const PICTURES = new URL("./pictures/", import.meta.url).pathname;

export const DEVICES = {
  desktop: { viewport: { width: 1440, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
} as const;

export type Device = keyof typeof DEVICES;

/** Longer than anything takes on a busy machine with software graphics. */
const PATIENCE_MS = 20_000;

let browser: Promise<Browser> | null = null;

/** One Chromium for each file of tests. */
const chromiumHere = (): Promise<Browser> => {
  browser ??= chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS });
  return browser;
};

afterAll(async () => {
  await (await browser)?.close();
});

/** How many looks the page says that this volunteer made; it says so at the top in every layout, seen or not. */
const looksSaid = async (page: Page): Promise<number> =>
  Number(/^You (\d+) /.exec((await page.locator("#top .sub").textContent()) ?? "")?.[1] ?? 0);

/** Requests that fail are what many tests are about; the browser logs each by itself. */
const isFailedRequest = (text: string) => /^Failed to load resource|net::ERR_/.test(text);

export class Visitor {
  readonly context: BrowserContext;
  readonly between: Between;
  readonly page: Page;
  readonly errors: string[] = [];
  readonly failedRequests: string[] = [];
  readonly strangers: string[] = [];

  private constructor(context: BrowserContext, between: Between, page: Page) {
    this.context = context;
    this.between = between;
    this.page = page;
    this.listen(page);
    context.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith("http") && url.origin !== between.url) this.strangers.push(request.url());
    });
  }

  /** Somebody new; gone, and judged, when the test ends. */
  static async come(device: Device, options: BrowserContextOptions = {}): Promise<Visitor> {
    const between = await Between.open();
    const context = await (await chromiumHere()).newContext({ ...DEVICES[device], locale: "en-GB", ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    const visitor = new Visitor(context, between, await context.newPage());
    onTestFinished(async ({ task }) => {
      if (task.result?.state === "fail") await visitor.#show(task.name);
      await visitor.leave();
    });
    return visitor;
  }

  listen(page: Page): void {
    page.on("console", (message) => {
      if (message.type() !== "error") return;
      const { url, lineNumber, columnNumber } = message.location();
      const text = `${message.text()} (${url}:${lineNumber}:${columnNumber})`;
      (isFailedRequest(message.text()) ? this.failedRequests : this.errors).push(text);
    });
    page.on("pageerror", (error) => this.errors.push(error.stack || String(error)));
  }

  /** Opens an address of the server, through this visitor's network. */
  async go(path: string, page = this.page): Promise<void> {
    await page.goto(this.between.url + path);
  }

  /** Opens a campaign and closes the sheet of the first visit. */
  async open(field: Field, query = ""): Promise<void> {
    await this.go(`/s/${field.slug}${query}`);
    await this.page.locator(".veil .btn.primary").click();
    await this.ready();
  }

  /** Another tab of the same browser. */
  async newTab(): Promise<Page> {
    const page = await this.context.newPage();
    this.listen(page);
    return page;
  }

  /** Waits until the square may be judged, and the guard of its first 250 ms is over. */
  async ready(page = this.page): Promise<void> {
    await page.waitForFunction(() => {
      const button = document.querySelector<HTMLButtonElement>("#finish");
      const here = window as Window & { readySince?: number };
      if (!button || button.disabled) delete here.readySince;
      else here.readySince ??= performance.now();
      return here.readySince !== undefined && performance.now() - here.readySince > 260;
    });
    await page.evaluate(() => delete (window as Window & { readySince?: number }).readySince);
  }

  /** Says "nothing here" as soon as that is possible, and waits until it counts. */
  async finishEmpty(page = this.page): Promise<void> {
    await this.ready(page);
    const before = await looksSaid(page);
    await page.keyboard.press("Space");
    await until("the look counts", async () => (await looksSaid(page)) > before);
  }

  /** Says "nothing here" to one square after the other until this shows; how often. */
  async finishEmptyUntil(goal: Locator): Promise<number> {
    for (let looks = 0; ; looks++) {
      await until(
        "there is something to do",
        async () => (await goal.isVisible()) || this.page.locator("#finish").isEnabled(),
      );
      if (await goal.isVisible()) return looks;
      await this.finishEmpty();
    }
  }

  async pointInSquare(u: number, v: number): Promise<{ x: number; y: number }> {
    const box = (await this.page.locator(".cell").boundingBox())!;
    return { x: box.x + box.width * u, y: box.y + box.height * v };
  }

  /** Drags one finger; Playwright's own touchscreen can only tap. */
  async drag(from: { x: number; y: number }, to: { x: number; y: number }): Promise<void> {
    const session = await this.context.newCDPSession(this.page);
    const touch = (type: "touchStart" | "touchMove" | "touchEnd", at?: { x: number; y: number }) =>
      session.send("Input.dispatchTouchEvent", { type, touchPoints: at ? [at] : [] });
    await touch("touchStart", from);
    for (const part of [0.25, 0.5, 0.75, 1])
      await touch("touchMove", { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part });
    await touch("touchEnd");
    await session.detach();
  }

  /** How many looks this device still keeps. */
  unsent(page = this.page): Promise<number> {
    return page.evaluate(() => Number(localStorage.getItem("spotter.unsent") ?? 0));
  }

  /** As a crashed or killed browser tab: no `pagehide`, no last request. */
  async crash(page = this.page): Promise<void> {
    const session = await this.context.newCDPSession(page);
    const crashed = page.waitForEvent("crash");
    session.send("Page.crash").catch(() => {});
    await crashed;
    await page.close();
  }

  /** What somebody who mends a failed test wants to see. */
  async #show(name: string): Promise<void> {
    mkdirSync(PICTURES, { recursive: true });
    const path = `${PICTURES}failed ${name.replace(/[^\w ]/g, "").slice(0, 80)}.png`;
    await this.context
      .pages()
      .at(-1)
      ?.screenshot({ path, timeout: 5000 })
      .catch(() => {});
    console.log([...this.errors, ...this.failedRequests].join("\n"));
  }

  async leave(): Promise<void> {
    await this.context.close();
    await this.between.close();
    expect(this.errors, "what the page logged as an error").toEqual([]);
    expect(this.strangers, "requests to another host").toEqual([]);
  }
}
