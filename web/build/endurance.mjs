/**
 * Works through the volunteer's page for a long time and fails when its memory grows:
 * `SPOTTER_URL=http://127.0.0.1:8080 ORGANISER_KEY=… node build/endurance.mjs [--squares 300] [--phone] [--out file]`.
 *
 * 300 squares are an hour of one volunteer (12 s each). Each third square gets tags, one of them is moved, some are
 * taken back; now and then the view is zoomed, a dialog is opened, a square is taken back. Every tenth square the
 * rubbish is collected and what is left is counted; the last third of the counts may not lie above the first third
 * by more than the bounds below. The first tenth is left out: it fills caches that have their own limits.
 */
import { writeFileSync } from "node:fs";
import { chromium } from "playwright-core";

const BASE = (process.env.SPOTTER_URL ?? process.env.BASE_URL ?? "http://127.0.0.1:8080").replace(/\/$/, "");
const KEY = process.env.ORGANISER_KEY ?? "";
const LAYER = process.env.IMAGERY_LAYER ?? "demo";
const PLACE = (process.env.IMAGERY_PLACE ?? "-152.35,57.62").split(",").map(Number);
const ZOOM = 17;
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
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
const DESKTOP = { viewport: { width: 1024, height: 700 } };
const SAMPLE_EVERY = 10;
/** How much the median of the last third may lie above that of the first: a share, and an allowance. */
const BOUNDS = {
  heap_mb: { share: 0.1, more: 1 },
  dom_nodes: { share: 0.05, more: 60 },
  listeners: { share: 0.05, more: 20 },
  outbox_records: { share: 0, more: 3 },
  // Own looks are listed; the list is bounded by itself.
  log_records: { share: Infinity, more: 500 },
  images: { share: 0.1, more: 40 },
  storage_kb: { share: 0.2, more: 8 },
};

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : (process.argv[at + 1] ?? "");
};
const squares = Number(option("squares", "300"));
const isPhone = process.argv.includes("--phone");

