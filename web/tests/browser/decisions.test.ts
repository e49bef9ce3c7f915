import { describe, expect, test } from "vitest";
import type { ListedCells, Progress } from "../../src/shared/contract.ts";
import { parseCell } from "../../src/shared/tiles.ts";
import type { KeptSquare } from "../../src/volunteer/slot.ts";
import { inspect } from "./checks.ts";
import { api, type Field, hasServer, KEY, Other, openCampaign, progressOf, until } from "./server.ts";
import { Source } from "./source.ts";
import { Visitor } from "./visitor.ts";

const DEALING = /^POST .*\/assignments/;
const REPORTS = 3;

const live = (field: Field) => `/organise/${field.slug}#key=${KEY}`;
const cellsPath = (field: Field) => `/v1/campaigns/${field.slug}/cells`;
const listed = async (field: Field, state: string) =>
  (await api<ListedCells>(`${cellsPath(field)}?state=${state}`)).cells;

/** As many people as it takes report these cells. */
async function report(field: Field, cells: readonly string[]): Promise<void> {
  for (let i = 0; i < REPORTS; i++) {
    const other = await Other.come(field.slug);
    for (const cell of cells) await other.look(cell, "bad_imagery");
  }
  await until("the reports are counted", async () => (await progressOf(field.slug)).cells_bad_imagery === cells.length);
}

/** The square on the screen, as this tab keeps it. */
const onScreen = (visitor: Visitor, { slug }: Field) =>
  visitor.page.evaluate(
    (key) => (JSON.parse(localStorage.getItem(key) ?? "[]") as KeptSquare[])[0]?.assignment.cell ?? "",
    `spotter.squares.${slug}.0`,
  );

/** The layers whose tiles lie under the map. */
const laid = (visitor: Visitor) =>
  visitor.page.evaluate(() => [
    ...new Set(
      [...document.querySelectorAll<HTMLImageElement>(".plate:not(.leaving) img")].map(
        ({ src }) => new URL(src).pathname.split("/")[3],
      ),
    ),
  ]);

/** True when MapLibre asked this layer for a sharp tile beside the row of cells; the plates ask for none there. */
const isDrawn = (visitor: Visitor, layer: string, cell: string) => {
  const { z, y } = parseCell(cell);
  return visitor.between.requests(new RegExp(`/v1/imagery/${layer}/`)).some(({ path }) => {
    const [zoom, , row] = path.split("?")[0]!.split("/").slice(4).map(Number);
    return zoom! > z && Math.floor(row! / 2 ** (zoom! - z)) !== y;
  });
};

