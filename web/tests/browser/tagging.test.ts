import { describe, expect, test } from "vitest";
import type { LonLat } from "../../src/shared/contract.ts";
import { hasServer, metresBetween, openCampaign, placeIn, progressOf, tagsOf, until } from "./server.ts";
import { Visitor } from "./visitor.ts";

describe.skipIf(!hasServer)("tagging", () => {
  const placeOf = (tag: { geometry: { coordinates: unknown } }) => tag.geometry.coordinates as LonLat;

  test("two objects tagged with the mouse are stored where they were clicked, to a metre", async () => {
    const field = await openCampaign(1);
    const visitor = await Visitor.come("desktop");
    await visitor.open(field);
    const spots = [
      ["wreckage", 0.25, 0.75],
      ["scar", 0.9, 0.1],
    ] as const;
    for (const [type, u, v] of spots) {
      await visitor.page.locator(`#type-${type}`).click();
      const { x, y } = await visitor.pointInSquare(u, v);
      await visitor.page.mouse.click(x, y);
    }
    await visitor.page.getByRole("button", { name: "Done, 2 tags" }).click();
    const tags = await until("both tags arrive", async () => {
      const found = await tagsOf(field.slug);
      return found.length === 2 && found;
    });
    for (const [type, u, v] of spots) {
      const tag = tags.find((candidate) => candidate.properties.tag_type === type)!;
      expect(metresBetween(placeOf(tag), placeIn(field.cells[0]!, u, v))).toBeLessThan(1);
    }
  });

  test("a tag moved by its handle is stored where its ring is, not where the finger was", async () => {
    const field = await openCampaign(1);
    const visitor = await Visitor.come("phone");
    await visitor.open(field);
    const { page } = visitor;
    const from = await visitor.pointInSquare(0.5, 0.3);
    const to = await visitor.pointInSquare(0.7, 0.5);
    await page.touchscreen.tap(from.x, from.y);
    await page.getByRole("button", { name: "Done, 1 tag" }).waitFor();
    await page.touchscreen.tap(from.x, from.y);
    await page.getByRole("button", { name: "Keep it here" }).waitFor();
    const grip = (await page.locator(".grip").boundingBox())!;
    const held = { x: grip.x + grip.width / 2, y: grip.y + grip.height / 2 };
    expect(Math.round(held.y - from.y)).toBe(84);
    await visitor.drag(held, { x: held.x + to.x - from.x, y: held.y + to.y - from.y });
    // Not taps: Chromium swallows those that follow a flung drag within milliseconds, as no hand can.
    await page.getByRole("button", { name: "Keep it here" }).click();
    await page.getByRole("button", { name: "Done, 1 tag" }).click();
    const [tag] = await until("the tag arrives", async () => {
      const found = await tagsOf(field.slug);
      return found.length === 1 && found;
    });
    expect(metresBetween(placeOf(tag!), placeIn(field.cells[0]!, 0.7, 0.5))).toBeLessThan(1.5);
  });

  test("the keyboard alone chooses, tags, moves and finishes", async () => {
    const field = await openCampaign(1);
    const visitor = await Visitor.come("desktop");
    await visitor.go(`/s/${field.slug}`);
    const { page } = visitor;
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await visitor.ready();
    await page.locator("#map").focus();
    await page.keyboard.press("3");
    await page.keyboard.press("Enter");
    await page.getByRole("button", { name: "Done, 1 tag" }).waitFor();
    await page.keyboard.press("Tab");
    expect(await page.evaluate(() => document.activeElement?.getAttribute("aria-label"))).toContain(
      "Ground scar, tag 1 of 1",
    );
    const side = (await page.locator(".cell").boundingBox())!.width;
    await page.keyboard.press("Shift+ArrowRight");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Escape");
    await page.keyboard.press("Space");
    const [tag] = await until("the tag arrives", async () => {
      const found = await tagsOf(field.slug);
      return found.length === 1 && found;
    });
    expect(tag!.properties.tag_type).toBe("scar");
    expect(metresBetween(placeOf(tag!), placeIn(field.cells[0]!, 0.5 + 10 / side, 0.5 + 1 / side))).toBeLessThan(1);
  });

  test("nothing here is stored as a look without tags", async () => {
    const field = await openCampaign(2);
    const visitor = await Visitor.come("desktop");
    await visitor.open(field);
    await visitor.page.getByRole("button", { name: "Nothing here" }).click();
    await visitor.page.getByText("You: 1 look").waitFor();
    const outcomes = await until("the look is counted", async () => {
      const found = (await progressOf(field.slug)).looks_by_outcome;
      return found.nothing === 1 && found;
    });
    expect(outcomes.tagged).toBe(0);
  });

  test("a click outside the square places nothing and says why", async () => {
    const field = await openCampaign(1);
    const visitor = await Visitor.come("desktop");
    await visitor.open(field);
    const outside = await visitor.pointInSquare(-0.1, 0.5);
    await visitor.page.mouse.click(outside.x, outside.y);
    await visitor.page.getByText("Outside your square").waitFor();
    expect(await visitor.page.locator(".tag").count()).toBe(0);
  });

  test("undo takes back a tag, then goes back to the square before", async () => {
    const field = await openCampaign(2);
    const visitor = await Visitor.come("desktop");
    await visitor.open(field);
    const { page } = visitor;
    const spot = await visitor.pointInSquare(0.4, 0.4);
    await page.mouse.click(spot.x, spot.y);
    await page.keyboard.press("z");
    await page.getByRole("button", { name: "Nothing here" }).waitFor();
    await page.keyboard.press("Space");
    await page.getByText("You: 1 look").waitFor();
    await page.keyboard.press("z");
    await page.getByText("You: first square").waitFor();
    expect(await visitor.unsent()).toBe(0);
  });
});