async function api(path, method = "GET", body) {
  const response = await fetch(BASE + path, {
    method,
    headers: { Authorization: `Bearer ${KEY}`, ...(body ? { "Content-Type": "application/json" } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.json();
}

/** An open campaign of at least so many cells. */
async function campaign(cells) {
  const [lon, lat] = PLACE;
  const sin = Math.sin((lat * Math.PI) / 180);
  const side = 2 ** -ZOOM;
  const columns = Math.ceil(Math.sqrt(cells));
  const rows = Math.ceil(cells / columns);
  const x = Math.floor(((lon + 180) / 360 - (columns / 2) * side) * 2 ** ZOOM);
  const y = Math.floor((0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI) - (rows / 2) * side) * 2 ** ZOOM);
  const place = (u, v) => [u * side * 360 - 180, (Math.atan(Math.sinh(Math.PI * (1 - 2 * v * side))) * 180) / Math.PI];
  // A little inside, so that no neighbouring cell is touched.
  const [west, north] = place(x + 0.02, y + 0.02);
  const [east, south] = place(x + columns - 0.02, y + rows - 0.02);
  const ring = [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
  const slug = `endurance-${Date.now().toString(36)}`;
  await api("/v1/campaigns", "POST", {
    slug,
    title: { en: "Endurance" },
    summary: { en: "An hour of looking." },
    instructions: { en: "Look." },
    area: { type: "Polygon", coordinates: [ring] },
    cell_zoom: ZOOM,
    looks_wanted: 1,
    imagery_layer: LAYER,
    agreement_radius_m: 12,
    tag_types: [
      { key: "wreckage", name: { en: "Wreckage" }, description: { en: "Parts" } },
      { key: "track", name: { en: "Track" }, description: { en: "A track" }, geometry: "LineString" },
    ],
  });
  await api(`/v1/campaigns/${slug}/publish`, "POST");
  while ((await api(`/v1/campaigns/${slug}`)).state !== "open")
    await new Promise((resolve) => setTimeout(resolve, 300));
  return slug;
}

async function sample(page, cdp) {
  await cdp.send("HeapProfiler.collectGarbage");
  const { metrics } = await cdp.send("Performance.getMetrics");
  const metric = (name) => metrics.find((one) => one.name === name).value;
  const stored = await page.evaluate(async () => {
    const database = await new Promise((resolve, reject) => {
      const request = indexedDB.open("spotter");
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
    const count = (name) =>
      new Promise((resolve) => {
        const request = database.transaction(name).objectStore(name).count();
        request.onsuccess = () => resolve(request.result);
      });
    const counts = { outbox_records: await count("looks"), log_records: await count("log") };
    database.close();
    const storage_kb =
      Object.entries(localStorage).reduce((sum, [key, value]) => sum + key.length + value.length, 0) / 512;
    return { ...counts, images: document.images.length, storage_kb };
  });
  return {
    heap_mb: metric("JSHeapUsedSize") / 2 ** 20,
    dom_nodes: metric("Nodes"),
    listeners: metric("JSEventListeners"),
    ...stored,
  };
}

/** Waits until the square may be judged and the guard of its first 250 ms is over. */
async function ready(page) {
  await page.waitForFunction(() => {
    const button = document.querySelector("#finish");
    window.readySince = button && !button.disabled ? (window.readySince ?? performance.now()) : undefined;
    return window.readySince !== undefined && performance.now() - window.readySince > 260;
  });
  await page.evaluate(() => {
    window.readySince = undefined;
  });
}

async function tap(page, u, v) {
  const box = await page.locator(".cell").boundingBox();
  const at = [box.x + box.width * u, box.y + box.height * v];
  if (isPhone) await page.touchscreen.tap(...at);
  else await page.mouse.click(...at);
}

/** What people do, more or less often. */
async function work(page, i) {
  if (i % 3 === 0) {
    await tap(page, 0.3, 0.3);
    await tap(page, 0.6, 0.6);
    await page.keyboard.press("z");
  }
  if (i % 9 === 0 && (await page.locator(".tag").count()) > 0) {
    await page.locator(".tag").first().focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Escape");
  }
  if (i % 10 === 5) {
    await page.keyboard.press("2");
    await tap(page, 0.2, 0.7);
    await tap(page, 0.4, 0.8);
    await page.keyboard.press("Space");
    await page.keyboard.press("1");
  }
  if (i % 7 === 0) for (const key of ["+", "ArrowLeft", "0"]) await page.keyboard.press(key);
  if (i % 12 === 0) {
    await page.keyboard.press("?");
    await page.keyboard.press("Escape");
  }
  await page.keyboard.press("Space");
  if (i % 15 === 0) {
    await ready(page);
    await page.keyboard.press("z");
    await ready(page);
    await page.keyboard.press("Space");
  }
}

const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

function judge(samples) {
  const kept = samples.slice(Math.ceil(samples.length / 10));
  const third = Math.max(1, Math.floor(kept.length / 3));
  return Object.entries(BOUNDS).map(([what, { share, more }]) => {
    const first = median(kept.slice(0, third).map((one) => one[what]));
    const last = median(kept.slice(-third).map((one) => one[what]));
    const allowed = share === Infinity ? more : first * (1 + share) + more;
    return { what, first, last, allowed, isFine: last <= allowed };
  });
}

const slug = process.env.CAMPAIGN ?? (await campaign(Math.ceil(squares * 1.1) + 20));
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
const samples = [];
const started = Date.now();
try {
  const context = await browser.newContext({ ...(isPhone ? PHONE : DESKTOP), locale: "en-GB" });
  const page = await context.newPage();
  page.on("pageerror", (error) => {
    console.error(error.stack);
    process.exitCode = 1;
  });
  const cdp = await context.newCDPSession(page);
  await cdp.send("Performance.enable");
  await page.goto(`${BASE}/s/${slug}`);
  await page.locator(".first-sheet .primary").click({ timeout: 60_000 });
  for (let i = 1; i <= squares; i++) {
    await ready(page);
    await work(page, i);
    if (i % SAMPLE_EVERY === 0) {
      await ready(page);
      samples.push(await sample(page, cdp));
    }
  }
} finally {
  await browser.close();
}
console.log(
  `${squares} squares on ${isPhone ? "a phone" : "a desktop"} in ${Math.round((Date.now() - started) / 1000)} s`,
);
for (const { what, first, last, allowed, isFine } of judge(samples)) {
  if (!isFine) process.exitCode = 1;
  const [a, b, c] = [first, last, allowed].map((value) => value.toFixed(1).padStart(9));
  console.log(`${isFine ? "ok  " : "GROWS"} ${what.padEnd(16)} first third ${a}  last third ${b}  allowed ${c}`);
}
if (option("out")) writeFileSync(option("out"), `${JSON.stringify(samples, null, 2)}\n`);
