import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import { uuid7 } from "../../src/shared/uuid7.ts";
import { openDatabase } from "../../src/volunteer/database.ts";
import { type Logged, LookLog } from "../../src/volunteer/looklog.ts";

const look = (minute: number, campaign = "demo"): Logged => ({
  id: uuid7(Date.UTC(2026, 10, 23, 7, minute)),
  campaign,
  cell: `17/1/${minute}`,
  outcome: "nothing",
  tags: 0,
  at: new Date(Date.UTC(2026, 10, 23, 7, minute)).toISOString(),
});

const cells = async (log: LookLog, campaign = "demo") => (await log.of(campaign)).map(({ cell }) => cell);

test("the newest look comes first, each campaign by itself", async () => {
  const log = new LookLog(await openDatabase(uuid7()));
  for (const one of [look(1), look(3), look(2), look(4, "other")]) await log.add(one);
  expect(await cells(log)).toEqual(["17/1/3", "17/1/2", "17/1/1"]);
  expect(await cells(log, "other")).toEqual(["17/1/4"]);
});

test("what is taken back is not listed", async () => {
  const log = new LookLog(await openDatabase(uuid7()));
  const one = look(1);
  await log.add(one);
  await log.remove(one.id);
  expect(await cells(log)).toEqual([]);
});

test("it stays bounded, and forgets the oldest", async () => {
  const log = new LookLog(await openDatabase(uuid7()), 20);
  for (let i = 0; i < 101; i++) await log.add(look(i));
  const kept = await cells(log);
  expect(kept).toHaveLength(20);
  expect(kept[0]).toBe("17/1/100");
});

test("where nothing can be stored it lasts as long as the tab", async () => {
  const log = new LookLog(null, 2);
  for (let i = 0; i < 3; i++) await log.add(look(i));
  expect(await cells(log)).toEqual(["17/1/2", "17/1/1"]);
});

test("how a look was stored is noted once, and only of looks that are listed", async () => {
  const log = new LookLog(await openDatabase(uuid7()));
  const [one, other] = [look(1), look(2)];
  for (const listed of [one, other]) await log.add(listed);
  const standings = new Map([one, look(3)].map(({ id }) => [id, "extra"] as const));
  expect(await log.note(standings)).toEqual([one.id]);
  expect(await log.note(standings)).toEqual([]);
  expect((await log.of("demo")).map(({ standing }) => standing)).toEqual([undefined, "extra"]);
});
