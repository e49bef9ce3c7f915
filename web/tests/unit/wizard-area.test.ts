import { expect, test } from "vitest";
import { routeOf } from "../../src/organiser/route.ts";
import { isWhole, masked, secretHoles, takenAt } from "../../src/organiser/wizard/address.ts";
import type { Layer } from "../../src/organiser/wizard/api.ts";
import { bestZoom, cellSideM, chanceMissed, pixelsOnPhone, sizes } from "../../src/organiser/wizard/cells.ts";
import { FILE_BYTES_MOST, factsOf, partsOfFile, readFile } from "../../src/organiser/wizard/file.ts";
import { areaKm2, polygonOfBox, typedRing } from "../../src/organiser/wizard/geometry.ts";
import { cellGrid, graticule, LINES_MOST } from "../../src/organiser/wizard/lines.ts";

const bytes = (text: string) => new TextEncoder().encode(text);
const layer = { ground_sample_distance_m: 0.6, max_zoom: 19, tile_size: 256 } as Layer;

test("a square degree at the equator has its area", () => {
  expect(areaKm2(polygonOfBox([0, 0, 1, 1]))).toBeCloseTo(12_364, -1);
  expect(areaKm2(polygonOfBox([179, 0, -179, 1]))).toBeCloseTo(24_728, -1);
});

test("a hole is taken off", () => {
  const outer = polygonOfBox([0, 0, 1, 1]).coordinates[0]![0]!;
  const inner = polygonOfBox([0.25, 0.25, 0.75, 0.75]).coordinates[0]![0]!;
  expect(areaKm2({ type: "MultiPolygon", coordinates: [[outer, inner]] })).toBeCloseTo(12_364 * 0.75, -2);
});

test("typed corners are latitude first and become a closed ring", () => {
  expect(typedRing("57.62, -152.35\n57.63 -152.34; 57.6,−152.3")).toEqual([
    [-152.35, 57.62],
    [-152.34, 57.63],
    [-152.3, 57.6],
    [-152.35, 57.62],
  ]);
  expect(typedRing("57.62, -152.35\n57.63, -152.34")).toBeNull();
  expect(typedRing("here and there\n1 2\n3 4")).toBeNull();
  expect(typedRing("152.3, 57.6\n152.4, 57.6\n152.4, 57.7")).toBeNull();
});

test.each([
  ["empty.json", bytes(""), "empty"],
  ["blank.json", bytes(" \n"), "empty"],
  ["area.zip", new Uint8Array([0x50, 0x4b, 3, 4]), "archive"],
  ["renamed.json", new Uint8Array([0x50, 0x4b, 3, 4]), "archive"],
  ["area.kml", bytes("<?xml version='1.0'?><kml>"), "kml"],
  ["track.gpx", bytes("<gpx version='1.1'>"), "gpx"],
  ["cut.json", bytes('{"type":'), "not_json"],
  ["picture.png", new Uint8Array([0x89, 0x50, 0xff, 0xfe]), "not_text"],
  ["huge.json", new Uint8Array(FILE_BYTES_MOST + 1).fill(32), "too_big"],
])("%s is %s", (name, content, fault) => {
  expect(readFile(name, content)).toMatchObject({ fault });
});

test("a GeoJSON file is read, and its facts are of the file", () => {
  const ring = polygonOfBox([0, 0, 1, 1]).coordinates[0]![0]!;
  const file = {
    type: "FeatureCollection",
    features: [{ type: "Feature", geometry: { type: "Polygon", coordinates: [ring, ring] } }],
  };
  const read = readFile("a.geojson", bytes(JSON.stringify(file)));
  expect(read).toEqual({ json: file });
  expect(factsOf("a.geojson", file)).toEqual({ name: "a.geojson", polygons: 1, points: 8, holes: 1 });
});

