import { expect, test } from "vitest";
import {
  type Change,
  changed,
  type Draft,
  emptyDraft,
  type Part,
  type PartKind,
} from "../../src/organiser/wizard/draft.ts";
import { cellIn, searchPatchOf } from "../../src/organiser/wizard/running.ts";
import type { MultiPolygon } from "../../src/shared/contract.ts";

const square = (side: number): MultiPolygon => ({
  type: "MultiPolygon",
  coordinates: [
    [
      [
        [0, 0],
        [side, 0],
        [side, side],
        [0, side],
        [0, 0],
      ],
    ],
  ],
});

const part = (id: string, kind: PartKind, side: number, name = "", weight = 1): Part => ({
  id,
  kind,
  name,
  weight,
  geometry: square(side),
  file: null,
  repairs: [],
});

const was: Draft = {
  ...emptyDraft("x", "en"),
  parts: [part("a", "area", 4), part("o", "leave_out", 1), part("f", "first", 2, "Airfield", 3)],
};
const doing = (...changes: Change[]) => changes.reduce(changed, was);

test("what did not change is not named, so that the server keeps it to the last digit", () => {
  expect(searchPatchOf(was, was)).toEqual({});
  const parts = was.parts.map((one) => ({ ...one, id: `${one.id} again` }));
  expect(searchPatchOf({ ...was, parts }, was)).toEqual({});
});

test("a new part of the area is sent with all of the area, and nothing else", () => {
  const grown = doing({ what: "add_parts", parts: [part("b", "area", 6)] });
  expect(searchPatchOf(grown, was)).toEqual({
    area: { type: "MultiPolygon", coordinates: [...square(4).coordinates, ...square(6).coordinates] },
  });
});

test("nothing left out any more is said as null", () => {
  expect(searchPatchOf(doing({ what: "remove_part", id: "o" }), was)).toEqual({ leave_out: null });
});

test("another weight, another name and no priority at all are changes of the priorities only", () => {
  const heavier = doing({ what: "edit_part", id: "f", to: { weight: 5 } });
  expect(searchPatchOf(heavier, was)).toEqual({ priorities: [{ area: square(2), weight: 5, name: "Airfield" }] });
  expect(searchPatchOf(doing({ what: "remove_part", id: "f" }), was)).toEqual({ priorities: [] });
  const renamed = doing({ what: "edit_part", id: "f", to: { name: "Strip" } });
  expect(Object.keys(searchPatchOf(renamed, was))).toEqual(["priorities"]);
});

test("a change that was taken back is none", () => {
  const back = doing(
    { what: "edit_part", id: "f", to: { weight: 5 } },
    { what: "edit_part", id: "f", to: { weight: 3 } },
  );
  expect(searchPatchOf(back, was)).toEqual({});
});

test("the cell that a refusal names is found", () => {
  const detail =
    "3 cells of the campaign lie outside that area, for example 17/10043/39631. Once a campaign is published its area only grows.";
  expect(cellIn(detail)).toBe("17/10043/39631");
  expect(cellIn("Something else, at 1/2.")).toBeNull();
});
