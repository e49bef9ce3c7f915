/** The pure parts behind the live page's numbers: ages, the outlook, rates, the ramp, places. */
import { describe, expect, test } from "vitest";
import { coarse, duration, lateness, longDuration, outlook, wholeShare } from "../../src/organiser/live/ages.ts";
import { boxParameter, byName, nameOf, nearest, neighbour, tileAt } from "../../src/organiser/live/places.ts";
import { colourStep, legend } from "../../src/organiser/live/ramp.ts";
import { extent, gridlines, runs, series, timeTicks } from "../../src/organiser/live/rates.ts";
import type { Progress, ProgressCells } from "../../src/shared/contract.ts";

const MINUTE = 60_000;
const NOON = Date.parse("2026-11-23T12:00:00Z");
const iso = (ms: number) => new Date(ms).toISOString();

describe("durations", () => {
  test("are as fine as their length deserves", () => {
    expect(duration(40)).toEqual({ key: "seconds", holes: { n: 40 } });
    expect(duration(8040)).toEqual({ key: "hours_minutes", holes: { h: 2, m: 14 } });
    expect(duration(7200)).toEqual({ key: "hours", holes: { n: 2 } });
    expect(duration(187_200)).toEqual({ key: "days_hours", holes: { d: 2, h: 4 } });
    expect(longDuration(5)).toEqual({ key: "minutes", holes: { n: 1 } });
  });

  test("of an estimate are rounded up, never to seconds", () => {
    expect([1, 61, 3599, 3601, 30_000, 200_000].map(coarse)).toEqual([60, 120, 3600, 3900, 32_400, 259_200]);
  });
});

describe("the outlook", () => {
  const known = {
    cells: 100,
    cells_closed: 0,
    cells_done: 60,
    looks_missing: 600,
    looks_per_minute: 20,
    as_of: iso(NOON),
    first_look_at: iso(NOON - 11 * MINUTE),
  } as Progress;

  test("is the missing looks at the present pace", () => {
    expect(outlook(known)).toEqual({ kind: "soon", seconds: 1800 });
  });

  test("is not told before ten minutes of looks", () => {
    expect(outlook({ ...known, first_look_at: iso(NOON - 9 * MINUTE) })).toEqual({ kind: "early" });
    expect(outlook({ ...known, first_look_at: null })).toEqual({ kind: "early" });
  });

  test("is not told when nobody looks, and not needed when all is done", () => {
    expect(outlook({ ...known, looks_per_minute: 0 })).toEqual({ kind: "still" });
    expect(outlook({ ...known, looks_per_minute: null })).toEqual({ kind: "still" });
    expect(outlook({ ...known, cells_done: 100 })).toEqual({ kind: "done" });
  });
});

test("numbers are late from fifteen seconds, and the cause is kept apart", () => {
  expect(lateness(null, true, NOON)).toBeNull();
  expect(lateness(NOON - 14_000, true, NOON)).toBeNull();
  expect(lateness(NOON - 40_000, true, NOON)).toEqual({ kind: "updates", seconds: 40 });
  expect(lateness(NOON - 40_000, false, NOON)).toEqual({ kind: "counting", seconds: 40 });
});

test("nothing is a hundred per cent before it is done", () => {
  expect([0, 0.29, 0.999, 1].map(wholeShare)).toEqual([0, 0.29, 0.99, 1]);
});

