/**
 * How fast the volunteer's page is for a phone on a slow 4G network, as medians of several cold visits:
 * `SPOTTER_URL=http://127.0.0.1:8080 CAMPAIGN=demo node build/measure.mjs [--runs 5] [--desktop] [--fast] [--out file]`.
 *
 * It is a report: it never fails because of a time. Times depend on the machine; run it on one that is at rest.
 */
import { writeFileSync } from "node:fs";
import { chromium } from "playwright-core";

const BASE = (process.env.SPOTTER_URL ?? process.env.BASE_URL ?? "http://127.0.0.1:8080").replace(/\/$/, "");
const CAMPAIGN = process.env.CAMPAIGN ?? "demo";
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
const DESKTOP = { viewport: { width: 1440, height: 900 } };
/** 1.6 Mbit/s down, 150 ms, as Lighthouse's slow 4G. */
const SLOW_4G = { offline: false, latency: 150, downloadThroughput: 1_600_000 / 8, uploadThroughput: 750_000 / 8 };
const CPU_SLOWDOWN = 4;
const BUDGET = { "first imagery": 1500, "next square": 100, "tap to ring": 50 };

const option = (name, otherwise) => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? otherwise : (process.argv[at + 1] ?? "");
};
const has = (name) => process.argv.includes(`--${name}`);

/** Runs in the page, before its own scripts: notes when images are drawn, and how much the layout jumps. */
function observe() {
  const seen = { tiles: [], shift: 0, whole: null };
  window.spotterSeen = seen;
  const zoomOf = (src) => Number(/\/(\d+)\/\d+\/\d+(?:\?|$)/.exec(src)?.[1] ?? -1);
  const isWhole = () => {
    const images = [
      ...(document.querySelector(".plates")?.querySelectorAll(".plate")[0]?.querySelectorAll("img") ?? []),
    ];
    const most = Math.max(...images.map((image) => zoomOf(image.src)));
    const sharp = images.filter((image) => zoomOf(image.src) === most && !image.className);
    const box = sharp[0]?.getBoundingClientRect();
    const home = document.querySelector(".home")?.getBoundingClientRect();
    if (!box || !home) return false;
    // The plate's tiles lie in a grid: as many must be there as cover the square.
    const side = Math.round(home.width / box.width);
    return sharp.length >= side * side && sharp.every((image) => image.complete && image.naturalWidth > 0);
  };
  const watch = () => {
    if (isWhole()) requestAnimationFrame(() => setTimeout(() => (seen.whole ??= performance.now())));
    else requestAnimationFrame(watch);
  };
  requestAnimationFrame(watch);
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) seen.shift += entry.value;
  }).observe({ type: "layout-shift", buffered: true });
}

/** Runs in the page: from a press of the primary button until the next square's whole image is drawn. */
function pressAndWait() {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`no next square: ${document.body.innerText.slice(0, 300)}`)), 20_000);
    const plates = document.querySelector(".plates");
    const before = plates.firstElementChild;
    const start = performance.now();
    const done = () => {
      const plate = plates.firstElementChild;
      const isNext = plate && plate !== before && !document.querySelector("#finish").disabled;
      if (isNext) setTimeout(() => resolve(performance.now() - start));
      else requestAnimationFrame(done);
    };
    document.querySelector("#finish").click();
    requestAnimationFrame(done);
  });
}

/** Runs in the page, before a tap: notes when its ring is on the screen, counted from the tap's own time stamp. */
function awaitRing() {
  const before = document.querySelectorAll(".spot").length;
  let tapped = 0;
  addEventListener("pointerup", (event) => (tapped = event.timeStamp), { capture: true, once: true });
  window.spotterRing = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error(`no ring: ${document.body.innerText.slice(0, 300)}`)), 20_000);
    const look = () => {
      if (document.querySelectorAll(".spot").length > before) setTimeout(() => resolve(performance.now() - tapped));
      else requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
}

/** Waits until the square may be judged and the guard of its first 250 ms is over. */
async function settled(page) {
  await page.waitForFunction(() => {
    const button = document.querySelector("#finish");
    window.readySince = button && !button.disabled ? (window.readySince ?? performance.now()) : undefined;
    return window.readySince !== undefined && performance.now() - window.readySince > 400;
  });
  await page.evaluate(() => {
    window.readySince = undefined;
  });
}

/** All squares ahead are loaded when nothing has come for a while. */
async function quiet(page, ms = 1500) {
  await page.waitForFunction((still) => {
    const last = Math.max(0, ...performance.getEntriesByType("resource").map((entry) => entry.responseEnd));
    return performance.now() - last > still;
  }, ms);
}

