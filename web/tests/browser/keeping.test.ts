import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasServer, launch, looksOf, openCampaign, until, Visitor } from "./world.ts";

describe.skipIf(!hasServer)("keeping looks", () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  const total = (outcomes: Record<string, number>) => Object.values(outcomes).reduce((sum, n) => sum + n, 0);

  test("a look that was not sent survives a reload and arrives exactly once", async () => {
    const field = await openCampaign(3);
    const visitor = await Visitor.come(browser, "desktop");
    await visitor.open(field);
    await visitor.context.route("**/looks/batch", (route) => route.abort());
    await visitor.page.keyboard.press("Space");
    await visitor.page.getByText("You: 1 look").waitFor();
    await visitor.page.reload();
    // The page's last request may have reached the server, but no page has heard its answer.
    await visitor.ready();
    expect(await visitor.unsent()).toBe(1);
    await visitor.context.unroute("**/looks/batch");
    await visitor.page.reload();
    await until("nothing waits any more", async () => (await visitor.unsent()) === 0);
    await until("the look is counted", async () => total(await looksOf(field.slug)) === 1);
    await visitor.page.reload();
    await visitor.ready();
    expect(total(await looksOf(field.slug))).toBe(1);
    await visitor.leave();
  });

  test("leaving right after a look sends it with the last request of the page", async () => {
    const field = await openCampaign(3);
    const visitor = await Visitor.come(browser, "desktop");
    await visitor.open(field);
    await visitor.page.keyboard.press("Space");
    await visitor.page.getByText("You: 1 look").waitFor();
    await visitor.page.goto("about:blank");
    await until("the look is counted", async () => total(await looksOf(field.slug)) === 1);
    await visitor.leave();
  });

  test("without a network the pill says how many looks are kept, and they go out later", async () => {
    const field = await openCampaign(3);
    const visitor = await Visitor.come(browser, "phone");
    await visitor.open(field);
    await visitor.context.setOffline(true);
    await visitor.page.getByRole("button", { name: "Nothing here" }).tap();
    await visitor.page.getByText("No network. 1 look is kept on this device").waitFor();
    await visitor.context.setOffline(false);
    await until("nothing waits any more", async () => (await visitor.unsent()) === 0);
    await until("the look is counted", async () => total(await looksOf(field.slug)) === 1);
    await visitor.leave();
  });

  test("a refused token is replaced, and the kept look is sent under the new one", async () => {
    const field = await openCampaign(3);
    const visitor = await Visitor.come(browser, "desktop");
    await visitor.open(field);
    await visitor.context.route("**/looks/batch", (route) => route.abort());
    await visitor.page.keyboard.press("Space");
    await visitor.page.getByText("You: 1 look").waitFor();
    await visitor.page.evaluate(() =>
      localStorage.setItem("spotter.volunteer", JSON.stringify({ volunteer_id: "nobody", token: "refused" })),
    );
    await visitor.context.unroute("**/looks/batch");
    await visitor.page.reload();
    await until("the look is counted", async () => total(await looksOf(field.slug)) === 1);
    expect(await visitor.page.evaluate(() => localStorage.getItem("spotter.volunteer"))).not.toContain("refused");
    await visitor.leave();
  });

  test("after the last square the page says thank you, with what was done", async () => {
    const field = await openCampaign(2);
    const visitor = await Visitor.come(browser, "desktop");
    await visitor.open(field);
    await visitor.page.keyboard.press("Space");
    await visitor.page.getByText("You: 1 look").waitFor();
    await visitor.ready();
    await visitor.page.keyboard.press("Space");
    const card = visitor.page.getByRole("alertdialog", { name: /Thank you/ });
    await card.waitFor();
    expect(await card.locator("dd").first().textContent()).toBe("2");
    await until("both looks are counted", async () => total(await looksOf(field.slug)) === 2);
    await visitor.leave();
  });
});
