import { expect, test } from "vitest";
import { uuid7 } from "../../src/shared/uuid7.ts";

test("an id has the form of a UUID of version 7", () => {
  expect(uuid7()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("an id begins with its moment", () => {
  const id = uuid7(0x0193_a1b2_c3d4);
  expect(id.startsWith("0193a1b2-c3d4-7")).toBe(true);
});

test("later ids sort after earlier ones, and no two are the same", () => {
  const ids = Array.from({ length: 500 }, (_, i) => uuid7(1_790_000_000_000 + i));
  expect([...ids].sort()).toEqual(ids);
  expect(new Set(Array.from({ length: 2000 }, () => uuid7(5)).values()).size).toBe(2000);
});