async function visit(browser) {
  const context = await browser.newContext({ ...(has("desktop") ? DESKTOP : PHONE), locale: "en-GB" });
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  if (!has("fast")) {
    await cdp.send("Network.emulateNetworkConditions", SLOW_4G);
    await cdp.send("Emulation.setCPUThrottlingRate", { rate: CPU_SLOWDOWN });
  }
  const bytes = { total: 0, tiles: 0, first: 0 };
  const addresses = new Map();
  cdp.on("Network.requestWillBeSent", ({ requestId, request }) => addresses.set(requestId, request.url));
  cdp.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    bytes.total += encodedDataLength;
    if (/\/v1\/imagery\//.test(addresses.get(requestId) ?? "")) bytes.tiles += encodedDataLength;
  });
  await page.addInitScript(observe);
  await page.goto(`${BASE}/s/${CAMPAIGN}`, { waitUntil: "commit" });
  await page.waitForFunction(() => window.spotterSeen.whole !== null, null, { timeout: 60_000 });
  const first = await page.evaluate(() => window.spotterSeen.whole);
  bytes.first = bytes.total;
  await page.locator(".first-sheet .primary").waitFor();
  const sheet = await page.evaluate(() => performance.now());
  if (has("trace")) await trace(page);
  await page.locator(".first-sheet .primary").click();
  await settled(page);
  await quiet(page);
  const rings = [];
  for (const [u, v] of [
    [0.3, 0.3],
    [0.6, 0.5],
    [0.4, 0.7],
  ]) {
    const box = await page.locator(".cell").boundingBox();
    await page.evaluate(awaitRing);
    const at = [box.x + box.width * u, box.y + box.height * v];
    if (has("desktop")) await page.mouse.click(...at);
    else await page.touchscreen.tap(...at);
    rings.push(await page.evaluate(() => window.spotterRing));
  }
  const nexts = [];
  for (let i = 0; i < 3; i++) {
    await settled(page);
    await quiet(page);
    nexts.push(await page.evaluate(pressAndWait));
  }
  const shift = await page.evaluate(() => window.spotterSeen.shift);
  await context.close();
  return {
    "first imagery": first,
    "sheet of the first visit": sheet,
    "tap to ring": median(rings),
    "next square": median(nexts),
    "bytes until the first imagery": bytes.first,
    "bytes in all": bytes.total,
    "bytes of tiles": bytes.tiles,
    "layout shift": shift,
  };
}

/** Prints what was loaded when, to see what the first image waited for. */
async function trace(page) {
  const rows = await page.evaluate(() =>
    [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")].map((entry) => ({
      name: entry.name.replace(location.origin, "").slice(0, 60),
      start: entry.startTime,
      answer: entry.responseStart,
      end: entry.responseEnd,
      bytes: entry.transferSize,
    })),
  );
  for (const { name, start, answer, end, bytes } of rows)
    console.log(
      `${[start, answer, end].map((ms) => ms.toFixed(0).padStart(6)).join("")} ${String(bytes).padStart(8)}  ${name}`,
    );
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

const runs = Number(option("runs", "5"));
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
const results = [];
try {
  for (let i = 0; i < runs; i++) results.push(await visit(browser));
} finally {
  await browser.close();
}
const unit = (what) => (what.startsWith("bytes") ? "KiB" : what === "layout shift" ? "" : "ms");
const shown = (what, value) =>
  unit(what) === "KiB" ? (value / 1024).toFixed(1) : unit(what) === "ms" ? value.toFixed(0) : value.toFixed(3);
const report = Object.fromEntries(
  Object.keys(results[0]).map((what) => [what, median(results.map((one) => one[what]))]),
);
console.log(
  `${BASE}/s/${CAMPAIGN}, ${has("desktop") ? "desktop" : "phone"}${has("fast") ? "" : ", slow 4G, CPU / 4"}, ${runs} visits`,
);
for (const [what, value] of Object.entries(report)) {
  const all = results.map((one) => shown(what, one[what])).join(" ");
  const aim = BUDGET[what] ? ` (aim ${BUDGET[what]})` : "";
  console.log(`${what.padEnd(30)} ${shown(what, value).padStart(8)} ${unit(what).padEnd(3)}${aim.padEnd(12)} ${all}`);
}
if (option("out")) writeFileSync(option("out"), `${JSON.stringify({ report, results }, null, 2)}\n`);
