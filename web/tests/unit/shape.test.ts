import { describe, expect, test } from "vitest";
import type { LonLat } from "../../src/shared/contract.ts";
import { anchorOf, crossesItself, geometryOf, isSound, meet, middleOfSide } from "../../src/volunteer/shape.ts";

const SQUARE: LonLat[] = [
  [0, 0],
  [2, 0],
  [2, 2],
  [0, 2],
];
const BOW: LonLat[] = [
  [0, 0],
  [2, 2],
  [2, 0],
  [0, 2],
];

describe("what meets", () => {
  test("segments that cross, touch or lie on each other meet", () => {
    expect(
      meet(
        [
          [0, 0],
          [2, 2],
        ],
        [
          [0, 2],
          [2, 0],
        ],
      ),
    ).toBe(true);
    expect(
      meet(
        [
          [0, 0],
          [2, 0],
        ],
        [
          [1, 0],
          [1, 5],
        ],
      ),
    ).toBe(true);
    expect(
      meet(
        [
          [0, 0],
          [2, 0],
        ],
        [
          [1, 0],
          [3, 0],
        ],
      ),
    ).toBe(true);
  });

  test("segments apart do not", () => {
    expect(
      meet(
        [
          [0, 0],
          [2, 0],
        ],
        [
          [0, 1],
          [2, 1],
        ],
      ),
    ).toBe(false);
    expect(
      meet(
        [
          [0, 0],
          [1, 0],
        ],
        [
          [2, 0],
          [3, 0],
        ],
      ),
    ).toBe(false);
  });
});

describe("polygons", () => {
  test("a square is sound, a bow is not", () => {
    expect(isSound("Polygon", SQUARE)).toBe(true);
    expect(isSound("Polygon", BOW)).toBe(false);
    expect(crossesItself(BOW, true)).toBe(true);
  });

  test("while it is drawn only what was drawn may cross", () => {
    // The way back from here would cross; the next point may still mend that.
    const halfWay: LonLat[] = [
      [0, 0],
      [4, 0],
      [4, 4],
      [2, -1],
    ];
    expect(crossesItself(halfWay.slice(0, 3), false)).toBe(false);
    expect(crossesItself(halfWay, false)).toBe(true);
  });

  test("a point back on the last side is not taken", () => {
    expect(
      crossesItself(
        [
          [0, 0],
          [2, 0],
          [1, 0],
        ],
        false,
      ),
    ).toBe(true);
    expect(
      isSound("Polygon", [
        [0, 0],
        [2, 0],
        [1, 0],
      ]),
    ).toBe(false);
  });

  test("it leaves closed and counter-clockwise, however it was drawn", () => {
    const ring = [...SQUARE, SQUARE[0]!];
    expect(geometryOf({ kind: "Polygon", points: SQUARE })).toEqual({ type: "Polygon", coordinates: [ring] });
    const clockwise = geometryOf({ kind: "Polygon", points: [...SQUARE].reverse() });
    const outer = (clockwise.coordinates as LonLat[][])[0]!;
    expect(outer[0]).toEqual(outer.at(-1));
    expect(outer.slice(1).reduce((sum, [x, y], i) => sum + outer[i]![0] * y - x * outer[i]![1], 0)).toBeGreaterThan(0);
  });

  test("two places are too few", () => {
    expect(isSound("Polygon", SQUARE.slice(0, 2))).toBe(false);
  });
});

describe("lines", () => {
  test("a line may cross itself, but has two different places", () => {
    expect(isSound("LineString", BOW)).toBe(true);
    expect(isSound("LineString", [[1, 1]])).toBe(false);
    expect(
      isSound("LineString", [
        [1, 1],
        [1, 1],
      ]),
    ).toBe(false);
  });

  test("it leaves as it was drawn", () => {
    expect(geometryOf({ kind: "LineString", points: BOW })).toEqual({ type: "LineString", coordinates: BOW });
  });
});

test("a tag's sign is at its place, in the middle of a line, on top of a polygon", () => {
  expect(anchorOf({ kind: "Point", points: [[5, 6]] })).toEqual([5, 6]);
  expect(
    anchorOf({
      kind: "LineString",
      points: [
        [0, 0],
        [1, 1],
        [2, 0],
      ],
    }),
  ).toEqual([1, 1]);
  expect(
    anchorOf({
      kind: "Polygon",
      points: [
        [0, 0],
        [2, 0],
        [1, 3],
      ],
    }),
  ).toEqual([1, 3]);
});

test("the last side of a polygon leads back to its beginning", () => {
  expect(middleOfSide(SQUARE, 3)).toEqual([0, 1]);
});
