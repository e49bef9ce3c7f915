import { describe, expect, test } from "vitest";
import type { Campaign, LonLat } from "../../src/shared/contract.ts";
import { inspect } from "./checks.ts";
import { api, hasServer, KEY, rowOfCells, stateOf, until } from "./server.ts";
import { Visitor } from "./visitor.ts";

const file = (name: string, content: unknown) => ({
  name,
  mimeType: "application/geo+json",
  buffer: Buffer.from(typeof content === "string" ? content : JSON.stringify(content)),
});

/** The same corners in an order in which the outline crosses itself. */
function crossed(area: unknown): unknown {
  const [sw, se, ne, nw] = (area as { coordinates: LonLat[][] }).coordinates[0]!;
  return { type: "Polygon", coordinates: [[sw, ne, se, nw, sw]] };
}

describe.skipIf(!hasServer)("an organiser", () => {
  test("signs in with a key: a wrong one is refused in plain words, a right one stays in this tab only", async () => {
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await visitor.go("/organise");
    await inspect(page, "signin");
    await page.getByLabel("Organiser key").fill("not-a-key");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("This key is not known, or it was revoked.").waitFor();
    await inspect(page, "signin-wrong");
    await page.getByLabel("Organiser key").fill(KEY);
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Campaigns", level: 1 }).waitFor();
    await page
      .getByRole("link", { name: /missing light aircraft/ })
      .first()
      .waitFor();
    await inspect(page, "campaigns");
    const stored = await page.evaluate(() => [location.href, JSON.stringify(localStorage), document.cookie].join(" "));
    expect(stored).not.toContain(KEY);
    expect(visitor.between.came.filter(({ path }) => path.includes(KEY))).toEqual([]);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Organiser key").waitFor();
    expect(await page.evaluate(() => JSON.stringify(sessionStorage))).not.toContain(KEY);
  });

  test("makes a campaign: texts, imagery, a refused file and a repaired one, looks, and publishes it", async () => {
    const { area } = rowOfCells(3);
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    const title = `Missing glider ${Date.now().toString(36)}`;
    await visitor.go(`/organise/new#key=${KEY}`);
    await page.getByRole("heading", { name: "What are people looking for?" }).waitFor();
    expect(page.url()).not.toContain(KEY);
    // What volunteers see first appears beside the form, and must not take the focus from whoever writes there.
    await page.frameLocator("iframe").getByRole("dialog").waitFor();
    expect(await page.evaluate(() => document.activeElement?.tagName)).not.toBe("IFRAME");
    await page.getByLabel("Title", { exact: true }).fill(title);
    await page.getByLabel(/^Summary/).fill("A white glider, 15 m wide.");
    await page.getByLabel(/^Instructions/).fill("Look at the **whole** square.");
    await page.getByRole("button", { name: "Add a tag type" }).click();
    await page.getByLabel("Name", { exact: true }).fill("Wreckage");
    await page.getByLabel(/^Typical size in metres/).fill("9");
    await inspect(page, "wizard-what");

    await page.getByRole("button", { name: "Next: imagery" }).click();
    await page.locator("label.opt", { hasText: "Demo coast" }).click();
    await inspect(page, "wizard-imagery");

    await page.getByRole("button", { name: "Next: area" }).click();
    await page.getByText("Drop a GeoJSON file here").waitFor();
    const input = page.locator("input[type=file]");
    await input.setInputFiles(file("sightings.geojson", { type: "Point", coordinates: [-152.35, 57.62] }));
    await page.getByText("This file has no area in it").waitFor();
    await page.getByText("sightings.geojson").waitFor();
    await inspect(page, "wizard-refused");
    expect(await page.getByRole("button", { name: "Next: looks" }).isDisabled()).toBe(true);
    await input.setInputFiles(file("outline.geojson", crossed(area)));
    await page.getByText("outline.geojson").waitFor();
    await page.getByText("This file has no area in it").waitFor({ state: "detached" });
    await page.locator(".msg.info, .msg").first().waitFor();
    await until("the estimate counts cells", async () => /\d/.test((await page.locator(".est").textContent()) ?? ""));
    await inspect(page, "wizard-area");

    await page.getByRole("button", { name: "Next: looks" }).click();
    const fewer = page.getByRole("button", { name: "Fewer looks" });
    while (await fewer.isEnabled()) await fewer.click();
    await inspect(page, "wizard-looks");

    await page.getByRole("button", { name: "Next: publish" }).click();
    await page.getByRole("heading", { name: "Ready to publish?" }).waitFor();
    await page.getByText(/Draft saved/).waitFor();
    await inspect(page, "wizard-publish");
    const slug = (await page.getByLabel("Link to share").inputValue()).split("/s/")[1]!;
    expect(await stateOf(slug)).toBe("draft");
    await page.getByRole("button", { name: "Publish" }).click();
    await page.waitForURL(`**/organise/${slug}`);
    await page.getByRole("heading", { name: title }).waitFor();
    await until("it opens", async () => (await stateOf(slug)) === "open");
    const made = await api<Campaign>(`/v1/campaigns/${slug}`);
    expect(made).toMatchObject({ title: { en: title }, looks_wanted: 1, cell_zoom: expect.any(Number) });
    expect(made.tag_types.map(({ name }) => name)).toEqual([{ en: "Wreckage" }]);
    expect(made.cells).toBeGreaterThan(0);
    const stranger = await Visitor.come("phone");
    await stranger.open({ slug, cells: [] });
    await stranger.page.getByRole("heading", { name: title }).waitFor();
  });

  test("finds a draft again after a reload, and says when it could not be saved", async () => {
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    const title = `Missing kayak ${Date.now().toString(36)}`;
    await visitor.go(`/organise/new#key=${KEY}`);
    await page.getByLabel("Title", { exact: true }).fill(title);
    await page.getByRole("button", { name: "Add a tag type" }).click();
    await page.getByLabel("Name", { exact: true }).fill("Kayak");
    await page.locator(".steps a", { hasText: "Imagery" }).click();
    await page.locator("label.opt", { hasText: "Demo coast" }).click();
    await page.locator(".steps a", { hasText: "Area" }).click();
    await page.locator("input[type=file]").setInputFiles(file("area.geojson", rowOfCells(1).area));
    await page.getByText(/Draft saved/).waitFor();
    const cut = visitor.between.rule(/^(POST|PATCH) \/v1\/campaigns/, { kind: "cut" });
    await page.locator(".steps a", { hasText: "What" }).click();
    await page.getByLabel("Title", { exact: true }).fill(`${title} 2`);
    await page.getByText("Not saved: no network. Kept on this device").waitFor();
    await inspect(page, "wizard-not-saved");
    await page.reload();
    await page.getByLabel("Title", { exact: true }).waitFor();
    expect(await page.getByLabel("Title", { exact: true }).inputValue()).toBe(`${title} 2`);
    cut.end();
    await page.getByLabel("Title", { exact: true }).fill(`${title} 3`);
    await page.getByText(/Draft saved/).waitFor();
    await visitor.go("/organise");
    await page.getByRole("link", { name: `${title} 3` }).waitFor();
  });
});
