import { describe, expect, test } from "vitest";
import { api, type Field, hasServer, openCampaign, sql, until } from "./server.ts";
import { Visitor } from "./visitor.ts";

const SENDING = /^POST .*\/looks\/batch/;
const SIGN_UP = /^POST \/v1\/volunteers$/;

interface Volunteer {
  volunteer_id: string;
  token: string;
}

const volunteerOf = ({ page }: Visitor): Promise<Volunteer> =>
  page.evaluate(() => JSON.parse(localStorage.getItem("spotter.volunteer")!) as Volunteer);

/** As another device of theirs would ask for it. */
async function forget(visitor: Visitor): Promise<Volunteer> {
  const volunteer = await volunteerOf(visitor);
  await api("/v1/volunteers/me?confirm=forget", "DELETE", undefined, volunteer.token);
  return volunteer;
}

/** Whose the stored looks are, one entry for each. */
async function lookers({ slug }: Field): Promise<string[]> {
  const rows = await sql(`
    SELECT l.volunteer_id FROM looks l JOIN campaigns c ON c.id = l.campaign_id WHERE c.slug = '${slug}'`);
  return rows.map(([id]) => id!);
}

/** Nothing waits here any more, and all of it is stored as a new volunteer's. */
async function expectGoneOn(field: Field, visitor: Visitor, before: Volunteer, looks: number): Promise<void> {
  await until("the looks are stored", async () => (await lookers(field)).length >= looks);
  await until("nothing waits any more", async () => (await visitor.unsent()) === 0);
  const now = await volunteerOf(visitor);
  expect(now.volunteer_id).not.toBe(before.volunteer_id);
  expect(await lookers(field)).toEqual(Array(looks).fill(now.volunteer_id));
  expect(await visitor.page.locator("[role=alertdialog], .pill.bad").count()).toBe(0);
}

describe.skipIf(!hasServer)("who was forgotten", () => {
  test("goes on by themselves as somebody new, and what was not sent arrives", async () => {
    const field = await openCampaign(8);
    const visitor = await Visitor.come("desktop");
    await visitor.open(field);
    const cut = visitor.between.rule(SENDING, { kind: "cut" });
    await visitor.finishEmpty();
    const before = await forget(visitor);
    cut.end();
    await visitor.finishEmpty();
    await expectGoneOn(field, visitor, before, 2);
    expect(visitor.between.requests(SIGN_UP)).toHaveLength(1);
    await visitor.ready();
  });

  test("has the next square after a reload, and what was not sent arrives", async () => {
    const field = await openCampaign(8);
    const visitor = await Visitor.come("desktop");
    await visitor.open(field);
    const cut = visitor.between.rule(SENDING, { kind: "cut" });
    await visitor.finishEmpty();
    const before = await forget(visitor);
    await visitor.page.reload();
    cut.end();
    await visitor.finishEmpty();
    await expectGoneOn(field, visitor, before, 2);
  });

  test("finds squares at once in a search that this device has not opened before", async () => {
    const [first, second] = [await openCampaign(3), await openCampaign(3)];
    const visitor = await Visitor.come("desktop");
    await visitor.open(first);
    const before = await forget(visitor);
    await visitor.open(second);
    await visitor.finishEmpty();
    await expectGoneOn(second, visitor, before, 1);
  });
});
