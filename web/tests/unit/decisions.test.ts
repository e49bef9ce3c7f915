import { describe, expect, test } from "vitest";
import {
  CELLS_MOST,
  choicesFor,
  outcomeOf,
  requestOf,
  stillListed,
  type Target,
  toggled,
  waysForAll,
} from "../../src/organiser/live/decisions.ts";
import type { BBox, CellResult } from "../../src/shared/contract.ts";
import { cellsToSearch, isAllSearched } from "../../src/shared/progress.ts";

const target = (cell: string, bbox: BBox = [0, 0, 1, 1], imagery_layer: string | null = null): Target => ({
  cell,
  bbox,
  imagery_layer,
});

describe("what can be decided", () => {
  test("a closed cell is reopened, any other gets imagery, is closed or looked at anew", () => {
    expect(waysForAll(["closed", "closed"])).toEqual(["reopen"]);
    expect(waysForAll(["bad_imagery", "open", "done"])).toEqual(["imagery", "close", "reset"]);
  });

  test("there is nothing that fits closed and open cells together, and nothing for no cell", () => {
    expect(waysForAll(["closed", "open"])).toEqual([]);
    expect(waysForAll([])).toEqual([]);
  });

  test("each way names only what it changes; null is the campaign's own layer", () => {
    expect(requestOf("imagery", ["17/1/1"], "survey")).toEqual({ cells: ["17/1/1"], imagery_layer: "survey" });
    expect(requestOf("imagery", ["17/1/1"], null)).toEqual({ cells: ["17/1/1"], imagery_layer: null });
    expect(requestOf("close", ["17/1/1"], null)).toEqual({ cells: ["17/1/1"], closed: true });
    expect(requestOf("reopen", ["17/1/1"], null)).toEqual({ cells: ["17/1/1"], closed: false });
    expect(requestOf("reset", ["17/1/1"], null)).toEqual({ cells: ["17/1/1"], reset: true });
  });

  test("never more cells at once than the server takes", () => {
    const cells = Array.from({ length: CELLS_MOST + 1 }, (_, i) => `17/${i}/1`);
    expect(requestOf("close", cells, null).cells).toHaveLength(CELLS_MOST);
  });
});

test("what came of it is counted, and each refusal keeps its reason", () => {
  const results: CellResult[] = [
    { cell: "17/1/1", verdict: "changed" },
    { cell: "17/1/2", verdict: "unchanged" },
    { cell: "17/1/3", verdict: "invalid", problem: { detail: "There is no such cell." } },
    {
      cell: "17/1/4",
      verdict: "invalid",
      problem: { detail: "It cannot be decided.", errors: [{ pointer: "/cells/3", detail: "outside the layer" }] },
    },
  ];
  expect(outcomeOf(results)).toEqual({
    changed: 1,
    unchanged: 1,
    refused: [
      { cell: "17/1/3", why: "There is no such cell." },
      { cell: "17/1/4", why: "outside the layer" },
    ],
  });
});

test("cells are chosen and left, and one that left the list is not chosen any more", () => {
  const two = toggled(toggled(new Set(), "a"), "b");
  expect([...two]).toEqual(["a", "b"]);
  expect([...toggled(two, "a")]).toEqual(["b"]);
  expect([...stillListed(two, [{ cell: "b" }, { cell: "c" }])]).toEqual(["b"]);
});

describe("the choice of imagery", () => {
  const here: BBox = [0, 0, 10, 10];
  const far: BBox = [50, 50, 60, 60];

  test("is of layers with imagery there, those for most of the cells first", () => {
    const layers = [
      { key: "part", bounds: [0, 0, 2, 2] as BBox },
      { key: "far", bounds: far },
      { key: "everywhere", bounds: null },
    ];
    const targets = [target("a", [0, 0, 1, 1]), target("b", [5, 5, 6, 6])];
    expect(choicesFor(layers, targets, "own").map(({ layer, shows }) => [layer.key, shows])).toEqual([
      ["everywhere", 2],
      ["part", 1],
    ]);
  });

  test("leaves out what all of them have already, and offers the campaign's to those that have another", () => {
    const layers = [
      { key: "own", bounds: here },
      { key: "other", bounds: here },
    ];
    const keys = (targets: Target[]) => choicesFor(layers, targets, "own").map(({ layer }) => layer.key);
    expect(keys([target("a")])).toEqual(["other"]);
    expect(keys([target("a", [0, 0, 1, 1], "other")])).toEqual(["own"]);
    expect(keys([target("a"), target("b", [0, 0, 1, 1], "other")])).toEqual(["own", "other"]);
  });

  test("knows a layer across the antimeridian", () => {
    const layers = [{ key: "pacific", bounds: [170, -10, -170, 10] as BBox }];
    const shows = (bbox: BBox) => choicesFor(layers, [target("a", bbox)], "own").length;
    expect([shows([175, 0, 176, 1]), shows([-176, 0, -175, 1]), shows([0, 0, 1, 1])]).toEqual([1, 1, 0]);
  });

  test("a layer that only touches a cell has no imagery of it", () => {
    const layers = [{ key: "beside", bounds: [1, 0, 2, 1] as BBox }];
    expect(choicesFor(layers, [target("a")], "own")).toEqual([]);
  });
});

test("closed cells are not among those to search, and the others may all be done", () => {
  expect(cellsToSearch({ cells: 10, cells_closed: 3 })).toBe(7);
  expect(isAllSearched({ cells: 10, cells_closed: 3, cells_done: 7 })).toBe(true);
  expect(isAllSearched({ cells: 10, cells_closed: 3, cells_done: 6 })).toBe(false);
  // Where everything was closed, nothing was searched.
  expect(isAllSearched({ cells: 3, cells_closed: 3, cells_done: 0 })).toBe(false);
  expect(isAllSearched(null)).toBe(false);
});
