import { expect, test } from "vitest";
import { wantedAhead } from "../../src/volunteer/ahead.ts";

test("two squares ahead, one to save data, ten after the network was lost once", () => {
  expect(wantedAhead(false, false)).toBe(2);
  expect(wantedAhead(false, true)).toBe(1);
  expect(wantedAhead(true, false)).toBe(10);
  expect(wantedAhead(true, true)).toBe(10);
});