test("the few holes of one polygon become parts that are left out", () => {
  const outer = polygonOfBox([0, 0, 1, 1]).coordinates[0]![0]!;
  const inner = polygonOfBox([0.25, 0.25, 0.75, 0.75]).coordinates[0]![0]!;
  const facts = { name: "a", polygons: 1, points: 8, holes: 1 };
  const geometry = { type: "MultiPolygon" as const, coordinates: [[outer, inner]] };
  const parts = partsOfFile(facts, geometry, "area", [], (n) => `Hole ${n}`);
  expect(parts.map((part) => [part.kind, part.name, part.file?.name])).toEqual([
    ["area", "", "a"],
    ["leave_out", "Hole 1", undefined],
  ]);
  expect(partsOfFile(facts, geometry, "first", [], String)).toHaveLength(1);
});

test("the best cell has about a pixel of the imagery for a pixel of a phone", () => {
  const best = bestZoom(layer, 37.67);
  expect(cellSideM(best, 37.67)).toBeCloseTo(242, 0);
  const [large, fitting, small] = sizes(layer, 37.67, null);
  expect([large!.isBest, fitting!.isBest, small!.isBest]).toEqual([false, true, false]);
  expect([large!.isTooSharp, fitting!.isTooSharp, small!.isTooSharp]).toEqual([false, false, true]);
  expect(Math.round(pixelsOnPhone(9, fitting!.sideM))).toBe(14);
});

test("a chosen size stays a choice though it fits badly", () => {
  expect(sizes(layer, 37.67, 20).map((size) => size.zoom)).toContain(20);
  expect(bestZoom(null, 0)).toBe(17);
});

test("five looks miss three in a hundred", () => {
  expect(chanceMissed(5)).toBeCloseTo(0.031, 3);
});

test("the grid is cut at the outline, and is left out when it were too many lines", () => {
  const area = polygonOfBox([0, 0, 10, 10]);
  const lines = cellGrid(area, 6, [-20, -20, 20, 20]);
  expect(lines.length).toBeGreaterThan(2);
  for (const [lon, lat] of lines.flat()) {
    expect(lon).toBeGreaterThan(-1e-6);
    expect(lon).toBeLessThan(10 + 1e-6);
    expect(lat).toBeGreaterThan(-1e-6);
    expect(lat).toBeLessThan(10.1);
  }
  expect(cellGrid(area, 20, [-20, -20, 20, 20])).toEqual([]);
});

test("a graticule has a handful of lines at any scale", () => {
  for (const width of [360, 20, 1, 0.01]) {
    const lines = graticule([10, 50, 10 + width, 50 + width / 2]);
    expect(lines.length).toBeGreaterThanOrEqual(4);
    expect(lines.length).toBeLessThan(LINES_MOST);
  }
});

test("an address is tried when it is whole, and its secrets are not shown again", () => {
  expect(isWhole("https://tiles.example.org/{z}/{x}/{y}.jpg")).toBe(true);
  expect(isWhole("https://tiles.example.org/")).toBe(false);
  expect(secretHoles("https://a.org/{z}/{x}/{-y}.jpg?key={apikey}&s={switch:a,b}")).toEqual(["apikey"]);
  expect(masked("https://a.org/{z}/{x}/{y}.jpg?key=abc&v=1", ["key"])).toBe(
    "https://a.org/{z}/{x}/{y}.jpg?key=••••&v=1",
  );
  expect(masked("https://a.org/{z}?k={apikey}", ["apikey"])).toBe("https://a.org/{z}?k=••••");
});

test("when imagery was taken is read as people write it", () => {
  expect(takenAt("2019-02-12 01:40 UTC")).toBe("2019-02-12T01:40:00.000Z");
  expect(takenAt("2019-02-12")).toBe("2019-02-12T00:00:00.000Z");
  expect(takenAt("2019-02-31")).toBeNull();
  expect(takenAt("last week")).toBeNull();
});

test.each([
  ["/organise", { page: "list" }],
  ["/organise/", { page: "list" }],
  ["/organise/new", { page: "new", draft: null }],
  ["/organise/demo", { page: "live", slug: "demo" }],
  ["/organise/demo/edit", { page: "edit", slug: "demo" }],
])("%s", (path, route) => {
  expect(routeOf(path)).toEqual(route);
});
