import "fake-indexeddb/auto";
import { beforeEach, describe, expect, test } from "vitest";
import type { NewLook } from "../../src/shared/contract.ts";
import { uuid7 } from "../../src/shared/uuid7.ts";
import { type Kept, Outbox } from "../../src/volunteer/outbox.ts";

let name = "";
let outbox: Outbox;

function look(minute: number): NewLook {
  const at = `2026-11-23T07:${String(minute).padStart(2, "0")}:00.000Z`;
  return {
    id: uuid7(),
    cell: `17/1/${minute}`,
    outcome: "nothing",
    started_at: at,
    finished_at: at,
    campaign_version: 1,
    tags: [],
  };
}

function record(minute: number, part: Partial<Kept> = {}): Kept {
  const made = look(minute);
  return { id: made.id, campaign: "demo", look: made, due: 0, ...part };
}

beforeEach(async () => {
  name = `test-${uuid7()}`;
  outbox = await Outbox.open(name);
});

describe("keeping", () => {
  test("a look outlives the page", async () => {
    const kept = record(1);
    await outbox.keep(kept);
    const later = await Outbox.open(name);
    expect(await later.all()).toEqual([kept]);
  });

  test("a look leaves when the server has it", async () => {
    const kept = record(1);
    await outbox.keep(kept);
    await outbox.acknowledge(kept.id);
    expect((await outbox.counts()).waiting).toBe(0);
  });

  test("a refused look stays until it is dismissed, and is not sent again", async () => {
    const kept = record(1);
    await outbox.keep(kept);
    await outbox.refuse(kept.id, { why: "unknown cell" });
    expect(await outbox.due(50)).toEqual([]);
    const counts = await outbox.counts();
    expect(counts.waiting).toBe(0);
    expect(counts.refused[0]!.refused).toEqual({ why: "unknown cell" });
  });

  test("what the device cannot store stays in this tab, and is counted as such", async () => {
    const unclonable = record(1);
    (unclonable as unknown as { extra: () => void }).extra = () => {};
    await outbox.keep(unclonable);
    expect((await outbox.counts()).only_here).toBe(1);
    expect(await outbox.due(50)).toHaveLength(1);
    await outbox.acknowledge(unclonable.id);
    expect(await outbox.all()).toEqual([]);
  });
});

test("when there is room again, what was only in this tab is stored too", async () => {
  const put = IDBObjectStore.prototype.put;
  IDBObjectStore.prototype.put = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  const early = record(1);
  await outbox.keep(early);
  expect((await outbox.counts()).only_here).toBe(1);
  IDBObjectStore.prototype.put = put;
  await outbox.keep(record(2));
  expect((await outbox.counts()).only_here).toBe(0);
  expect(await (await Outbox.open(name)).all()).toHaveLength(2);
});

describe("sending", () => {
  test("the oldest go first, however they came in", async () => {
    const records = [record(3), record(1), record(2)];
    for (const kept of records) await outbox.keep(kept);
    expect((await outbox.due(2)).map((kept) => kept.look.cell)).toEqual(["17/1/1", "17/1/2"]);
  });

  test("one batch holds looks of one campaign", async () => {
    await outbox.keep(record(1));
    await outbox.keep(record(2, { campaign: "other" }));
    expect(await outbox.due(50)).toHaveLength(1);
  });

  test("a look waits for its undo, and goes when it is released", async () => {
    const kept = record(1, { due: Date.now() + 60_000 });
    await outbox.keep(kept);
    expect(await outbox.due(50)).toEqual([]);
    expect(await outbox.nextDue()).toBe(kept.due);
    await outbox.release(kept.id);
    expect(await outbox.due(50)).toHaveLength(1);
  });
});

describe("taking back", () => {
  test("works while the look waits", async () => {
    const kept = record(1, { due: Date.now() + 60_000 });
    await outbox.keep(kept);
    expect(await outbox.takeBack(kept.id)).toBe(true);
    expect(await outbox.all()).toEqual([]);
  });

  test("is too late once the look may have been sent", async () => {
    const kept = record(1, { due: Date.now() - 1 });
    await outbox.keep(kept);
    expect(await outbox.takeBack(kept.id)).toBe(false);
    expect(await outbox.all()).toHaveLength(1);
    expect(await outbox.takeBack("unknown")).toBe(false);
  });
});
