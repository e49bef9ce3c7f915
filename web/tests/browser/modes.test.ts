import { describe, expect, onTestFinished, test } from "vitest";
import { BUSY } from "./between.ts";
import { inspect } from "./checks.ts";
import { api, hasServer, openCampaign, sql, storedLooks, until } from "./server.ts";
import { Visitor } from "./visitor.ts";

const MINUTE = 60_000;

/** How the service is run from now on, until the test ends. */
async function run(mode: string, message: string | null = null): Promise<void> {
  const said = message === null ? "NULL" : `'${message}'`;
  await sql(`UPDATE service_mode SET mode = '${mode}', message = ${said}, changed_at = now()`);
  const isFollowed = async () => (await api<{ mode: string }>("/v1/mode")).mode === mode;
  await until("the server follows", isFollowed);
}

const backToNormal = () => onTestFinished(() => run("normal"));

describe.skipIf(!hasServer)("a server that is overloaded", () => {
  test("is asked once by a page that has just come, and again when it said", async () => {
    const field = await openCampaign(2);
    const visitor = await Visitor.come("desktop");
    const { page, between } = visitor;
    await page.clock.install();
    const first = /^(POST .*\/assignments|GET .*\/v1\/campaigns\/[^/]+\?area=false)/;
    const busy = between.rule(first, BUSY(40));
    await visitor.go(`/s/${field.slug}`);
    await page.getByRole("alertdialog", { name: "Very many people are helping right now" }).waitFor();
    await page.clock.runFor(35_000);
    expect(
      between
        .requests(first)
        .map(({ method }) => method)
        .sort(),
    ).toEqual(["GET", "POST"]);
    busy.end();
    await page.clock.runFor(30_000);
    await page.locator(".veil .btn.primary").click();
    await visitor.ready();
  });
});

describe.skipIf(!hasServer)("while operators have changed how the service is run", () => {
  test("read only: the page says so, goes on with what it has, keeps the looks, and sends them afterwards", async () => {
    const field = await openCampaign(5);
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await page.clock.install();
    await visitor.open(field);
    const spot = await visitor.pointInSquare(0.5, 0.5);
    await page.mouse.click(spot.x, spot.y);
    const done = page.getByRole("button", { name: "Done, 1 tag" });
    await done.waitFor();
    backToNormal();
    await run("read_only", "We are moving to a larger machine.");
    // The square that was open is worth as much as before.
    await done.click();
    // A look waits for its undo first.
    await page.clock.runFor(12_000);
    await page.getByText("Saving is paused. 1 look is kept on this device until it goes on").waitFor();
    await inspect(page, "read-only-pill");
    const card = page.getByRole("alertdialog", { name: "Saving is paused" });
    const looks = 1 + (await visitor.finishEmptyUntil(card));
    await card.getByText("We are moving to a larger machine.").waitFor();
    await inspect(page, "read-only");
    expect(await visitor.unsent()).toBe(looks);
    expect(await storedLooks(field.slug)).toEqual([]);
    await run("normal");
    await page.clock.fastForward(2 * MINUTE);
    await visitor.ready();
    await until("nothing waits any more", async () => (await visitor.unsent()) === 0);
    const stored = await storedLooks(field.slug);
    expect(stored).toHaveLength(looks);
    expect(stored.map(({ tags }) => tags).sort()).toEqual([...Array(looks - 1).fill(0), 1]);
  });

  test("maintenance: whoever comes hears of it, and finds the square and its tag again afterwards", async () => {
    const field = await openCampaign(3);
    const visitor = await Visitor.come("phone");
    const { page } = visitor;
    await visitor.open(field);
    const spot = await visitor.pointInSquare(0.5, 0.5);
    await page.touchscreen.tap(spot.x, spot.y);
    await page.getByRole("button", { name: "Done, 1 tag" }).waitFor();
    backToNormal();
    await run("maintenance", "Back at four.");
    await page.reload();
    await page.getByRole("heading", { name: "We are working on the service" }).waitFor();
    await page.getByText("Back at four.").waitFor();
    await inspect(page, "maintenance-page");
    await run("normal");
    await page.getByRole("link", { name: "Try now" }).click();
    await page.getByRole("button", { name: "Done, 1 tag" }).click();
    await until("the look is stored", async () => (await storedLooks(field.slug))[0]?.tags === 1);
  });

  test("maintenance: a page that is open says so with the operators' words, and goes on by itself", async () => {
    const field = await openCampaign(4);
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await page.clock.install();
    await visitor.open(field);
    backToNormal();
    await run("maintenance", "Back at four.");
    const card = page.getByRole("alertdialog", { name: "The service is being worked on" });
    await visitor.finishEmptyUntil(card);
    await card.getByText("Back at four.").waitFor();
    await inspect(page, "maintenance");
    await run("normal");
    await page.clock.fastForward(2 * MINUTE);
    await until("nothing waits any more", async () => (await visitor.unsent()) === 0);
  });
});
