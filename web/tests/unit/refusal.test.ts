import { expect, test } from "vitest";
import { refusalOf, sorted } from "../../src/organiser/wizard/refusal.ts";

test("a sentence of the server becomes found, needed and to do", () => {
  expect(
    sorted(
      "found a LineString with 121 points; an area must be a Polygon or MultiPolygon. Close the line into a polygon (QGIS: Lines to Polygons)",
    ),
  ).toEqual({
    found: "A LineString with 121 points.",
    needed: "An area must be a Polygon or MultiPolygon.",
    todo: "Close the line into a polygon (QGIS: Lines to Polygons).",
  });
});

test("an advice without a need, and after a colon, is an advice", () => {
  expect(sorted("nothing is left of the area when its self-crossings are taken out; draw it again")).toEqual({
    found: "Nothing is left of the area when its self-crossings are taken out.",
    needed: "",
    todo: "Draw it again.",
  });
  expect(
    sorted("found fewer than 3 different positions; a ring needs at least 3: remove it or draw it again"),
  ).toMatchObject({ needed: "A ring needs at least 3.", todo: "Remove it or draw it again." });
});

test("a text that is not built so is still told whole", () => {
  expect(sorted("something new.")).toEqual({ found: "Something new.", needed: "", todo: "" });
});

test("a line in metres is told as one thing of two kinds, and the rest is counted", () => {
  const metres = (n: number) => ({
    pointer: `/area/coordinates/${n}`,
    detail:
      "found [-10109731.0, 1.0]: projected EPSG:3857 metres, where this is longitude -90.81726; GeoJSON needs longitude and latitude in degrees (EPSG:4326). Convert the file: `ogr2ogr a b`",
  });
  const refusal = refusalOf({
    errors: [
      metres(0),
      metres(1),
      { pointer: "/area", detail: "found a LineString with 3 points; an area must be a Polygon. Close the line" },
    ],
  });
  expect(refusal).toMatchObject({
    title: "no_area",
    found:
      "A LineString with 3 points. [-10109731.0, 1.0]: projected EPSG:3857 metres, where this is longitude -90.81726.",
    needed: "An area must be a Polygon. GeoJSON needs longitude and latitude in degrees (EPSG:4326).",
    todo: "Close the line. Convert the file: `ogr2ogr a b`",
    more: 1,
  });
});

test.each([
  ["found [57.6, -152.4]: longitude and latitude look swapped; GeoJSON has longitude first", "wrong_degrees"],
  ["found the coordinate system EPSG:5179; GeoJSON is always WGS 84", "wrong_degrees"],
  ["1038737019 cells would be needed; 20000000 are allowed. Choose a smaller cell zoom or a smaller area.", "too_much"],
  ["found no polygon; an area must be a Polygon or MultiPolygon", "no_area"],
  ["found a string; an area is GeoJSON: a Polygon or MultiPolygon", "not_geojson"],
  ["the area covers no cell: it is too thin", "area_refused"],
])("%s: %s", (detail, title) => {
  expect(refusalOf({ errors: [{ pointer: "/area", detail }] })?.title).toBe(title);
});

test("errors of something else are no refusal of the area", () => {
  expect(refusalOf({ errors: [{ pointer: "/title", detail: "x" }] })).toBeNull();
  expect(refusalOf({})).toBeNull();
});
