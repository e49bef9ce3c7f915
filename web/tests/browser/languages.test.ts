import { describe, expect, test } from "vitest";
import { en } from "../../src/words/en.ts";
import { hasServer, openCampaign } from "./server.ts";
import { Visitor } from "./visitor.ts";

/**
 * The catalogues that this visitor's page asks for from now on: "de", "en-organiser", …; not those that the service
 * worker keeps for times without a network.
 */
function catalogues({ page }: Visitor): string[] {
  const found: string[] = [];
  page.on("request", (request) => {
    const { pathname } = new URL(request.url());
    const name = /^\/assets\/((?:en|de)(?:-(?!.{8}\.js)\w+)?)-.{8}\.js$/.exec(pathname)?.[1];
    if (name) found.push(name);
  });
  return found;
}

describe.skipIf(!hasServer)("languages", () => {
  test("a German browser gets German, of the campaign too, and fetches no other catalogue", async () => {
    const field = await openCampaign(2);
    const visitor = await Visitor.come("phone", { locale: "de-AT" });
    const asked = catalogues(visitor);
    const { page } = visitor;
    await visitor.go(`/s/${field.slug}`);
    await page.getByRole("dialog", { name: "Finde das vermisste Leichtflugzeug" }).waitFor();
    await page.getByRole("button", { name: "Los geht’s" }).tap();
    await page.getByRole("button", { name: "Hier ist nichts" }).waitFor();
    await page.getByRole("radio", { name: "Wrackteile" }).waitFor();
    expect(await page.locator("html").getAttribute("lang")).toBe("de-AT");
    expect(asked).toEqual(["de"]);
  });

  test("the address chooses, for this page only", async () => {
    const field = await openCampaign(2);
    const visitor = await Visitor.come("desktop");
    const asked = catalogues(visitor);
    const { page } = visitor;
    await visitor.open(field, "?lang=de");
    await page.getByRole("button", { name: "Hier ist nichts" }).waitFor();
    await visitor.go(`/s/${field.slug}`);
    await page.getByRole("button", { name: en.nothing_here }).waitFor();
    expect(asked).toEqual(["de", "en"]);
  });

  test("the menu changes the language at once, keeps what was tagged, and is remembered", async () => {
    const field = await openCampaign(2);
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await visitor.open(field);
    const spot = await visitor.pointInSquare(0.5, 0.4);
    await page.mouse.click(spot.x, spot.y);
    await page.getByRole("button", { name: "Done, 1 tag" }).waitFor();
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByRole("dialog").getByRole("combobox").selectOption("de");
    await page.getByRole("button", { name: "Schließen" }).click();
    await page.getByRole("button", { name: "Fertig, 1 Markierung" }).waitFor();
    expect(await page.locator("html").getAttribute("lang")).toMatch(/^de/);
    await page.reload();
    await page.getByRole("button", { name: "Fertig, 1 Markierung" }).waitFor();
  });

  test("the start page and the organiser's pages have catalogues of their own", async () => {
    const field = await openCampaign(1);
    const visitor = await Visitor.come("desktop", { locale: "de-DE" });
    const asked = catalogues(visitor);
    await visitor.go("/");
    await visitor.page.getByRole("heading", { name: "Offene Suchen" }).waitFor();
    await visitor.page.locator(`a[href="/s/${field.slug}"]`).waitFor();
    expect(asked).toEqual(["de-start"]);
    await visitor.go("/organise");
    await visitor.page.getByRole("button", { name: "Anmelden" }).waitFor();
    expect(asked).toEqual(["de-start", "de-organiser"]);
  });
});