describe.skipIf(!hasServer)("cells about which an organiser decides", () => {
  test("a square with imagery of its own is drawn with it, also after a reload, and the next one with the campaign's", async () => {
    const source = await Source.open();
    const field = await openCampaign(2);
    const [own] = field.cells;
    await api(cellsPath(field), "PATCH", { cells: [own], imagery_layer: source.layer });
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await visitor.open(field);
    const seen = new Set<string>();
    for (const _ of field.cells) {
      await visitor.ready();
      const cell = await until("the tab keeps the square", () => onScreen(visitor, field));
      seen.add(cell);
      const layer = cell === own ? source.layer : "demo";
      const survey = page.locator(".prov", { hasText: "Test survey" });
      expect(await laid(visitor)).toEqual([layer]);
      expect(await survey.count()).toBe(cell === own ? 1 : 0);
      await until("the map draws it too", async () => isDrawn(visitor, layer, cell));
      if (cell === own) {
        await page.locator(".prov button").click();
        await page.getByRole("dialog").getByText("Browser tests").waitFor();
        await page.keyboard.press("Escape");
        await page.reload();
        await visitor.ready();
        expect(await onScreen(visitor, field)).toBe(own);
        expect(await laid(visitor)).toEqual([source.layer]);
        await survey.waitFor();
      }
      await visitor.finishEmpty();
    }
    expect([...seen].sort()).toEqual([...field.cells].sort());
    await source.close();
  });

  test("who has seen all is offered the other searches that the server names, in their language", async () => {
    const other = await openCampaign(1);
    const field = await openCampaign(1);
    const visitor = await Visitor.come("phone");
    const { page } = visitor;
    await visitor.open(field, "?lang=de");
    await page.keyboard.press("Space");
    const offered = page.getByRole("navigation", { name: "Diese Suchen brauchen auch Augen" });
    await offered.waitFor();
    const links = await offered.getByRole("link").evaluateAll((all) => all.map((link) => link.getAttribute("href")));
    expect(links.length).toBeGreaterThan(0);
    expect(links.length).toBeLessThanOrEqual(5);
    expect(links).not.toContain(`/s/${field.slug}`);
    expect(links.every((link) => /^\/s\/[\w-]+$/.test(link ?? ""))).toBe(true);
    if (links.includes(`/s/${other.slug}`))
      expect(await offered.locator(`a[href="/s/${other.slug}"]`).textContent()).toContain("Finde das vermisste");
    await inspect(page, "done-others");
  });

  test("where there is no other search, none is offered", async () => {
    const field = await openCampaign(1);
    const visitor = await Visitor.come("desktop");
    const body = { assignments: [], exhausted: true, retry_after_seconds: null, other_campaigns: [] };
    visitor.between.rule(DEALING, { kind: "answer", status: 200, body });
    await visitor.go(`/s/${field.slug}`);
    const card = visitor.page.getByRole("alertdialog", { name: "Thank you. Nothing is left for you to look at" });
    await card.waitFor();
    expect(await card.getByRole("navigation").count()).toBe(0);
    expect(await card.getByRole("link").count()).toBe(0);
  });

  test("the live page lists reported cells: they are shown, get other imagery, are closed, reopened, looked at anew", async () => {
    const source = await Source.open();
    const field = await openCampaign(3);
    const [first, second] = [...field.cells].sort();
    await report(field, [first!, second!]);
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await visitor.go(live(field));
    const work = page.locator(".cellwork");
    const ask = page.getByRole("alertdialog");
    await work.getByText(first!).waitFor();
    await work.getByText(second!).waitFor();
    await inspect(page, "live-cells");
    // Several at once.
    await work.getByLabel("Choose all 2").check();
    await work.getByRole("button", { name: "Other imagery…" }).click();
    await ask.getByText("Test survey").first().waitFor();
    expect(await ask.getByRole("button", { name: "Use this imagery" }).isDisabled()).toBe(true);
    await chooseLayer(visitor, source.layer);
    await inspect(page, "live-cells-imagery");
    await ask.getByRole("button", { name: "Use this imagery" }).click();
    await ask.waitFor({ state: "detached" });
    await work.getByText("2 cells are shown on the other imagery now").waitFor();
    await work.getByText("No cell waits for you.").waitFor();
    expect((await listed(field, "decided")).map(({ imagery_layer }) => imagery_layer)).toEqual([
      source.layer,
      source.layer,
    ]);
    // One, from its card.
    await work.getByRole("button", { name: "Decided" }).click();
    await work.getByRole("button", { name: `Show cell ${first} on the map` }).click();
    const card = page.locator(".cellcard", { hasText: first! });
    await card.getByText(source.layer).waitFor();
    await card.getByRole("button", { name: "Close…" }).click();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Leave it as it is");
    await ask.getByRole("button", { name: "Leave it as it is" }).click();
    expect(await listed(field, "closed")).toEqual([]);
    await card.getByRole("button", { name: "Close…" }).click();
    await ask.getByRole("button", { name: "Close the cell" }).click();
    await until("it is closed", async () => (await listed(field, "closed")).length === 1);
    await page.locator(".kpis").getByText("1 more is closed").waitFor();
    await work.getByRole("button", { name: "Closed: 1" }).click();
    await work.getByLabel("Choose it").check();
    await work.getByRole("button", { name: "Reopen…" }).click();
    await ask.getByRole("button", { name: "Reopen the cell" }).click();
    await until("it is open again", async () => (await listed(field, "closed")).length === 0);
    await work.getByText("1 cell is open again.").waitFor();
    await card.getByRole("button", { name: "Look at anew…" }).click();
    await ask.getByText("This cannot be taken back.").waitFor();
    await ask.getByRole("button", { name: "Look at it anew" }).click();
    await work.getByText("1 cell is looked at anew.").waitFor();
    const numbers: Progress = await progressOf(field.slug);
    expect([numbers.cells_closed, numbers.cells_bad_imagery]).toEqual([0, 0]);
    await source.close();
  });

  test("a decision that the server refuses for one cell says so, and the others are decided", async () => {
    const field = await openCampaign(2);
    await report(field, field.cells);
    const visitor = await Visitor.come("phone");
    const { page } = visitor;
    await visitor.go(live(field));
    const work = page.locator(".cellwork");
    await work.getByText(field.cells[0]!).waitFor();
    const problem = { title: "Not found", code: "cell_not_found", detail: "The campaign has no such cell." };
    const body = {
      results: [
        { cell: field.cells[0], verdict: "changed" },
        { cell: field.cells[1], verdict: "invalid", problem },
      ],
    };
    visitor.between.rule(/^PATCH .*\/cells/, { kind: "answer", status: 200, body });
    await work.getByLabel("Choose all 2").check();
    await work.getByRole("button", { name: "Close…" }).click();
    const ask = page.getByRole("alertdialog");
    await ask.getByRole("button", { name: "Close 2 cells" }).click();
    await ask.getByText("The campaign has no such cell.").waitFor();
    await inspect(page, "live-cells-refused");
    await ask.getByRole("button", { name: "Back to the list" }).click();
    await ask.waitFor({ state: "detached" });
  });
});

/** Other tests' layers have the same name; the picture's address tells them apart. */
async function chooseLayer({ page }: Visitor, layer: string): Promise<void> {
  await page.locator("label", { has: page.locator(`img[src*="/v1/imagery/${layer}/"]`) }).click();
}
