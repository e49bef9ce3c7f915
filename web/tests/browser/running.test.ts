import { describe, expect, test } from "vitest";
import { nameOf } from "../../src/organiser/live/places.ts";
import type { Campaign } from "../../src/shared/contract.ts";
import { parseCell } from "../../src/shared/tiles.ts";
import { inspect } from "./checks.ts";
import { api, type Field, hasServer, KEY, openCampaign, placeIn, progressOf, stateOf, until } from "./server.ts";
import { Visitor } from "./visitor.ts";

/** The outline of a row of cells from a cell on, a little inside of it. */
function rowFrom(cell: string, count: number): string {
  const { z, x, y } = parseCell(cell);
  const last = nameOf({ z, x: x + count - 1, y });
  const [from, to] = [placeIn(cell, 0.02, 0.02), placeIn(last, 0.98, 0.98)];
  const ring = [from, [to[0], from[1]], to, [from[0], to[1]], from];
  return JSON.stringify({ type: "Polygon", coordinates: [ring] });
}

async function type({ page }: Visitor, kind: string, geometry: string): Promise<void> {
  const box = page.locator("details", { hasText: "Type or paste coordinates" });
  if ((await box.getAttribute("open")) === null) await box.locator("summary").click();
  await box.getByLabel("It is").selectOption(kind);
  await box.locator("#a-corners").fill(geometry);
  await box.getByRole("button", { name: "Add these corners" }).click();
  await until("they are taken", async () => (await box.locator("#a-corners").inputValue()) === "");
}

const cellsOf = async ({ slug }: Field) => (await api<Campaign>(`/v1/campaigns/${slug}`)).cells;

describe.skipIf(!hasServer)("a campaign that runs", () => {
  test("its area grows and priorities change when they are applied, and not before", async () => {
    const field = await openCampaign(2);
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await visitor.go(`/organise/${field.slug}#key=${KEY}`);
    await page.getByRole("link", { name: "Change the area" }).click();
    await page.getByRole("heading", { name: "Where should people look from now on?" }).waitFor();
    const apply = page.getByRole("button", { name: "Apply changes" });
    expect(await apply.isDisabled()).toBe(true);
    await type(visitor, "area", rowFrom(field.cells[0]!, 4));
    await type(visitor, "first", rowFrom(field.cells[1]!, 1));
    await page.getByText("Volunteers still get cells as before.").waitFor();
    await inspect(page, "running");
    expect(await cellsOf(field)).toBe(2);
    await apply.click();
    await page.getByText(/^Applied at /).waitFor();
    await until("the cells are made", async () => (await progressOf(field.slug)).cells === 4);
    expect(await stateOf(field.slug)).toBe("open");
    const changed = await api<Campaign>(`/v1/campaigns/${field.slug}`);
    expect(changed.priorities).toHaveLength(1);
    await visitor.go(`/organise/${field.slug}`);
    await page.getByText("0 of 4").waitFor();
  });

  test("an area that would lose cells is refused in the server's words, with the way to see one", async () => {
    const field = await openCampaign(3);
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await visitor.go(`/organise/${field.slug}/edit#key=${KEY}`);
    await page.getByRole("heading", { name: "Where should people look from now on?" }).waitFor();
    await page.getByRole("button", { name: "Change: Area of interest" }).click();
    await page.getByRole("button", { name: "Remove", exact: true }).click();
    await page.getByRole("button", { name: "Remove “Area of interest”?" }).click();
    const apply = page.getByRole("button", { name: "Apply changes" });
    expect(await apply.isDisabled()).toBe(true);
    await type(visitor, "area", rowFrom(field.cells[0]!, 1));
    // A decision about a cell meanwhile is another version, and no hindrance.
    await api(`/v1/campaigns/${field.slug}/cells`, "PATCH", { cells: [field.cells[2]], closed: true });
    await apply.click();
    await page.getByText("2 cells of the campaign lie outside that area").waitFor();
    await page.getByRole("button", { name: /^Show cell 17\// }).click();
    await inspect(page, "running-refused");
    expect(await cellsOf(field)).toBe(3);
    await page.getByRole("button", { name: "Drop changes" }).click();
    expect(await apply.isDisabled()).toBe(true);
  });
});