describe("rates", () => {
  const rates = {
    step_seconds: 60,
    from: iso(NOON - 5 * MINUTE),
    to: iso(NOON + 30_000),
    points: [
      { start: iso(NOON - 3 * MINUTE), looks: 12 },
      { start: iso(NOON - MINUTE), looks: 9 },
      { start: iso(NOON), looks: 4 },
    ],
  };
  const values = (since: string | null) =>
    series(rates, iso(NOON + 30_000), since).points.map((point) => point.perMinute);

  test("a step without looks is 0; before the first look and in the step that is not over nothing is known", () => {
    expect(values(iso(NOON - 3 * MINUTE))).toEqual([null, null, 12, 0, 9, null]);
    expect(values(null)).toEqual([null, null, null, null, null, null]);
  });

  test("looks of longer steps are counted per minute", () => {
    const long = {
      step_seconds: 600,
      from: iso(NOON),
      to: iso(NOON + 10 * MINUTE),
      points: [{ start: iso(NOON), looks: 50 }],
    };
    expect(series(long, iso(NOON + 10 * MINUTE), iso(NOON)).points).toEqual([{ at: NOON, perMinute: 5 }]);
  });

  test("gaps part the line, and the extent knows its ends", () => {
    const points = [null, 3, 5, null, 2].map((perMinute, at) => ({ at, perMinute }));
    expect(runs(points).map((run) => run.map((point) => point.at))).toEqual([[1, 2], [4]]);
    expect(extent(points)).toEqual({ low: 2, high: 5, last: 2 });
    expect(extent([{ at: 0, perMinute: null }])).toBeNull();
  });

  test("there are at most four gridlines, from zero", () => {
    expect(gridlines(250)).toEqual([0, 100, 200]);
    expect(gridlines(385)).toEqual([0, 100, 200, 300]);
    expect(gridlines(1)).toEqual([0, 1]);
    for (let most = 1; most < 5000; most += 7) expect(gridlines(most).length).toBeLessThanOrEqual(4);
  });

  test("times stand at round places of the reader's clock, five at most", () => {
    const hour = timeTicks(NOON - 61 * MINUTE, NOON, 0);
    expect(hour.ticks.map((at) => iso(at).slice(11, 16))).toEqual(["11:00", "11:15", "11:30", "11:45", "12:00"]);
    const nepal = timeTicks(NOON - 24 * 60 * MINUTE, NOON, 345 * MINUTE);
    expect(nepal.ticks.map((at) => iso(at + 345 * MINUTE).slice(11, 16))).toEqual(["18:00", "00:00", "06:00", "12:00"]);
  });
});

describe("the ramp", () => {
  test("shows only done cells as done", () => {
    expect([0, 1, 2, 3, 4, 5].map((looks) => colourStep(looks, 5))).toEqual([0, 1, 2, 3, 4, 5]);
    expect(colourStep(0.1, 5)).toBe(1);
    expect(colourStep(4.99, 5)).toBe(4);
  });

  test("has a legend for every number of looks", () => {
    expect(legend(1)).toEqual([{ step: 0, from: 0, to: 0 }]);
    expect(legend(3).map(({ step }) => step)).toEqual([0, 2, 3]);
    expect(legend(20).map(({ from, to }) => [from, to])).toEqual([
      [0, 0],
      [1, 5],
      [6, 9],
      [10, 13],
      [14, 19],
    ]);
  });
});

describe("places", () => {
  const map = {
    zoom: 3,
    looks_wanted: 3,
    cells: ["3/0/2", "3/7/2", "3/5/2"].map((cell) => ({ cell, cells: 1, looks: 0, bad_imagery: 0, tags: 0 })),
  } as ProgressCells;

  test("a view across the antimeridian asks with west > east, a view of the whole world with all of it", () => {
    expect(boxParameter(170, -10, 190, 10)).toBe("170.000000,-10.000000,-170.000000,10.000000");
    expect(boxParameter(-300, -90, 300, 90)).toBe("-180.000000,-85.060000,180.000000,85.060000");
  });

  test("an unrolled place has the same tile", () => {
    expect(tileAt([190, 0], 3)).toEqual(tileAt([-170, 0], 3));
    expect(nameOf(tileAt([-179, 50], 3))).toBe("3/0/2");
  });

  test("arrow keys go to the next cell, over holes and across the antimeridian", () => {
    expect(neighbour(byName(map), "3/7/2", 1, 0)).toBe("3/0/2");
    expect(neighbour(byName(map), "3/7/2", -1, 0)).toBe("3/5/2");
    expect(neighbour(byName(map), "3/7/2", 0, 1)).toBeNull();
    expect(nearest(byName(map), 3, [60, 50])).toBe("3/5/2");
  });
});
