/**
 * What the organiser's map draws over the imagery: cells by looks, the area, priority areas, tags, the chosen cell.
 *
 * Invariant: colours come from the tokens of the theme in force, by the same steps as the legend.
 */
import type { ExpressionSpecification, GeoJSONSource, Map as MapLibreMap, RasterLayerSpecification } from "maplibre-gl";
import type { Campaign, MultiPolygon, ProgressCells, TagFeature } from "../../shared/contract.ts";
import { badgeSvg } from "../../shared/symbols.tsx";
import { placeOf, ringOf } from "./places.ts";
import { BAD_REPORTS, colourStep, RAMP } from "./ramp.ts";

const BADGE_PX = 22;
/** Narrower cells have no lines between them, which would be all one sees. */
const LINES_FROM_PX = 7;
const TILE_PX = 512;
/** Sides of a cell on the screen between which the colours give way to the image. */
const [FAR_PX, NEAR_PX] = [80, 200];

type Features = Parameters<GeoJSONSource["setData"]>[0];
type Feature = Extract<Features, { type: "Feature" }>;

const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const collection = (features: Feature[]): Features => ({ type: "FeatureCollection", features });

type Paint = NonNullable<RasterLayerSpecification["paint"]>;

/** From `far`, where cells are colours, to `near`, where one looks at the image itself. */
function between(cellZoom: number, far: number, near: number): ExpressionSpecification {
  const zoom = (px: number) => cellZoom + Math.log2(px / TILE_PX);
  return ["interpolate", ["linear"], ["zoom"], zoom(FAR_PX), far, zoom(NEAR_PX), near];
}

/** Dimmed and grey below the cells; as it was taken when one is so near that the image says more than they. */
export function rasterPaint(cellZoom: number): Paint {
  const isDark = document.documentElement.dataset.theme === "dark";
  const dim = isDark ? { contrast: -0.1, bright: 0.35, opacity: 0.8 } : { contrast: -0.4, bright: 1, opacity: 0.5 };
  return {
    "raster-saturation": between(cellZoom, -1, 0),
    "raster-contrast": between(cellZoom, dim.contrast, 0),
    "raster-brightness-max": between(cellZoom, dim.bright, 1),
    "raster-opacity": between(cellZoom, dim.opacity, 1),
  };
}

function hatch(): ImageData {
  const side = 8 * Math.ceil(devicePixelRatio);
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = side;
  const context = canvas.getContext("2d")!;
  context.fillStyle = css("--bg-1");
  context.fillRect(0, 0, side, side);
  context.strokeStyle = css("--text-3");
  context.lineWidth = side / 5;
  for (const shift of [-side, 0, side]) {
    context.moveTo(shift, side);
    context.lineTo(shift + side, 0);
  }
  context.stroke();
  return context.getImageData(0, 0, side, side);
}

const sourceOf = (map: MapLibreMap, id: string) => map.getSource<GeoJSONSource>(id);

export function addLayers(map: MapLibreMap, campaign: Campaign): void {
  for (const id of ["cells", "area", "first", "tags", "cell"])
    map.addSource(id, { type: "geojson", data: collection([]) });
  map.addImage("hatch", hatch(), { pixelRatio: Math.ceil(devicePixelRatio) });
  map.addLayer({ id: "cells", type: "fill", source: "cells", filter: ["==", ["get", "kind"], "counted"] });
  map.addLayer({ id: "closed", type: "fill", source: "cells", filter: ["==", ["get", "kind"], "closed"] });
  map.addLayer({
    id: "bad",
    type: "fill",
    source: "cells",
    filter: ["==", ["get", "kind"], "bad"],
    paint: { "fill-pattern": "hatch" },
  });
  const round = { "line-join": "round", "line-cap": "round" } as const;
  map.addLayer({ id: "area-casing", type: "line", source: "area", layout: round, paint: { "line-width": 4 } });
  map.addLayer({ id: "area", type: "line", source: "area", layout: round, paint: { "line-width": 1.75 } });
  map.addLayer({
    id: "first-casing",
    type: "line",
    source: "first",
    paint: { "line-color": "#0B1015", "line-width": 3.5, "line-dasharray": [1.7, 1.15] },
  });
  map.addLayer({
    id: "first",
    type: "line",
    source: "first",
    paint: { "line-color": "#FFC53D", "line-width": 2, "line-dasharray": [3, 2] },
  });
  for (const [id, colour, width] of [
    ["cell-casing", "#0B1015", 5],
    ["cell", "#FFFFFF", 2],
  ] as const)
    map.addLayer({
      id,
      type: "line",
      source: "cell",
      layout: { "line-join": "miter" },
      paint: { "line-color": colour, "line-width": width },
    });
  map.addLayer({
    id: "tags",
    type: "symbol",
    source: "tags",
    layout: { "icon-image": ["get", "type"], "icon-allow-overlap": true },
  });
  dress(map, campaign.cell_zoom);
}

