import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { BASE, DEVICES, type Device, type Field, hasServer, launch, openCampaign, Visitor } from "./world.ts";

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Finding {
  id: string;
  nodes: { html: string; failureSummary: string }[];
}

async function findings(page: Page): Promise<string[]> {
  await page.evaluate(axeSource);
  const violations = (await page.evaluate("axe.run().then((result) => result.violations)")) as Finding[];
  return violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => `${node.html} ${node.failureSummary}`).join(" | ")}`,
  );
}

describe.skipIf(!hasServer)("honesty", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  test("a square whose tiles fail cannot be judged, and can once they come", async () => {
    const field = await openCampaign(3);
    const visitor = await Visitor.come(browser, "desktop");
    await visitor.context.route("**/v1/imagery/**", (route) => route.fulfill({ status: 502 }));
    await visitor.page.goto(`${BASE}/s/${field.slug}`);
    await visitor.page.getByRole("button", { name: "Start looking" }).click();
    await visitor.page.getByRole("alertdialog", { name: "Part of this image did not load" }).waitFor();
    expect(await visitor.page.locator("#finish").isDisabled()).toBe(true);
    await visitor.context.unroute("**/v1/imagery/**");
    await visitor.page.getByRole("button", { name: "Try again" }).click();
    await visitor.ready();
    await visitor.leave();
  });

  test("another square can be had instead of a broken one", async () => {
    const field = await openCampaign(3);
    const visitor = await Visitor.come(browser, "phone");
    await visitor.open(field);
    await visitor.context.route("**/v1/imagery/**", (route) => route.fulfill({ status: 502 }));
    await visitor.page.reload();
    await visitor.page.getByRole("alertdialog", { name: "Part of this image did not load" }).waitFor();
    await visitor.context.unroute("**/v1/imagery/**");
    await visitor.page.getByRole("button", { name: "Give me another square" }).tap();
    await visitor.page.getByText("You 1 look").waitFor();
    await visitor.leave();
  });

  test.each(Object.keys(DEVICES) as Device[])(
    "a whole visit on a %s has no error and asks no other host",
    async (device) => {
      const field = await openCampaign(2);
      const visitor = await Visitor.come(browser, device);
      await visitor.open(field);
      const spot = await visitor.pointInSquare(0.5, 0.5);
      if (device === "phone") await visitor.page.touchscreen.tap(spot.x, spot.y);
      else await visitor.page.mouse.click(spot.x, spot.y);
      await visitor.page.getByRole("button", { name: "Done, 1 tag" }).click();
      await visitor.page.locator("#finish", { hasText: "Nothing here" }).waitFor();
      await visitor.ready();
      await visitor.page.locator("#finish").click();
      await visitor.page.getByRole("alertdialog", { name: /Thank you/ }).waitFor();
      expect(visitor.errors).toEqual([]);
      expect(visitor.strangers).toEqual([]);
      await visitor.leave();
    },
  );

  test.each(Object.keys(DEVICES) as Device[])("axe finds nothing in the main states on a %s", async (device) => {
    const field: Field = await openCampaign(1);
    const visitor = await Visitor.come(browser, device);
    const { page } = visitor;
    const found: Record<string, string[]> = {};
    const look = async (state: string) => {
      found[state] = await findings(page);
    };
    await page.goto(`${BASE}/s/${field.slug}`);
    await page.getByRole("button", { name: "Start looking" }).waitFor();
    await look("first");
    await page.getByRole("button", { name: "Start looking" }).click();
    await visitor.ready();
    await look("nothing");
    const spot = await visitor.pointInSquare(0.5, 0.4);
    const tap = () => (device === "phone" ? page.touchscreen.tap(spot.x, spot.y) : page.mouse.click(spot.x, spot.y));
    await tap();
    await page.getByRole("button", { name: "Done, 1 tag" }).waitFor();
    await look("tagging");
    await tap();
    await page.locator(".spot.sel").waitFor({ state: "attached" });
    await look("selected");
    await page.keyboard.press("Escape");
    for (const [state, name] of [
      ["help", "What to look for, and help"],
      ["menu", "Menu"],
    ] as const) {
      await page.getByRole("button", { name }).click();
      await page.getByRole("dialog").waitFor();
      await look(state);
      await page.getByRole("button", { name: "Close" }).click();
    }
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
    await look("keys");
    await page.keyboard.press("Escape");
    await page.locator("#finish").click();
    await page.getByRole("alertdialog", { name: /Thank you/ }).waitFor();
    await look("done");
    expect(Object.entries(found).filter(([, list]) => list.length > 0)).toEqual([]);
    await visitor.leave();
  });

  test("the organiser's page shows a new tag, and refuses a wrong key in plain words", async () => {
    const field = await openCampaign(2);
    const visitor = await Visitor.come(browser, "desktop");
    await visitor.open(field);
    const spot = await visitor.pointInSquare(0.5, 0.5);
    await visitor.page.mouse.click(spot.x, spot.y);
    await visitor.page.getByRole("button", { name: "Done, 1 tag" }).click();
    const organiser = await Visitor.come(browser, "desktop");
    const { page } = organiser;
    await page.goto(`${BASE}/organise/${field.slug}`);
    await page.getByLabel("API key").fill("not-a-key");
    await page.getByRole("button", { name: "Show the tags" }).click();
    await page.getByText("This key is not known, or it was revoked.").waitFor();
    await page.goto("about:blank");
    await page.goto(`${BASE}/organise/${field.slug}#key=${encodeURIComponent(process.env.ORGANISER_KEY!)}`);
    await page.locator(".feed li", { hasText: "Wreckage" }).waitFor();
    expect(page.url()).toBe(`${BASE}/organise/${field.slug}`);
    expect(await findings(page)).toEqual([]);
    expect(organiser.strangers).toEqual([]);
    await visitor.leave();
    await organiser.leave();
  });
});
