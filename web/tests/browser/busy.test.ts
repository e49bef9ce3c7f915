import { describe, expect, test } from "vitest";
import type { Deed } from "./between.ts";
import { inspect } from "./checks.ts";
import { BASE, hasServer, openCampaign } from "./server.ts";
import { Visitor } from "./visitor.ts";

/** The busy page as an overloaded server sends it instead of the page that was asked for. */
async function overload(seconds: number): Promise<Deed> {
  const answer = await fetch(`${BASE}/busy.html`);
  const headers = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": answer.headers.get("Content-Security-Policy")!,
    "Retry-After": String(seconds),
  };
  const body = (await answer.text()).replace(/data-retry="\d+"/, `data-retry="${seconds}"`);
  return { kind: "answer", status: 503, headers, body };
}

const PAGE = /^GET \/s\//;

describe.skipIf(!hasServer)("the busy page", () => {
  test("counts what is kept here, waits as long as told and up to half longer, and ends in the page", async () => {
    const field = await openCampaign(1);
    const visitor = await Visitor.come("phone");
    const { page, between } = visitor;
    await page.addInitScript(() => {
      localStorage.setItem("spotter.unsent", "3");
      Math.random = () => 0.999;
    });
    await page.clock.install();
    const busy = between.rule(PAGE, await overload(40));
    await visitor.go(`/s/${field.slug}`);
    await page.getByText("3 looks are kept on this device and go out first.").waitFor();
    const left = page.locator("#left");
    expect(await left.textContent()).toBe("60");
    await inspect(page, "busy-page");
    await page.clock.fastForward(55_000);
    expect(between.requests(PAGE)).toHaveLength(1);
    await page.clock.fastForward(6000);
    await page.getByText("Still very busy.").waitFor();
    expect(between.requests(PAGE)).toHaveLength(2);
    expect(Number(await left.textContent())).toBeGreaterThan(55);
    busy.end();
    await page.clock.fastForward(61_000);
    await page.locator(".veil .btn.primary").waitFor();
  });

  test("without chance on its side it waits no shorter than it was told", async () => {
    const visitor = await Visitor.come("phone");
    await visitor.page.addInitScript(() => (Math.random = () => 0));
    await visitor.page.clock.install();
    visitor.between.rule(PAGE, await overload(40));
    await visitor.go("/s/demo");
    await visitor.page.clock.fastForward(39_000);
    expect(visitor.between.requests(PAGE)).toHaveLength(1);
    expect(await visitor.page.locator("#left").textContent()).toBe("1");
  });

  test("without a network it stays, says so, and goes on when the network is back", async () => {
    const field = await openCampaign(1);
    const visitor = await Visitor.come("desktop");
    const busy = visitor.between.rule(PAGE, await overload(300));
    await visitor.go(`/s/${field.slug}`);
    await visitor.context.setOffline(true);
    await visitor.page.getByRole("link", { name: "Try now" }).click();
    await visitor.page.getByText("You are offline.").waitFor();
    busy.end();
    await visitor.context.setOffline(false);
    await visitor.page.locator(".veil .btn.primary").waitFor();
  });

  test("without script it is whole: what happens, that nothing is lost, and a way to try again", async () => {
    const visitor = await Visitor.come("phone", { javaScriptEnabled: false });
    const { page } = visitor;
    visitor.between.rule(PAGE, await overload(20));
    await visitor.go("/s/demo");
    await page.getByRole("heading", { name: "We are very busy right now" }).waitFor();
    await page.getByText("Please try again in a minute.").waitFor();
    await page.getByText("Looks that were not sent yet are kept on this device.").waitFor();
    expect(await page.locator("#ring").isVisible()).toBe(false);
    await page.getByRole("link", { name: "Try now" }).click();
    await page.waitForLoadState();
    expect(visitor.between.requests(PAGE)).toHaveLength(2);
  });

  test("speaks German to those who read it, and loads nothing besides itself", async () => {
    const visitor = await Visitor.come("desktop", { locale: "de-AT" });
    visitor.between.rule(PAGE, await overload(20));
    await visitor.go("/s/demo");
    await visitor.page.getByRole("heading", { name: "Gerade ist sehr viel los" }).waitFor();
    expect(await visitor.page.locator("html").getAttribute("lang")).toBe("de");
    await visitor.page.waitForLoadState("networkidle");
    expect(visitor.between.came.map(({ path }) => path).filter((path) => path !== "/favicon.ico")).toEqual(["/s/demo"]);
  });
});
