import { expect, test } from "vitest";
import { colourStep } from "../../src/organiser/live/ramp.ts";

test("only a cell with all its looks has the colour of done", () => {
  expect([0, 1, 2, 3, 4, 5, 6].map((looks) => colourStep(looks, 5))).toEqual([0, 1, 2, 3, 4, 5, 5]);
  expect(colourStep(2.9, 3)).toBe(4);
});

test("a cell that somebody looked at never has the colour of untouched", () => {
  expect(colourStep(0.1, 20)).toBe(1);
});
