import "fake-indexeddb/auto";
import { expect, test } from "vitest";
import type { Campaign } from "../../src/shared/contract.ts";
import { Outbox } from "../../src/volunteer/outbox.ts";
import { dealer, sink } from "../../src/volunteer/try-out.ts";

const campaign = { version: 3 } as Campaign;

test("the cells come in order, and again from the first", async () => {
  const deal = dealer({ campaign, cells: ["17/1/1", "17/1/2", "17/1/3"] });
  const cells = async (count: number) => (await deal(count)).assignments.map(({ cell }) => cell);
  expect(await cells(2)).toEqual(["17/1/1", "17/1/2"]);
  expect(await cells(2)).toEqual(["17/1/3", "17/1/1"]);
});

test("without cells there is nothing to look at", async () => {
  expect(await dealer({ campaign, cells: [] })(3)).toMatchObject({ assignments: [], exhausted: true });
});

test("finished looks go nowhere", async () => {
  const outbox = new Outbox(null);
  const at = new Date().toISOString();
  const look = { id: "a", cell: "17/1/1", outcome: "nothing" as const, started_at: at, finished_at: at, tags: [] };
  await outbox.keep({ id: "a", campaign: "demo", look, due: 0 });
  let settled = 0;
  await sink(outbox, { onState: () => {}, onSettled: () => settled++ }).kick();
  expect(await outbox.all()).toEqual([]);
  expect(settled).toBe(1);
});
