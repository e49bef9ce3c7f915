import { describe, expect, test } from "vitest";
import type { Prefetch } from "../../src/shared/contract.ts";
import { inspect } from "./checks.ts";
import { api, type Field, hasServer, KEY, openCampaign, until } from "./server.ts";
import { Source } from "./source.ts";
import { Visitor } from "./visitor.ts";

/** The demo draws its tiles while they are asked for. */
const SLOW_MS = 60_000;

const live = (field: Field) => `/organise/${field.slug}#key=${KEY}`;
const stateOf = (field: Field) => api<Prefetch>(`/v1/campaigns/${field.slug}/prefetch`);

describe.skipIf(!hasServer)("fetching ahead", () => {
  test("it is started, shows how far it is, waits for a source that fails, stops and goes on", async () => {
    const source = await Source.open();
    const field = await openCampaign(1, { layer: source.layer });
    source.fail();
    const visitor = await Visitor.come("desktop");
    const { page } = visitor;
    await visitor.go(live(field));
    const card = page.locator(".prefetch");
    await card.getByText(/tiles at the zooms/).waitFor();
    await inspect(page, "prefetch-before");
    await card.getByRole("button", { name: "Fetch ahead" }).click();
    await card.getByText("The source fails").waitFor();
    expect(await card.getByRole("status").textContent()).toBe("Waiting");
    await inspect(page, "prefetch-waiting");
    await card.getByRole("button", { name: "Stop" }).click();
    await card.getByText("Stopped").waitFor();
    source.recover();
    await card.getByRole("button", { name: "Go on" }).click();
    await card.getByText("Done").waitFor({ timeout: SLOW_MS });
    const { tiles, done, failed } = await stateOf(field);
    expect([done, failed]).toEqual([tiles, 0]);
    await inspect(page, "prefetch-done");
    await source.close();
  });

  test("what could not be had is listed, in German too", async () => {
    const source = await Source.open();
    // Fewer tiles than it takes to blame the source.
    const field = await openCampaign(1, { layer: source.layer });
    source.fail(403);
    const path = `/v1/campaigns/${field.slug}/prefetch`;
    await api(path, "POST", { zooms: [17, 18] });
    await until("it is done", async () => (await stateOf(field)).state === "done");
    const visitor = await Visitor.come("phone", { locale: "de-DE" });
    const { page } = visitor;
    await visitor.go(live(field));
    const card = page.locator(".prefetch");
    await card.getByText(/fehlgeschlagen/).waitFor();
    await card.getByText("Kacheln, die nicht zu bekommen waren").click();
    const { failed } = await stateOf(field);
    expect(failed).toBeGreaterThan(0);
    expect(await card.locator(".nothad li").count()).toBe(failed);
    await inspect(page, "prefetch-failed-de");
    source.recover();
    await card.getByRole("button", { name: "Diese noch einmal versuchen" }).click();
    // Some of them the map may have had by now.
    await until("all came", async () => {
      const { fetched, kept, state } = await stateOf(field);
      return state === "done" && fetched + kept === failed;
    });
    await source.close();
  });
});