/** Gives the layers the colours of the theme. */
export function dress(map: MapLibreMap, cellZoom: number): void {
  const colours = RAMP.map((step) => css(`--${step}`));
  const fill = ["match", ["get", "step"], ...colours.slice(0, -1).flatMap((colour, i) => [i, colour]), colours.at(-1)];
  map.setPaintProperty("cells", "fill-color", fill as ExpressionSpecification);
  map.setPaintProperty("cells", "fill-opacity", between(cellZoom, 0.92, 0.12));
  map.setPaintProperty("closed", "fill-color", css("--line-strong"));
  map.setPaintProperty("closed", "fill-opacity", between(cellZoom, 0.92, 0.3));
  map.setPaintProperty("bad", "fill-opacity", between(cellZoom, 1, 0.3));
  const linesFrom = cellZoom + Math.log2(LINES_FROM_PX / TILE_PX);
  map.setPaintProperty("cells", "fill-outline-color", [
    "step",
    ["zoom"],
    "rgba(0,0,0,0)",
    Math.max(0, linesFrom),
    css("--bg-1"),
  ]);
  map.setPaintProperty("area-casing", "line-color", css("--bg-1"));
  map.setPaintProperty("area", "line-color", css("--text"));
  for (const [name, value] of Object.entries(rasterPaint(cellZoom)))
    map.setPaintProperty("imagery", name as keyof Paint, value);
  map.updateImage("hatch", hatch());
}

/** Draws the badges of the tag types into the map's images. */
export async function addBadges(map: MapLibreMap, campaign: Campaign): Promise<void> {
  const ratio = Math.max(1, Math.ceil(devicePixelRatio));
  for (const type of campaign.tag_types) {
    const image = new Image(BADGE_PX * ratio, BADGE_PX * ratio);
    image.src = `data:image/svg+xml,${encodeURIComponent(badgeSvg(type.icon, type.colour, BADGE_PX * ratio))}`;
    await image.decode();
    if (!map.hasImage(type.key)) map.addImage(type.key, image, { pixelRatio: ratio });
  }
}

const outlineOf = (area: MultiPolygon, properties = {}): Feature => ({ type: "Feature", geometry: area, properties });

export function showArea(map: MapLibreMap, campaign: Campaign): void {
  const parts = [campaign.area, campaign.outline, campaign.leave_out].flatMap((area) =>
    area ? [outlineOf(area)] : [],
  );
  sourceOf(map, "area")?.setData(collection(parts));
  sourceOf(map, "first")?.setData(collection((campaign.priorities ?? []).map(({ area }) => outlineOf(area))));
}

export function showCells(map: MapLibreMap, answer: ProgressCells | null): void {
  const features = (answer?.cells ?? []).map(({ cell, cells, looks, bad_imagery, closed }): Feature => {
    const step = colourStep(looks, answer!.looks_wanted);
    const kind = closed >= cells ? "closed" : bad_imagery >= BAD_REPORTS * cells ? "bad" : "counted";
    return {
      type: "Feature",
      properties: { step, kind },
      geometry: { type: "Polygon", coordinates: [ringOf(cell)] },
    };
  });
  sourceOf(map, "cells")?.setData(collection(features));
}

export function showTags(map: MapLibreMap, tags: readonly TagFeature[]): void {
  const features = tags.map(
    (tag): Feature => ({
      type: "Feature",
      properties: { type: tag.properties.tag_type },
      geometry: { type: "Point", coordinates: placeOf(tag) },
    }),
  );
  sourceOf(map, "tags")?.setData(collection(features));
}

/** Frames cells: the chosen one and the one under the pointer or the keys. */
export function frameCells(map: MapLibreMap, names: readonly string[]): void {
  const frames = names.map(
    (name): Feature => ({
      type: "Feature",
      properties: {},
      geometry: { type: "Polygon", coordinates: [ringOf(name)] },
    }),
  );
  sourceOf(map, "cell")?.setData(collection(frames));
}
