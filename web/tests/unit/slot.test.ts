import { expect, test } from "vitest";
import type { Assignment } from "../../src/shared/contract.ts";
import { EMPTY } from "../../src/volunteer/draft.ts";
import { type KeptSquare, stillGood } from "../../src/volunteer/slot.ts";
import { merged } from "../../src/volunteer/slots.ts";

const NOW = Date.parse("2026-11-23T08:00:00Z");

const assignment = (cell: string, minutes: number): Assignment => ({
  cell,
  bbox: [0, 0, 1, 1],
  lease_expires_at: new Date(NOW + minutes * 60_000).toISOString(),
  reason: "new",
  campaign_version: 1,
});

const square = (minutes: number, hasTag = false, cell = "17/1/1"): KeptSquare => ({
  assignment: assignment(cell, minutes),
  look_id: "a",
  started_at: null,
  number: 1,
  draft: hasTag ? { tags: [{ id: "t", type: "x", kind: "Point", points: [[0, 0]], note: "" }], drawing: null } : EMPTY,
});

test("squares are gone on with while their lease lasts", () => {
  const [now, later, over] = [square(10), square(10, false, "17/1/2"), square(0.1, false, "17/1/3")];
  expect(stillGood([now, later, over], NOW)).toEqual([now, later]);
});

test("a square with tags is never dropped, even after its lease", () => {
  const kept = [square(-60, true)];
  expect(stillGood(kept, NOW)).toEqual(kept);
});

test("of tabs that are gone each square comes once, and those with tags come first", () => {
  const [mine, tagged, twice] = [square(5), square(5, true, "17/1/2"), square(5)];
  expect(merged([[mine], [twice, tagged]])).toEqual([tagged, mine]);
});
