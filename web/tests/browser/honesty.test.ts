import { describe, expect, test } from "vitest";
import { inspect } from "./checks.ts";
import { hasServer, openCampaign } from "./server.ts";
import { DEVICES, type Device, Visitor } from "./visitor.ts";

describe.skipIf(!hasServer)("honesty", () => {
  test.each(Object.keys(DEVICES) as Device[])("a whole visit on a %s: every request succeeds", async (device) => {
    const field = await openCampaign(2);
    const visitor = await Visitor.come(device);
    const { page } = visitor;
    await visitor.open(field);
    const spot = await visitor.pointInSquare(0.5, 0.5);
    if (device === "phone") await page.touchscreen.tap(spot.x, spot.y);
    else await page.mouse.click(spot.x, spot.y);
    await page.getByRole("button", { name: "Done, 1 tag" }).click();
    await page.locator("#finish", { hasText: "Nothing here" }).waitFor();
    await visitor.ready();
    await page.locator("#finish").click();
    await page.getByRole("alertdialog", { name: "Thank you. The whole area has been searched." }).waitFor();
    await inspect(page, "done-all", device);
    expect(visitor.failedRequests).toEqual([]);
    expect(visitor.between.came.filter(({ status }) => status !== null && status >= 400)).toEqual([]);
  });

  test.each(Object.keys(DEVICES) as Device[])("the states of a visit on a %s", async (device) => {
    const field = await openCampaign(2);
    const visitor = await Visitor.come(device);
    const { page } = visitor;
    const look = (state: string) => inspect(page, state, device);
    await visitor.go(`/s/${field.slug}`);
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
    await page.locator(".tag").first().focus();
    await page.keyboard.press("Enter");
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
    if (device === "desktop") return;
    await page.getByRole("button", { name: "More: bad image, skip" }).tap();
    await page.getByRole("dialog").waitFor();
    await look("more");
  });

  test("no page runs a script or takes a style that was not built into it, nor asks another host", async () => {
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    for (const path of ["/", "/s/demo", "/organise", "/busy.html"]) {
      await visitor.go(path);
      const blocked = await page.evaluate(async () => {
        const found: string[] = [];
        document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) =>
          found.push(effectiveDirective),
        );
        const script = document.createElement("script");
        script.textContent = "window.hasRun = true";
        const picture = new Image();
        picture.src = "http://127.0.0.2:9/elsewhere.png";
        const holder = document.createElement("div");
        holder.innerHTML = '<p onclick="window.hasRun = true" style="color: red">x</p>';
        document.body.append(script, holder);
        holder.querySelector("p")!.click();
        await fetch("http://127.0.0.2:9/elsewhere").catch(() => {});
        await new Promise((resolve) => setTimeout(resolve));
        return { found: [...new Set(found)].sort(), hasRun: "hasRun" in window };
      });
      expect(blocked, path).toEqual({
        found: ["connect-src", "img-src", "script-src-attr", "script-src-elem", "style-src-attr"],
        hasRun: false,
      });
      // The browser logs each of these, and counts what it blocked as a request; they were meant.
      visitor.errors.splice(0);
      visitor.strangers.splice(0);
    }
  });
});
