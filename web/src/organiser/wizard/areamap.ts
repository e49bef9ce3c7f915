/** The wizard's map: the chosen imagery or a graticule, the parts of the area over it, the cells of step 4. */
import type { GeoJSONSource, Map as MapLibreMap, StyleSpecification } from "maplibre-gl";
import type { BBox, LonLat, MultiPolygon } from "../../shared/contract.ts";
import { sourceTileSize } from "../../shared/tiles.ts";
import { type Layer, tilesOf } from "./api.ts";
import type { Part } from "./draft.ts";
import { boxOf } from "./geometry.ts";
import { cellGrid, graticule } from "./lines.ts";

type Features = Exclude<Parameters<GeoJSONSource["setData"]>[0], string>;
type Feature = { type: "Feature"; properties: Record<string, unknown>; geometry: object };

const INK = "#0B1015";
const AMBER = "#FFC53D";
const LABEL_FONT = ["sans-serif"];
const WORLD: LonLat[] = [
  [-180, -86],
  [180, -86],
  [180, 86],
  [-180, 86],
  [-180, -86],
];

const empty: Features = { type: "FeatureCollection", features: [] };
const collection = (features: Feature[]) => ({ type: "FeatureCollection", features }) as Features;
const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

type LayerSpec = StyleSpecification["layers"][number];

const SOURCES = ["graticule", "mask", "grid", "parts", "labels", "place"];
const CASING = { "line-color": INK, "line-width": 5.5 };
const kindIs = (kind: string) => ["==", ["get", "kind"], kind] as never;

/** What is seen where there is no imagery. */
const groundLayers = (): LayerSpec[] => [
  { id: "ground", type: "background", paint: { "background-color": css("--bg-2") } },
  {
    id: "graticule",
    type: "line",
    source: "graticule",
    paint: { "line-color": css("--line-strong"), "line-width": 0.75 },
  },
  {
    id: "degrees",
    type: "symbol",
    source: "graticule",
    layout: {
      "symbol-placement": "line",
      "text-field": ["get", "label"],
      "text-font": LABEL_FONT,
      "text-size": 12,
      "symbol-spacing": 400,
    },
    paint: { "text-color": css("--text-2"), "text-halo-color": css("--bg-2"), "text-halo-width": 2 },
  },
];

/** What lies over the imagery. */
const partLayers = (): LayerSpec[] => [
  {
    id: "mask",
    type: "fill",
    source: "mask",
    paint: { "fill-color": "rgba(11,16,21,.5)", "fill-antialias": false },
  },
  {
    id: "hole",
    type: "fill",
    source: "parts",
    filter: kindIs("leave_out"),
    paint: { "fill-color": "rgba(11,16,21,.5)" },
  },
  {
    id: "first",
    type: "fill",
    source: "parts",
    filter: kindIs("first"),
    paint: { "fill-color": "rgba(255,197,61,.16)" },
  },
  { id: "grid", type: "line", source: "grid", paint: { "line-color": "rgba(255,255,255,.4)", "line-width": 1 } },
  { id: "casing", type: "line", source: "parts", layout: { "line-join": "round" }, paint: CASING },
  {
    id: "outline",
    type: "line",
    source: "parts",
    filter: kindIs("area"),
    layout: { "line-join": "round" },
    paint: { "line-color": "#fff", "line-width": 2.5 },
  },
  {
    id: "hole-line",
    type: "line",
    source: "parts",
    filter: kindIs("leave_out"),
    paint: { "line-color": "#fff", "line-width": 1.75 },
  },
  {
    id: "first-line",
    type: "line",
    source: "parts",
    filter: kindIs("first"),
    paint: { "line-color": AMBER, "line-width": 2.25, "line-dasharray": [3, 2] },
  },
  {
    id: "place",
    type: "circle",
    source: "place",
    paint: {
      "circle-radius": 16,
      "circle-color": "rgba(0,0,0,0)",
      "circle-stroke-color": AMBER,
      "circle-stroke-width": 3,
    },
  },
  {
    id: "labels",
    type: "symbol",
    source: "labels",
    layout: {
      "text-field": ["get", "label"],
      "text-font": LABEL_FONT,
      "text-size": 13,
      "text-allow-overlap": true,
    },
    paint: { "text-color": "#fff", "text-halo-color": INK, "text-halo-width": 2 },
  },
];

