import "fake-indexeddb/auto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { uuid7 } from "../../src/shared/uuid7.ts";
import { Outbox } from "../../src/volunteer/outbox.ts";
import { Previous, UNDO_MS } from "../../src/volunteer/previous.ts";
import type { Square } from "../../src/volunteer/square.ts";

let outbox: Outbox;
let gone: number;
let previous: Previous;

async function finish(): Promise<Square> {
  const id = uuid7();
  const at = new Date().toISOString();
  const look = { id, cell: "17/1/1", outcome: "nothing" as const, started_at: at, finished_at: at, tags: [] };
  await outbox.keep({ id, campaign: "demo", look, due: Date.now() + UNDO_MS });
  const square = { lookId: id } as Square;
  previous.hold({ square, outcome: "nothing" });
  return square;
}

beforeEach(async () => {
  outbox = await Outbox.open(uuid7());
  gone = 0;
  previous = new Previous(outbox, () => gone++);
});
afterEach(() => vi.useRealTimers());

test("a finished look can be taken back, once", async () => {
  const square = await finish();
  expect(previous.isHere).toBe(true);
  expect(await previous.takeBack()).toMatchObject({ square, outcome: "nothing" });
  expect(await outbox.all()).toEqual([]);
  expect(await previous.takeBack()).toBeNull();
  expect(gone).toBe(0);
});

test("let go, it may be sent and is not taken back any more", async () => {
  await finish();
  await previous.letGo();
  expect(gone).toBe(1);
  expect(previous.isHere).toBe(false);
  expect(await outbox.due(50)).toHaveLength(1);
  expect(await previous.takeBack()).toBeNull();
});

test("it lets go by itself", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  await finish();
  await vi.advanceTimersByTimeAsync(UNDO_MS);
  expect(previous.isHere).toBe(false);
});
