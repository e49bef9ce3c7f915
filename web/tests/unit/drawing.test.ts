import { expect, test, vi } from "vitest";
import type { LonLat } from "../../src/shared/contract.ts";
import type { Drawing } from "../../src/volunteer/draft.ts";

// The module reaches the page's state; what is tested here does not.
vi.stubGlobal("matchMedia", () => ({ matches: false }));
const { tapOn, canEnd } = await import("../../src/volunteer/drawing.ts");

const line = (...points: LonLat[]): Drawing => ({ type: "track", kind: "LineString", points });
const area = (...points: LonLat[]): Drawing => ({ type: "scar", kind: "Polygon", points });
const at = (place: LonLat) => (point: LonLat) => point[0] === place[0] && point[1] === place[1];
const nowhere = () => false;

test("a tap adds a point", () => {
  expect(tapOn(line(), [0, 0], nowhere)).toEqual({ kind: "add", points: [[0, 0]] });
  expect(tapOn(line([0, 0]), [1, 0], nowhere)).toEqual({
    kind: "add",
    points: [
      [0, 0],
      [1, 0],
    ],
  });
});

test("a tap on the last point ends a line, on the first one it does not", () => {
  const drawing = line([0, 0], [1, 0], [1, 1]);
  expect(tapOn(drawing, [1, 1], at([1, 1])).kind).toBe("end");
  expect(tapOn(drawing, [0, 0], at([0, 0])).kind).toBe("add");
});

test("a tap on the first or last point ends an outline", () => {
  const drawing = area([0, 0], [1, 0], [1, 1]);
  expect(tapOn(drawing, [0, 0], at([0, 0])).kind).toBe("end");
  expect(tapOn(drawing, [1, 1], at([1, 1])).kind).toBe("end");
});

test("too few points end nothing, and a double tap is not two points", () => {
  expect(tapOn(line([0, 0]), [0, 0], at([0, 0])).kind).toBe("too_few");
  expect(tapOn(area([0, 0], [1, 0]), [0, 0], at([0, 0])).kind).toBe("too_few");
  expect(canEnd(line([0, 0]))).toBe(false);
  expect(canEnd(line([0, 0], [1, 0]))).toBe(true);
  expect(canEnd(null)).toBe(false);
});

test("an outline that would cross itself takes no such point, nor ends across itself", () => {
  const drawing = area([0, 0], [2, 0], [2, 2]);
  expect(tapOn(drawing, [1, -1], nowhere).kind).toBe("crossing");
  const hooked = area([0, 0], [4, 0], [4, 4], [2, 4], [2, 1], [5, 5]);
  expect(tapOn(hooked, [5, 5], at([5, 5])).kind).toBe("crossing");
});
