import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import type { LonLat } from "../../src/shared/contract.ts";
import { inspect } from "./checks.ts";
import {
  type Field,
  hasServer,
  KEY,
  Other,
  openCampaign,
  progressOf,
  sql,
  stateOf,
  storedLooks,
  tagsOf,
  until,
} from "./server.ts";
import { Visitor } from "./visitor.ts";

const live = (field: Field) => `/organise/${field.slug}#key=${KEY}`;

/** Somebody who tags the first of the cells and finds nothing in the others. */
async function crowd(field: Field, note = "half a wing"): Promise<void> {
  const other = await Other.come(field.slug);
  const [first, ...rest] = await other.take(field.cells.length);
  await other.look(first!, "tagged", [
    { type: "wreckage", u: 0.4, v: 0.4, note },
    { type: "scar", u: 0.6, v: 0.6 },
  ]);
  for (const cell of rest) await other.look(cell, "nothing");
}

/** The big number of a field at the top. */
const number = async (page: Page, label: string) =>
  (await page
    .locator(".kpi", { has: page.getByText(label, { exact: true }) })
    .locator("dd")
    .first()
    .textContent()) ?? "";

describe.skipIf(!hasServer)("the live page", () => {
  test("before the first look it says what will come; then its numbers are the server's, and tags appear", async () => {
    const field = await openCampaign(3, { looksWanted: 2 });
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await visitor.go(live(field));
    await page.getByText("No tags yet").waitFor();
    await inspect(page, "live-empty");
    await crowd(field);
    await page.locator(".feed li", { hasText: "half a wing" }).waitFor();
    const truth = await until("the numbers are derived", async () => {
      const progress = await progressOf(field.slug);
      return progress.looks === 3 && progress.tags === 2 && progress;
    });
    await until("the page has heard of them", async () => (await number(page, "Looks")) === "3");
    expect(truth.looks).toBe((await storedLooks(field.slug)).length);
    expect(await number(page, "Cells done")).toContain(`${truth.cells_done} of ${truth.cells}`);
    expect(await number(page, "Looking now")).toBe(String(truth.volunteers_active));
    await inspect(page, "live-open");
    // Whoever reads is not moved on.
    await page.getByRole("button", { name: "Hold the list still" }).click();
    await crowd(field, "another wing");
    await page.getByRole("button", { name: /^\d new/ }).waitFor();
    expect(await page.getByText("another wing").count()).toBe(0);
    await page.getByRole("button", { name: /^\d new/ }).click();
    await page.getByText("another wing").first().waitFor();
  });

  test("downloads hold exactly what the server has stored", async () => {
    const field = await openCampaign(3, { looksWanted: 1 });
    await crowd(field, 'a "wing", or\na sail');
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await visitor.go(live(field));
    const fetched: Record<string, string> = {};
    for (const [label, name] of [
      ["Tags, GeoJSON", "tags.geojson"],
      ["Tags, CSV", "tags.csv"],
      ["Looks, CSV", "looks.csv"],
    ] as const) {
      await page.getByRole("button", { name: "Download" }).click();
      const item = page.getByRole("menuitem", { name: label });
      await item.waitFor();
      if (name === "tags.geojson") await inspect(page, "live-download");
      const [download] = await Promise.all([page.waitForEvent("download"), item.click()]);
      const [stem, ending] = name.split(".");
      expect(download.suggestedFilename()).toMatch(new RegExp(`^${field.slug}-.*${stem}\\.${ending}$`));
      fetched[name] = readFileSync(await download.path(), "utf8");
    }
    const tags = await tagsOf(field.slug);
    const collection = JSON.parse(fetched["tags.geojson"]!) as {
      features: { id?: string; geometry: { coordinates: LonLat }; properties: { id?: string; note?: string | null } }[];
    };
    const places = (list: { geometry: { coordinates: unknown } }[]) =>
      list.map(({ geometry }) => JSON.stringify(geometry.coordinates)).sort();
    expect(places(collection.features)).toEqual(places(tags));
    expect(fetched["tags.csv"]).toContain('"a ""wing"", or\na sail"');
    for (const { id } of tags) expect(fetched["tags.csv"]).toContain(id);
    const rows = fetched["looks.csv"]!.trim().split(/\r?\n/).slice(1);
    const stored = await storedLooks(field.slug);
    expect(rows).toHaveLength(stored.length);
    for (const { id } of stored) expect(rows.filter((row) => row.includes(id))).toHaveLength(1);
  });

  test("pause with a message, resume, and close with the name typed: volunteers see each", async () => {
    const field = await openCampaign(3);
    const organiser = await Visitor.come("desktop");
    const volunteer = await Visitor.come("phone");
    const { page } = organiser;
    await organiser.go(live(field));
    await page.getByRole("button", { name: "Pause" }).click();
    const pause = page.getByRole("alertdialog");
    await inspect(page, "live-pause");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Keep it open");
    await pause.getByRole("textbox").fill("New pictures come at 16:00.");
    await pause.getByRole("button", { name: /^Pause/ }).click();
    await until("it is paused", async () => (await stateOf(field.slug)) === "paused");
    await pause.waitFor({ state: "detached" });
    await volunteer.go(`/s/${field.slug}`);
    await volunteer.page.getByText("New pictures come at 16:00.").waitFor();
    await page.getByText("New pictures come at 16:00.").waitFor();
    await inspect(page, "live-paused");
    await page.getByRole("button", { name: /^(Resume|Open)/ }).click();
    await until("it is open again", async () => (await stateOf(field.slug)) === "open");
    await volunteer.go("/favicon.svg");
    await volunteer.open(field);
    await page.getByRole("button", { name: "Close…" }).click();
    const close = page.getByRole("alertdialog");
    await inspect(page, "live-close");
    await close.getByRole("textbox").fill("something-else");
    await page.keyboard.press("Enter");
    expect(await stateOf(field.slug)).toBe("open");
    await close.getByRole("textbox").fill(field.slug);
    await page.keyboard.press("Enter");
    await until("it is closed", async () => (await stateOf(field.slug)) === "closed");
    const late = await Visitor.come("phone");
    await late.go(`/s/${field.slug}`);
    await late.page.getByRole("alertdialog", { name: "This search is closed" }).waitFor();
  });

  test("numbers that are late are said to be late, and are not made up meanwhile", async () => {
    const field = await openCampaign(2);
    await crowd(field);
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await page.clock.install();
    await visitor.go(live(field));
    await until("the numbers are there", async () => (await number(page, "Looks")) === "2");
    visitor.between.rule(/progress/, { kind: "cut" });
    await page.clock.fastForward(40_000);
    await page.locator(".banner", { hasText: "Live updates stopped" }).waitFor();
    expect(await number(page, "Looks")).toBe("2");
    await inspect(page, "live-stale");
  });

  test("without a key there are numbers, but no tags and no notes", async () => {
    const field = await openCampaign(2);
    await crowd(field, "a secret note");
    const visitor = await Visitor.come("phone");
    const { page } = visitor;
    await visitor.go(`/organise/${field.slug}`);
    await page.getByText("Tags need your key").waitFor();
    await until("the numbers are there", async () => (await number(page, "Looks")) === "2");
    expect(await page.getByRole("button", { name: /^(Pause|Close|Download)/ }).count()).toBe(0);
    expect(visitor.between.came.some(({ path }) => /\/tags/.test(path))).toBe(false);
    await inspect(page, "live-no-key");
    const [[notes]] = (await sql(`SELECT count(*) FROM tags WHERE note = 'a secret note'`)) as [[string]];
    expect(Number(notes)).toBeGreaterThan(0);
  });
});
