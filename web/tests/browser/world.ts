/**
 * What the browser tests share: campaigns of their own through the API, a browser, hands.
 *
 * The real server is given by BASE_URL and ORGANISER_KEY (with the scopes campaigns and read); IMAGERY_LAYER
 * ("demo" unless told) must cover the places around IMAGERY_PLACE ("lon,lat").
 */
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import type { Campaign, LonLat, TagFeature, TagPage } from "../../src/shared/contract.ts";
import { parseCell, tileBox, toLonLat, toWorld } from "../../src/shared/tiles.ts";

export const BASE = (process.env.SPOTTER_URL ?? "").replace(/\/$/, "");
const KEY = process.env.ORGANISER_KEY ?? "";
const LAYER = process.env.IMAGERY_LAYER ?? "demo";
const PLACE = (process.env.IMAGERY_PLACE ?? "-152.35,57.62").split(",").map(Number) as LonLat;
const ZOOM = 17;

export const hasServer = BASE !== "" && KEY !== "";

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

export const DEVICES = {
  desktop: { viewport: { width: 1440, height: 900 } },
  phone: { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
} as const;

export type Device = keyof typeof DEVICES;

export const launch = (): Promise<Browser> => chromium.launch({ executablePath: "/usr/bin/chromium", args: FLAGS });

export async function api<T>(path: string, method = "GET", body?: unknown): Promise<T> {
  const response = await fetch(BASE + path, {
    method,
    headers: { Authorization: `Bearer ${KEY}`, ...(body === undefined ? {} : { "Content-Type": "application/json" }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return (await response.json()) as T;
}

export async function until<T>(
  what: string,
  ask: () => Promise<T | null | undefined | false>,
  ms = 30_000,
): Promise<T> {
  const end = Date.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${ms} ms in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export interface Field {
  slug: string;
  cells: string[];
}

let made = 0;

/** An open campaign of `count` cells in a row, at a place of its own. */
export async function openCampaign(count: number, looksWanted = 1): Promise<Field> {
  const slug = `browser-${Date.now().toString(36)}-${process.pid}-${made++}`;
  const middle = toWorld(PLACE);
  const [x, y] = [Math.floor(middle.x * 2 ** ZOOM), Math.floor(middle.y * 2 ** ZOOM) + (made % 20)];
  const first = tileBox({ z: ZOOM, x, y });
  // A little inside, so that no neighbouring cell is touched.
  const inset = first.side * 0.02;
  const [west, north] = toLonLat({ x: first.x + inset, y: first.y + inset });
  const [east, south] = toLonLat({ x: first.x + first.side * count - inset, y: first.y + first.side - inset });
  const type = (key: string, name: string) => ({
    key,
    name: { en: name },
    description: { en: `A ${name.toLowerCase()}.` },
  });
  await api("/v1/campaigns", "POST", {
    slug,
    title: { en: "Find the missing light aircraft" },
    summary: { en: "A small white and red aircraft, 9 m long." },
    instructions: { en: "Look at the **whole** square." },
    area: {
      type: "Polygon",
      coordinates: [
        [
          [west, south],
          [east, south],
          [east, north],
          [west, north],
          [west, south],
        ],
      ],
    },
    cell_zoom: ZOOM,
    looks_wanted: looksWanted,
    imagery_layer: LAYER,
    agreement_radius_m: 12,
    tag_types: [
      { ...type("wreckage", "Wreckage"), typical_size_m: 9, typical_size_label: { en: "a light aircraft" } },
      type("signal", "Person or signal"),
      type("scar", "Ground scar"),
      type("shelter", "Shelter"),
    ],
  });
  await api(`/v1/campaigns/${slug}/publish`, "POST");
  await until("the campaign opens", async () => (await api<Campaign>(`/v1/campaigns/${slug}`)).state === "open");
  return { slug, cells: Array.from({ length: count }, (_, i) => `${ZOOM}/${x + i}/${y}`) };
}

export async function tagsOf(slug: string): Promise<TagFeature[]> {
  return (await api<TagPage>(`/v1/campaigns/${slug}/tags?limit=1000`)).features;
}

export async function looksOf(slug: string): Promise<Record<string, number>> {
  return (await api<{ looks_by_outcome: Record<string, number> }>(`/v1/campaigns/${slug}/progress`)).looks_by_outcome;
}

/** The place at a fraction of a cell, from its north-west corner. */
export function placeIn(cell: string, u: number, v: number): LonLat {
  const box = tileBox(parseCell(cell));
  return toLonLat({ x: box.x + box.side * u, y: box.y + box.side * v });
}

export function metresBetween([lon, lat]: LonLat, [lon2, lat2]: LonLat): number {
  const metres = 111_320;
  return Math.hypot((lon - lon2) * metres * Math.cos((lat * Math.PI) / 180), (lat - lat2) * metres);
}

/** A visitor with a clean browser, and a record of what a page must never do. */
export class Visitor {
  readonly context: BrowserContext;
  readonly page: Page;
  readonly errors: string[] = [];
  readonly strangers: string[] = [];

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
    page.on("console", (message) => {
      if (message.type() === "error") this.errors.push(message.text());
    });
    page.on("pageerror", (error) => this.errors.push(String(error.stack)));
    context.on("request", (request) => {
      const url = new URL(request.url());
      if (url.protocol.startsWith("http") && url.origin !== new URL(BASE).origin) this.strangers.push(request.url());
    });
  }

  static async come(browser: Browser, device: Device): Promise<Visitor> {
    const context = await browser.newContext({ ...DEVICES[device], locale: "en-GB" });
    return new Visitor(context, await context.newPage());
  }

  /** Opens a campaign and closes the sheet of the first visit. */
  async open(field: Field): Promise<void> {
    await this.page.goto(`${BASE}/s/${field.slug}`);
    await this.page.getByRole("button", { name: "Start looking" }).click();
    await this.ready();
  }

  /** Waits until the square may be judged, and the guard of its first 250 ms is over. */
  async ready(): Promise<void> {
    await this.page.waitForFunction(() => {
      const button = document.querySelector<HTMLButtonElement>("#finish");
      const page = window as Window & { readySince?: number };
      if (!button || button.disabled) delete page.readySince;
      else page.readySince ??= performance.now();
      return page.readySince !== undefined && performance.now() - page.readySince > 260;
    });
    await this.page.evaluate(() => delete (window as Window & { readySince?: number }).readySince);
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
  unsent(): Promise<number> {
    return this.page.evaluate(() => Number(localStorage.getItem("spotter.unsent") ?? 0));
  }

  async leave(): Promise<void> {
    await this.context.close();
  }
}
