import { describe, expect, test } from "vitest";
import { BUSY } from "./between.ts";
import { inspect } from "./checks.ts";
import { api, hasServer, Other, openCampaign, storedLooks, until } from "./server.ts";
import { Source } from "./source.ts";
import { Visitor } from "./visitor.ts";

const SENDING = /^POST .*\/looks\/batch/;
const DEALING = /^POST .*\/assignments/;
const MINUTE = 60_000;

describe.skipIf(!hasServer)("what the page says when it cannot go on, or not yet", () => {
  test("slow tiles: it says so, and the square cannot be judged before all are drawn", async () => {
    const source = await Source.open();
    const known = await openCampaign(1, { layer: source.layer });
    const field = await openCampaign(3, { layer: source.layer });
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await visitor.open(known);
    source.hold();
    await visitor.go(`/s/${field.slug}`);
    await page.locator(".veil .btn.primary").click();
    await page.getByText("Loading the image…").waitFor();
    expect(await page.locator("#finish").isDisabled()).toBe(true);
    await inspect(page, "loading");
    source.recover();
    await visitor.ready();
    await page.getByText("Loading the image…").waitFor({ state: "detached" });
    await source.close();
  });

  test("tiles that fail: it asks not to judge, offers another square, and goes on when they come", async () => {
    const source = await Source.open();
    const field = await openCampaign(3, { layer: source.layer });
    // Elsewhere: the server keeps the tiles that it got once.
    const second = await openCampaign(3, { layer: source.layer });
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    source.fail();
    await visitor.go(`/s/${field.slug}`);
    await page.locator(".veil .btn.primary").click();
    const card = page.getByRole("alertdialog", { name: "Part of this image did not load" });
    await card.waitFor();
    expect(source.refused).toBeGreaterThan(0);
    expect(await page.locator("#finish").isDisabled()).toBe(true);
    await inspect(page, "error");
    source.recover();
    await source.answers();
    await card.getByRole("button", { name: "Try again" }).click();
    await visitor.ready();
    source.fail();
    await visitor.go(`/s/${second.slug}`);
    await page.locator(".veil .btn.primary").click();
    await card.waitFor();
    source.recover();
    await source.answers();
    await card.getByRole("button", { name: "Give me another square" }).click();
    await visitor.ready();
    await until("the skip is stored", async () => (await storedLooks(second.slug))[0]?.outcome === "skipped");
    await source.close();
  });

  test("a slow answer: nothing for a second, then how many looks are being saved", async () => {
    const field = await openCampaign(4);
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await visitor.open(field);
    const hold = visitor.between.rule(SENDING, { kind: "hold" });
    await visitor.finishEmpty();
    await visitor.finishEmpty();
    await until("a look is on its way", async () => hold.hits > 0);
    expect(await page.getByText("Saving 1 look…").count()).toBe(0);
    await page.getByText("Saving 1 look…").waitFor();
    await visitor.ready();
    await inspect(page, "sending");
    hold.end();
    await page.getByText("All saved").waitFor({ timeout: 15_000 });
  });

  test("server busy with squares left: the pill counts, and the looks go out after Retry-After", async () => {
    const field = await openCampaign(5);
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await visitor.open(field);
    const busy = visitor.between.rule(SENDING, BUSY(12));
    await visitor.finishEmpty();
    await visitor.finishEmpty();
    await page.getByText(/Very busy\. \d looks? kept here, sending in 1\d s/).waitFor();
    await visitor.ready();
    await inspect(page, "queued");
    busy.end();
    await until("they are stored", async () => (await storedLooks(field.slug)).length === 2);
    const times = visitor.between.requests(SENDING).map(({ at }) => at);
    const pauses = times.slice(1).map((at, i) => at - times[i]!);
    expect(pauses.filter((pause) => pause < 12_000)).toEqual([]);
    await page.getByText("All saved").waitFor();
  });

  test("server busy without squares: the card counts down from Retry-After and goes on by itself", async () => {
    const field = await openCampaign(5);
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await page.clock.install();
    await visitor.open(field);
    const busy = visitor.between.rule(/^POST .*\/(looks\/batch|assignments)/, BUSY(40));
    const card = page.getByRole("alertdialog", { name: "Very many people are helping right now" });
    await visitor.finishEmptyUntil(card);
    await card.getByText(/Your \d unsent looks are safe on this device/).waitFor();
    const seconds = Number.parseInt((await card.locator(".ring b").textContent())!, 10);
    expect(seconds).toBeGreaterThan(30);
    expect(seconds).toBeLessThanOrEqual(60);
    await inspect(page, "busy");
    busy.end();
    await page.clock.fastForward(MINUTE);
    await visitor.ready();
    await until("nothing waits any more", async () => (await visitor.unsent()) === 0);
  });

  test("without a network: looks are kept and counted; with no square left a card waits and goes on by itself", async () => {
    const field = await openCampaign(6);
    const visitor = await Visitor.come("phone");
    const { page } = visitor;
    await visitor.open(field);
    await page.waitForLoadState("networkidle");
    await visitor.context.setOffline(true);
    await visitor.finishEmpty();
    await page.getByText("No network. 1 look is kept on this device").waitFor();
    await visitor.ready();
    await inspect(page, "offline");
    const card = page.getByRole("alertdialog", { name: "You have looked at everything that was loaded" });
    await visitor.finishEmptyUntil(card);
    const kept = await visitor.unsent();
    expect(kept).toBeGreaterThan(1);
    await card.getByText(`Your ${kept} looks are kept on this device`).waitFor();
    expect(await page.locator("#finish").isDisabled()).toBe(true);
    await inspect(page, "offline-empty");
    await visitor.context.setOffline(false);
    await card.waitFor({ state: "detached" });
    await visitor.ready();
    await until("all are stored", async () => (await storedLooks(field.slug)).length === kept);
  });

  test("paused: the organiser's message shows, and the page goes on when the search opens again", async () => {
    const field = await openCampaign(3);
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await page.clock.install();
    await api(`/v1/campaigns/${field.slug}/pause`, "POST", { message: "Pictures from this morning arrive at 16:00." });
    await visitor.go(`/s/${field.slug}`);
    const card = page.getByRole("alertdialog", { name: "The organisers have paused this search" });
    await card.getByText("Pictures from this morning arrive at 16:00.").waitFor();
    await inspect(page, "paused");
    await api(`/v1/campaigns/${field.slug}/resume`, "POST");
    const before = visitor.between.requests(DEALING).length;
    await page.clock.fastForward(1.5 * MINUTE);
    await card.waitFor({ state: "detached" });
    expect(visitor.between.requests(DEALING).length).toBeGreaterThan(before);
    await page.locator(".veil .btn.primary").click();
    await visitor.ready();
  });

  test("closed in the middle of a visit: it says so, and the last look is still stored", async () => {
    const field = await openCampaign(3);
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await visitor.open(field);
    await page.waitForLoadState("networkidle");
    await api(`/v1/campaigns/${field.slug}/close`, "POST");
    const card = page.getByRole("alertdialog", { name: "This search is closed" });
    const looks = await visitor.finishEmptyUntil(card);
    await inspect(page, "closed");
    await until("all are stored", async () => (await storedLooks(field.slug)).length === looks);
  });

  test("others hold the last square: the card says so", async () => {
    const field = await openCampaign(1);
    const other = await Other.come(field.slug);
    expect(await other.take(1)).toEqual(field.cells);
    const visitor = await Visitor.come("desktop");
    await visitor.go(`/s/${field.slug}`);
    await visitor.page.getByRole("alertdialog", { name: "Others are looking at the last squares" }).waitFor();
    await inspect(visitor.page, "held");
  });

  test("nothing left for this volunteer, though the search goes on: thanks, and own numbers", async () => {
    const field = await openCampaign(2, { looksWanted: 2 });
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await visitor.open(field);
    await visitor.finishEmpty();
    await visitor.finishEmpty();
    const card = page.getByRole("alertdialog", { name: "Thank you. Nothing is left for you to look at" });
    await card.waitFor();
    expect(await card.locator("dd").first().textContent()).toBe("2");
    await inspect(page, "done");
    await until("both are stored", async () => (await storedLooks(field.slug)).length === 2);
  });

  test("an address without a search, and a search that is not published", async () => {
    const visitor = await Visitor.come("phone");
    await visitor.go("/s/no-such-search");
    await visitor.page.getByRole("alertdialog", { name: "There is no search at this address" }).waitFor();
    await inspect(visitor.page, "missing");
  });

  test("a server error: it names the request, and goes on by itself", async () => {
    const field = await openCampaign(2);
    const visitor = await Visitor.come("desktop");
    const body = { code: "internal", title: "Error", detail: "Something broke.", request_id: "01932b3a7c007000" };
    const broken = visitor.between.rule(DEALING, { kind: "answer", status: 500, body });
    await visitor.go(`/s/${field.slug}`);
    const card = visitor.page.getByRole("alertdialog", { name: "The next square did not come" });
    await card.getByText("01932b3a7c007000").waitFor();
    await inspect(visitor.page, "trouble");
    broken.end();
    await card.waitFor({ state: "detached" });
    await visitor.page.locator(".veil .btn.primary").click();
    await visitor.ready();
  });
});
