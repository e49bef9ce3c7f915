/**
 * Takes the README's pictures of the volunteer's page from a running demo:
 * `BASE_URL=http://127.0.0.1:8080 npm run pictures`.
 */
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";

const base = process.env.BASE_URL ?? "http://127.0.0.1:8080";
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
const devices = {
  "volunteer-desktop": { viewport: { width: 1440, height: 900 } },
  "volunteer-phone": { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, hasTouch: true, isMobile: true },
};

mkdirSync(folder, { recursive: true });
const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", args: flags });
for (const [name, device] of Object.entries(devices)) {
  const context = await browser.newContext(device);
  const page = await context.newPage();
  await page.goto(`${base}/s/${campaign}`);
  await page.getByRole("button", { name: "Start looking" }).click();
  await page.locator("button.go:not([disabled])").waitFor();
  // A square is ready for hands a moment after it appeared.
  await page.waitForTimeout(1000);
  const stage = await page.locator("main").boundingBox();
  for (const [x, y] of [
    [0.42, 0.38],
    [0.62, 0.55],
  ]) {
    await page.mouse.click(stage.x + stage.width * x, stage.y + stage.height * y);
    await page.keyboard.press("Escape");
    await page.keyboard.press("4");
  }
  await page.waitForTimeout(500);
  await page.screenshot({ path: `${folder}${name}.jpg`, type: "jpeg", quality: 82 });
  await context.close();
}
await browser.close();
