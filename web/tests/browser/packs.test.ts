import type { Page } from "playwright-core";
import { describe, expect, test } from "vitest";
import type { Kept } from "../../src/volunteer/outbox.ts";
import { inspect } from "./checks.ts";
import { api, type Field, hasServer, Other, openCampaign, storedLooks, tagsOf, until } from "./server.ts";
import { type Device, Visitor } from "./visitor.ts";

const PACKING = /^(POST|DELETE) .*\/packs/;
const PUSHING = /^POST \/v1\/sync\/rxdb\/looks\/0\/push/;

async function openPacks(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Menu" }).click();
  await page.getByRole("button", { name: /^Take squares along/ }).click();
}

const closeDialog = (page: Page) => page.getByRole("button", { name: "Close" }).click();

/** Takes the smallest pack and waits until all of its squares are here; how many there are. */
async function takeAlong(visitor: Visitor): Promise<number> {
  const { page } = visitor;
  await openPacks(page);
  await page.getByRole("radio", { name: /^20 squares/ }).check();
  await page.getByRole("button", { name: "Take 20 squares along" }).click();
  await page.getByRole("button", { name: "Remove from this device" }).waitFor();
  const left = await page.locator(".stats div", { hasText: "Squares left" }).locator("dd").textContent();
  await closeDialog(page);
  await until("the page is kept", () => page.evaluate(() => navigator.serviceWorker.controller?.state === "activated"));
  return Number(left);
}

/** The network goes, also for a page that is loaded anew. */
async function goAway(visitor: Visitor): Promise<void> {
  await visitor.between.stop();
  await visitor.context.setOffline(true);
}

async function comeBack(visitor: Visitor): Promise<void> {
  await visitor.between.start();
  await visitor.context.setOffline(false);
}

async function tagOnce(visitor: Visitor, device: Device, u: number, v: number): Promise<void> {
  const { page } = visitor;
  const spot = await visitor.pointInSquare(u, v);
  if (device === "phone") await page.touchscreen.tap(spot.x, spot.y);
  else await page.mouse.click(spot.x, spot.y);
  await page.getByRole("button", { name: "Done, 1 tag" }).waitFor();
}

const packedSquares = (field: Field) =>
  storedLooks(field.slug).then((looks) => new Set(looks.map(({ cell }) => cell)).size);

/** What the page has in its outbox. */
const keptLooks = (page: Page) =>
  page.evaluate(
    () =>
      new Promise<Kept[]>((resolve) => {
        const opened = indexedDB.open("spotter");
        opened.onsuccess = () => {
          const all = opened.result.transaction("looks").objectStore("looks").getAll();
          all.onsuccess = () => {
            opened.result.close();
            resolve(all.result);
          };
        };
      }),
  );

describe.skipIf(!hasServer)("squares taken along", () => {
  test.each(["desktop", "phone"] as Device[])(
    "a day away on a %s: all is stored once, and late looks are told",
    async (device) => {
      const field = await openCampaign(9);
      const visitor = await Visitor.come(device);
      const { page } = visitor;
      await visitor.open(field);
      await openPacks(page);
      await page
        .getByText(/about \d/)
        .first()
        .waitFor();
      await inspect(page, "packs-choice", device);
      await closeDialog(page);
      const along = await takeAlong(visitor);
      expect(along).toBeGreaterThan(3);
      await openPacks(page);
      await inspect(page, "packs-here", device);
      await closeDialog(page);

      await goAway(visitor);
      await page.reload();
      await visitor.ready();
      const [answered, tagged] = [8, 2];
      for (let i = 0; i < answered; i++) {
        await visitor.ready();
        if (i < tagged) await tagOnce(visitor, device, 0.5, 0.4);
        await page.locator("#finish").click();
        await page.locator("#top .sub", { hasText: `You ${i + 1} look` }).waitFor({ state: "attached" });
        if (i === 3) await page.reload();
      }
      await page
        .getByText(/No network/)
        .first()
        .waitFor();
      await inspect(page, "packs-offline", device);
      expect(await visitor.unsent()).toBe(answered);
      expect(await storedLooks(field.slug)).toEqual([]);

      await comeBack(visitor);
      await until("nothing waits any more", async () => (await visitor.unsent()) === 0);
      expect(await storedLooks(field.slug)).toHaveLength(answered);
      expect(await packedSquares(field)).toBe(answered);
      expect(await tagsOf(field.slug)).toHaveLength(tagged);
      expect(visitor.between.requests(PUSHING).length).toBeGreaterThan(0);
      await openPacks(page);
      await page.getByText(/looks? (was|were) needed and counts?/).waitFor();
      await inspect(page, "packs-told", device);
    },
  );

  test("looks that came after their square had enough are kept, and the volunteer is told", async () => {
    const field = await openCampaign(5);
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await visitor.open(field);
    await takeAlong(visitor);
    await goAway(visitor);
    await page.reload();
    // Those that were ahead come first.
    const cell = await until("a look at a square that was taken along", async () => {
      await visitor.finishEmpty();
      return (await keptLooks(page)).find(({ pack }) => pack)?.look.cell;
    });
    await (await Other.come(field.slug)).look(cell, "nothing");
    await comeBack(visitor);
    await page.getByText("1 look came late").first().waitFor();
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByRole("button", { name: /^My looks/ }).click();
    await page.getByText("Saved, one more than needed").waitFor();
    await inspect(page, "packs-late", "desktop");
    const looks = await storedLooks(field.slug);
    expect(looks.length - (await packedSquares(field))).toBe(1);
  });

  test("a lost answer reserves nothing twice, and a reload goes on where it was", async () => {
    const field = await openCampaign(8);
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await visitor.open(field);
    const lost = visitor.between.rule(PACKING, { kind: "lose" });
    await openPacks(page);
    await page.getByRole("button", { name: /^Take 50 squares along/ }).click();
    await page.getByText("Waiting for the network").waitFor();
    await page.reload();
    await until("it was tried again", async () => lost.hits > 1);
    lost.end();
    await page.reload();
    await visitor.ready();
    await openPacks(page);
    await page.getByRole("button", { name: "Remove from this device" }).waitFor();
    const ids = visitor.between.requests(PACKING).map(({ body }) => JSON.parse(body).id as string);
    expect(new Set(ids).size).toBe(1);
  });

  test("what is taken off the device is gone, and others get the squares", async () => {
    const field = await openCampaign(5);
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await visitor.open(field);
    await takeAlong(visitor);
    const other = await Other.come(field.slug);
    expect((await other.take(10)).length).toBeLessThan(3);
    await openPacks(page);
    await page.getByRole("button", { name: "Remove from this device" }).click();
    await page.getByRole("radio", { name: /^20 squares/ }).waitFor();
    await until("the images are gone", () =>
      page.evaluate(async () => !(await caches.keys()).includes("spotter-tiles")),
    );
    const freed = new Set<string>();
    await until("others get them", async () => {
      for (const cell of await (await Other.come(field.slug)).take(10)) freed.add(cell);
      return freed.size >= 2;
    });
  });

  test("while a search is paused a device that is away goes on, and its looks are taken", async () => {
    const field = await openCampaign(6);
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await visitor.open(field);
    await takeAlong(visitor);
    await goAway(visitor);
    await page.reload();
    await visitor.finishEmpty();
    await api(`/v1/campaigns/${field.slug}/pause`, "POST", {});
    await visitor.finishEmpty();
    await comeBack(visitor);
    await until("nothing waits any more", async () => (await visitor.unsent()) === 0);
    expect(await storedLooks(field.slug)).toHaveLength(2);
  });
});
