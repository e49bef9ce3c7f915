import { describe, expect, test } from "vitest";
import { BUSY } from "./between.ts";
import { type Field, hasServer, openCampaign, storedLooks, until } from "./server.ts";
import { Visitor } from "./visitor.ts";

const SENDING = /^POST .*\/looks\/batch/;

/** Every finished look is stored once: none is lost, none doubled. */
async function expectStored(field: Field, visitor: Visitor, count: number): Promise<void> {
  await until("nothing waits any more", async () => (await visitor.unsent()) === 0);
  const looks = await until("the looks are stored", async () => {
    const found = await storedLooks(field.slug);
    return found.length >= count && found;
  });
  expect(looks).toHaveLength(count);
  expect(new Set(looks.map(({ cell }) => cell)).size).toBe(count);
}

describe.skipIf(!hasServer)("keeping looks", () => {
  test("a look that was not sent survives a reload and is stored once", async () => {
    const field = await openCampaign(3);
    const visitor = await Visitor.come("desktop");
    await visitor.open(field);
    const cut = visitor.between.rule(SENDING, { kind: "cut" });
    await visitor.finishEmpty();
    await visitor.page.reload();
    await visitor.ready();
    expect(await visitor.unsent()).toBe(1);
    expect(await storedLooks(field.slug)).toEqual([]);
    cut.end();
    await visitor.page.reload();
    await expectStored(field, visitor, 1);
  });

  test("a crash while a look is on its way loses and doubles nothing", async () => {
    const field = await openCampaign(4);
    const visitor = await Visitor.come("desktop");
    await visitor.open(field);
    const hold = visitor.between.rule(SENDING, { kind: "hold" });
    await visitor.finishEmpty();
    await visitor.finishEmpty();
    await until("the first look is on its way", async () => hold.hits > 0);
    await visitor.crash();
    // The request that the page never heard of again still reaches the server.
    hold.end();
    await until("it is stored", async () => (await storedLooks(field.slug)).length === 1);
    const page = await visitor.newTab();
    await visitor.go(`/s/${field.slug}`, page);
    await visitor.ready(page);
    await until("both are stored", async () => (await storedLooks(field.slug)).length === 2);
    await until("nothing waits any more", async () => (await visitor.unsent(page)) === 0);
    expect(await storedLooks(field.slug)).toHaveLength(2);
  });

  test("an answer that is lost after the server stored the look does not double it", async () => {
    const field = await openCampaign(3);
    const visitor = await Visitor.come("desktop");
    await visitor.open(field);
    const lost = visitor.between.rule(SENDING, { kind: "lose" });
    await visitor.finishEmpty();
    await visitor.finishEmpty();
    await until("the first look is stored", async () => (await storedLooks(field.slug)).length === 1);
    expect(await visitor.unsent()).toBeGreaterThan(0);
    lost.end();
    await expectStored(field, visitor, 2);
    expect(visitor.between.requests(SENDING).length).toBeGreaterThan(1);
  });

  test("leaving right after a look sends it with the last request of the page", async () => {
    const field = await openCampaign(3);
    const visitor = await Visitor.come("desktop");
    await visitor.open(field);
    await visitor.finishEmpty();
    await visitor.page.goto("about:blank");
    await until("the look is stored", async () => (await storedLooks(field.slug)).length === 1);
  });

  test("looks made while the server is stopped are stored once when it is back", async () => {
    const field = await openCampaign(6);
    const visitor = await Visitor.come("desktop");
    await visitor.open(field);
    await until("squares are ahead", async () => visitor.between.requests(/^POST .*\/assignments/).length > 0);
    await visitor.between.quiet(/imagery|maplibre/);
    await visitor.between.stop();
    await visitor.finishEmpty();
    await visitor.finishEmpty();
    await visitor.page.getByText(/No network\. \d looks? (is|are) kept on this device/).waitFor();
    await visitor.between.start();
    await visitor.page.evaluate(() => dispatchEvent(new Event("online")));
    await expectStored(field, visitor, 2);
  });

  test("a refused token is replaced in silence, and the kept look is sent under the new one", async () => {
    const field = await openCampaign(3);
    const visitor = await Visitor.come("desktop");
    await visitor.open(field);
    const cut = visitor.between.rule(SENDING, { kind: "cut" });
    await visitor.finishEmpty();
    await visitor.page.evaluate(() =>
      localStorage.setItem("spotter.volunteer", JSON.stringify({ volunteer_id: "nobody", token: "refused" })),
    );
    cut.end();
    await visitor.page.reload();
    await expectStored(field, visitor, 1);
    await visitor.ready();
    expect(await visitor.page.evaluate(() => localStorage.getItem("spotter.volunteer"))).not.toContain("refused");
    expect(await visitor.page.locator("[role=alertdialog], .pill.bad").count()).toBe(0);
  });

  test("two tabs work side by side and send each look once", async () => {
    const field = await openCampaign(6);
    const visitor = await Visitor.come("desktop");
    await visitor.open(field);
    const second = await visitor.newTab();
    await visitor.go(`/s/${field.slug}`, second);
    await visitor.ready(second);
    const busy = visitor.between.rule(SENDING, BUSY(1));
    await second.keyboard.press("Space");
    await second.getByText("You: 1 look").waitFor();
    await visitor.page.bringToFront();
    await visitor.finishEmpty();
    await until("both tabs know of both looks", async () => {
      const counts = await Promise.all([visitor.unsent(), visitor.unsent(second)]);
      return counts.every((count) => count === 2);
    });
    busy.end();
    await until("both are stored", async () => (await storedLooks(field.slug)).length >= 2);
    await until("no tab keeps one", async () => (await visitor.unsent()) === 0 && (await visitor.unsent(second)) === 0);
    const sent = visitor.between.requests(SENDING).filter(({ status }) => status === 200);
    const ids = sent.flatMap(({ body }) => (JSON.parse(body).looks as { id: string }[]).map(({ id }) => id));
    expect(ids).toHaveLength(2);
    expect(await storedLooks(field.slug)).toHaveLength(2);
    await second.getByText("All saved").waitFor();
  });

  test("a look that the server refuses is said, kept with its reason, and goes when it is dismissed", async () => {
    const field = await openCampaign(3);
    const visitor = await Visitor.come("desktop");
    await visitor.open(field);
    const { page } = visitor;
    const cut = visitor.between.rule(SENDING, { kind: "cut" });
    const spot = await visitor.pointInSquare(0.5, 0.5);
    await page.mouse.click(spot.x, spot.y);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Space");
    await page.getByText("You: 1 look").waitFor();
    // As an old copy of the page would have kept it, from before the tag type was renamed.
    await page.evaluate(async () => {
      const opened = indexedDB.open("spotter");
      await new Promise((resolve) => (opened.onsuccess = resolve));
      const store = opened.result.transaction("looks", "readwrite").objectStore("looks");
      const found = store.getAll();
      await new Promise((resolve) => (found.onsuccess = resolve));
      for (const kept of found.result) {
        kept.look.tags[0].tag_type = "renamed";
        await new Promise((resolve) => (store.put(kept).onsuccess = resolve));
      }
      opened.result.close();
    });
    // The page that goes still has the look as it was, and must not send it.
    await page.reload();
    cut.end();
    await page.reload();
    await page.getByText("1 look could not be saved").first().waitFor();
    await visitor.ready();
    await page.getByRole("button", { name: "Menu" }).click();
    await page.getByText("there is no tag type").waitFor();
    await page.getByRole("button", { name: "Remove from this device" }).click();
    await until("nothing speaks of it", async () => (await page.getByText("1 look could not be saved").count()) === 0);
    expect(await storedLooks(field.slug)).toEqual([]);
  });

  test("undo over the last square takes its look back, and it is stored once with what was added", async () => {
    const field = await openCampaign(2);
    const visitor = await Visitor.come("desktop");
    await visitor.open(field);
    const { page } = visitor;
    await visitor.finishEmpty();
    await page.keyboard.press("z");
    await page.getByText("You: first square").waitFor();
    expect(await visitor.unsent()).toBe(0);
    await visitor.ready();
    const spot = await visitor.pointInSquare(0.4, 0.6);
    await page.mouse.click(spot.x, spot.y);
    await page.keyboard.press("Escape");
    await page.keyboard.press("Space");
    await page.getByText("You: 1 look").waitFor();
    await visitor.finishEmpty();
    await page.getByRole("alertdialog", { name: /Thank you/ }).waitFor();
    await expectStored(field, visitor, 2);
    const looks = await storedLooks(field.slug);
    expect(looks.map(({ outcome, tags }) => `${outcome} ${tags}`).sort()).toEqual(["nothing 0", "tagged 1"]);
  });
});
