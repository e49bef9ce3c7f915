import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import { en } from "../../src/words/en.ts";
import { pseudo } from "../../src/words/pseudo.ts";
import { cutOff, doubleText, findings, picture } from "./checks.ts";
import { hasServer, openCampaign } from "./server.ts";
import { Visitor } from "./visitor.ts";

const NARROW = { width: 320, height: 640 };

/** Brings the volunteer's page through its states by what does not depend on a language. */
async function throughStates(visitor: Visitor, look: (state: string) => Promise<void>): Promise<void> {
  const { page } = visitor;
  await page.locator(".veil .btn.primary").waitFor();
  await look("first");
  await page.locator(".veil .btn.primary").click();
  await visitor.ready();
  await look("nothing");
  const spot = await visitor.pointInSquare(0.5, 0.4);
  const tags = page.locator(".tag");
  await page.mouse.click(spot.x, spot.y);
  await tags.first().waitFor();
  await look("tagging");
  if ((await page.locator(".spot.sel, .tag.sel").count()) === 0) await tags.first().click();
  await page.locator(".spot.sel").waitFor({ state: "attached" });
  await look("selected");
  await page.keyboard.press("Escape");
  for (const [state, button] of [
    ["help", ".top .icon-btn:nth-last-of-type(2)"],
    ["menu", ".top .icon-btn:last-of-type"],
  ] as const) {
    await page.locator(button).click();
    await page.locator(".veil [role=dialog]").waitFor();
    await look(state);
    await page.keyboard.press("Escape");
    await page.locator(".veil").waitFor({ state: "detached" });
  }
  await page.keyboard.press("?");
  await page.locator(".veil").waitFor();
  await look("keys");
  await page.keyboard.press("Escape");
  const more = page.locator(".actions .touch").last();
  if (await more.isVisible()) {
    await more.click();
    await page.locator(".veil").waitFor();
    await look("more");
    await page.keyboard.press("Escape");
  }
  await page.locator("#finish").click();
  await page.locator(".veil [role=alertdialog]").waitFor();
  await look("done");
}

const collect =
  (page: Page, found: Record<string, string[]>, prefix: string, check: (page: Page) => Promise<string[]>) =>
  async (state: string) => {
    const wrong = await check(page);
    await picture(page, `${prefix}-${state}`);
    if (wrong.length > 0) found[state] = wrong;
  };

describe.skipIf(!hasServer)("layout", () => {
  test.each([
    ["phone 320 px wide", NARROW],
    ["desktop", { width: 1280, height: 720 }],
  ])("from right to left, with words two fifths longer, nothing is cut off on a %s", async (name, viewport) => {
    const field = await openCampaign(1);
    const visitor = await Visitor.come("desktop", { viewport });
    const found: Record<string, string[]> = {};
    await visitor.go(`/s/${field.slug}?lang=x-rtl`);
    await visitor.page.getByRole("button", { name: pseudo<typeof en>(en).first_start as string }).waitFor();
    expect(await visitor.page.locator("html").getAttribute("dir")).toBe("rtl");
    await throughStates(visitor, collect(visitor.page, found, `rtl-${name.split(" ")[0]}`, cutOff));
    expect(found).toEqual({});
    if (viewport === NARROW) return;
    const [stage, dock] = [
      await visitor.page.locator("#stage").boundingBox(),
      await visitor.page.locator("#dock").boundingBox(),
    ];
    expect(dock!.x).toBeLessThan(stage!.x);
  });

  test("with text twice as large and 320 px, nothing is cut off and the square can be finished", async () => {
    const field = await openCampaign(1);
    const visitor = await Visitor.come("desktop", { viewport: NARROW });
    const { page } = visitor;
    const found: Record<string, string[]> = {};
    await visitor.go(`/s/${field.slug}`);
    await throughStates(
      visitor,
      collect(page, found, "text-200", async () => {
        await doubleText(page);
        const wrong = await cutOff(page);
        const button = page.locator(".veil .btn, #finish, .seltools .go").last();
        await button.scrollIntoViewIfNeeded();
        if (!(await button.isVisible())) wrong.push("the button cannot be reached");
        return wrong;
      }),
    );
    expect(found).toEqual({});
  });

  test("with forced colours every button keeps an edge, and axe finds nothing", async () => {
    const field = await openCampaign(1);
    const visitor = await Visitor.come("desktop", { forcedColors: "active" });
    const { page } = visitor;
    const found: Record<string, string[]> = {};
    await visitor.go(`/s/${field.slug}`);
    await throughStates(
      visitor,
      collect(page, found, "forced", async () => {
        const bare = await page.evaluate(() =>
          [...document.querySelectorAll<HTMLElement>("button.btn, .type, .field")]
            .filter((element) => element.checkVisibility({ visibilityProperty: true }))
            .filter((element) => {
              const { borderTopStyle, borderTopWidth, outlineStyle } = getComputedStyle(element);
              return (borderTopStyle === "none" || parseFloat(borderTopWidth) < 1) && outlineStyle === "none";
            })
            .map((element) => `no edge: ${element.outerHTML.slice(0, 120)}`),
        );
        // axe takes the page's own colours for those that the system has forced on it.
        return [...bare, ...(await findings(page, ["color-contrast"]))];
      }),
    );
    expect(found).toEqual({});
  });

  test("with less motion asked for, nothing moves by itself", async () => {
    const field = await openCampaign(1);
    const visitor = await Visitor.come("desktop", { reducedMotion: "reduce" });
    const { page } = visitor;
    const found: Record<string, string[]> = {};
    await visitor.go(`/s/${field.slug}`);
    await throughStates(
      visitor,
      collect(page, found, "still", () =>
        page.evaluate(() => {
          const lasts = (list: string) => list.split(",").some((time) => parseFloat(time) > 0.011);
          return [...document.querySelectorAll("body *")]
            .filter((element) => {
              const style = getComputedStyle(element);
              return (
                lasts(style.transitionDuration) || (style.animationName !== "none" && lasts(style.animationDuration))
              );
            })
            .map((element) => element.outerHTML.slice(0, 100));
        }),
      ),
    );
    expect(found).toEqual({});
  });
});