/** Everything is there from the start, so that only data changes later. */
export const styleOf = (): StyleSpecification => ({
  version: 8,
  sources: Object.fromEntries(SOURCES.map((name) => [name, { type: "geojson" as const, data: empty as never }])),
  layers: [...groundLayers(), ...partLayers()],
});

const setData = (map: MapLibreMap, source: string, data: Features) =>
  (map.getSource(source) as GeoJSONSource | undefined)?.setData(data);

/** Lays the imagery under everything, or takes it away. */
export function showImagery(map: MapLibreMap, layer: Layer | null): void {
  if (map.getLayer("imagery")) map.removeLayer("imagery");
  if (map.getSource("imagery")) map.removeSource("imagery");
  if (!layer) return;
  const isPlainBox = layer.bounds && layer.bounds[0] < layer.bounds[2];
  map.addSource("imagery", {
    type: "raster",
    tiles: [location.origin + tilesOf(layer)],
    tileSize: sourceTileSize(layer.tile_size ?? 256, devicePixelRatio),
    minzoom: layer.min_zoom ?? 0,
    maxzoom: layer.max_zoom ?? 19,
    ...(isPlainBox ? { bounds: layer.bounds! } : {}),
  });
  const paint = { "raster-fade-duration": 0, "raster-saturation": -0.2, "raster-brightness-max": 0.92 };
  map.addLayer({ id: "imagery", type: "raster", source: "imagery", paint }, "mask");
}

/** `whole` is the area as the server has it; it dissolves overlaps, which would turn the dimming inside out. */
export function showParts(
  map: MapLibreMap,
  parts: readonly Part[],
  whole: MultiPolygon | null,
  nameOf: (part: Part) => string | null,
): void {
  const outlines = parts.map(({ kind, geometry }) => ({ type: "Feature" as const, properties: { kind }, geometry }));
  setData(map, "parts", collection(outlines));
  const areas = parts.filter((part) => part.kind === "area");
  setData(
    map,
    "mask",
    areas.length ? maskOf(areas.length === 1 || !whole ? areas.map((part) => part.geometry) : [whole]) : empty,
  );
  const named = parts.flatMap((part) => {
    const [label, box] = [nameOf(part), boxOf([part.geometry])];
    if (!label || !box) return [];
    const middle = { type: "Point", coordinates: [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] };
    return [{ type: "Feature" as const, properties: { label }, geometry: middle }];
  });
  setData(map, "labels", collection(named));
}

/** Everything but the areas. */
function maskOf(areas: readonly MultiPolygon[]): Features {
  const rings = areas.flatMap(({ coordinates }) => coordinates);
  // Vector tiles tell a hole from an outline by the way it runs round.
  const outside = { type: "Polygon", coordinates: [WORLD, ...rings.map(([outer]) => clockwise(outer!))] };
  const holes = rings.flatMap(([, ...inner]) => inner.map((hole) => ({ type: "Polygon", coordinates: [hole] })));
  return collection([outside, ...holes].map((geometry) => ({ type: "Feature" as const, properties: {}, geometry })));
}

function clockwise(ring: readonly LonLat[]): LonLat[] {
  const turn = ring.slice(1).reduce((sum, [x, y], i) => sum + ring[i]![0] * y - x * ring[i]![1], 0);
  return turn > 0 ? [...ring].reverse() : [...ring];
}

export function viewOf(map: MapLibreMap): BBox {
  const bounds = map.getBounds();
  return [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
}

export function showGrid(map: MapLibreMap, area: MultiPolygon | null, zoom: number): void {
  const lines = area ? cellGrid(area, zoom, viewOf(map)) : [];
  setData(
    map,
    "grid",
    collection(
      lines.map((coordinates) => ({
        type: "Feature" as const,
        properties: {},
        geometry: { type: "LineString", coordinates },
      })),
    ),
  );
}

export function showGraticule(map: MapLibreMap, label: (value: number, axis: "lon" | "lat") => string): void {
  const lines = graticule(viewOf(map)).map(({ line, axis, value }) => ({
    type: "Feature" as const,
    properties: { label: label(value, axis) },
    geometry: { type: "LineString", coordinates: line },
  }));
  setData(map, "graticule", collection(lines));
}

export function showSpot(map: MapLibreMap, place: LonLat | null): void {
  const spot = place && { type: "Feature" as const, properties: {}, geometry: { type: "Point", coordinates: place } };
  setData(map, "place", spot ? collection([spot]) : empty);
}
