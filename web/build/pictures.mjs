/**
 * Takes the README's pictures from a running demo, best one with a crowd (`./dev run --crowd 40`):
 * `set -a; . .state/env; set +a; npm run pictures`, in web/. Without ORGANISER_KEY only the volunteer's are taken.
 */
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";

const base = process.env.BASE_URL ?? "http://127.0.0.1:8080";
const key = process.env.ORGANISER_KEY;
const campaign = process.env.CAMPAIGN ?? "demo";
const folder = new URL("../pictures/", import.meta.url).pathname;
const flags = [
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
const DESKTOP = { viewport: { width: 1440, height: 900 } };
const PHONE = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true };
/** Where the demo's wizard draws: a part of its coast. */
const AREA = [
  [-152.44, 57.585],
  [-152.36, 57.57],
  [-152.28, 57.6],
  [-152.3, 57.655],
  [-152.4, 57.66],
  [-152.44, 57.585],
];

/** Maps draw in their own time, and say nothing when they are done. */
const settled = async (page) => {
  await page.waitForLoadState("networkidle");
  await page.waitForTimeout(1500);
};

async function tag(page) {
  await page.goto(`${base}/s/${campaign}`);
  await page.getByRole("button", { name: "Start looking" }).click();
  await page.locator("button.go:not([disabled])").waitFor();
  await settled(page);
  const stage = await page.locator("main").boundingBox();
  for (const [x, y] of [
    [0.42, 0.38],
    [0.62, 0.55],
  ]) {
    await page.mouse.click(stage.x + stage.width * x, stage.y + stage.height * y);
    await page.keyboard.press("Escape");
    await page.keyboard.press("4");
  }
}

async function watch(page) {
  await page.goto(`${base}/organise/${campaign}#key=${encodeURIComponent(key)}`);
  await page.locator(".kpi").first().waitFor();
  await settled(page);
}

async function define(page) {
  await page.goto(`${base}/organise/new#key=${encodeURIComponent(key)}`);
  await page.getByLabel("Title", { exact: true }).fill("Find the missing light aircraft");
  await page.getByRole("button", { name: "Next: imagery" }).click();
  await page.locator("label.opt", { hasText: "Demo coast" }).click();
  await page.getByRole("button", { name: "Next: area" }).click();
  const buffer = Buffer.from(JSON.stringify({ type: "Polygon", coordinates: [AREA] }));
  await page
    .locator("input[type=file]")
    .setInputFiles({ name: "coast.geojson", mimeType: "application/geo+json", buffer });
  await page.getByText("coast.geojson").waitFor();
  await settled(page);
}

const pictures = [
  ["volunteer-desktop", DESKTOP, tag],
  ["volunteer-phone", PHONE, tag],
  ...(key
    ? [
        ["organiser-live", DESKTOP, watch],
        ["organiser-area", DESKTOP, define],
      ]
    : []),
];

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: flags });
for (const [name, device, prepare] of pictures) {
  const context = await browser.newContext({ ...device, locale: "en-GB" });
  const page = await context.newPage();
  await prepare(page);
  await page.waitForTimeout(500);
  await page.screenshot({ path: `${folder}${name}.jpg`, type: "jpeg", quality: 82 });
  await context.close();
}
await browser.close();
