/** What the organiser's map draws over the imagery: cells by looks, the area, the tags. */
import type { GeoJSONSource, Map as MapLibreMap } from "maplibre-gl";
import type { Campaign, ProgressCells, TagFeature } from "../shared/contract.ts";
import { badgeSvg } from "../shared/symbols.tsx";
import { parseCell, tileBox, toLonLat } from "../shared/tiles.ts";

const BADGE_PX = 22;

type Features = Parameters<GeoJSONSource["setData"]>[0];

export const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** The sequential palette from no look to done. */
const paletteOf = (): string[] => [0, 1, 2, 3, 4, 6].map((i) => css(`--p${i}`));

/** Which colour a cell gets: the last only when it is done. */
export function colourStep(looks: number, wanted: number): number {
  if (looks >= wanted) return 5;
  if (looks <= 0) return 0;
  return Math.min(4, Math.max(1, Math.round((looks / wanted) * 5)));
}

const nothing: Features = { type: "FeatureCollection", features: [] };

function hatch(colour: string): ImageData {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 8;
  const context = canvas.getContext("2d")!;
  context.strokeStyle = colour;
  context.lineWidth = 1.5;
  for (const shift of [-8, 0, 8]) {
    context.moveTo(shift, 8);
    context.lineTo(shift + 8, 0);
  }
  context.stroke();
  return context.getImageData(0, 0, 8, 8);
}

export function addLayers(map: MapLibreMap, campaign: Campaign): void {
  const colours = paletteOf();
  map.addImage("hatch", hatch(css("--text-3")));
  map.addSource("cells", { type: "geojson", data: nothing });
  map.addLayer({
    id: "cells",
    type: "fill",
    source: "cells",
    paint: {
      "fill-color": [
        "match",
        ["get", "step"],
        0,
        colours[0]!,
        1,
        colours[1]!,
        2,
        colours[2]!,
        3,
        colours[3]!,
        4,
        colours[4]!,
        colours[5]!,
      ],
      "fill-opacity": 0.9,
      "fill-outline-color": css("--bg-1"),
    },
  });
  map.addLayer({
    id: "bad",
    type: "fill",
    source: "cells",
    filter: ["get", "bad"],
    paint: { "fill-pattern": "hatch" },
  });
  map.addSource("area", { type: "geojson", data: { type: "Feature", geometry: campaign.area, properties: {} } });
  map.addLayer({
    id: "area-casing",
    type: "line",
    source: "area",
    paint: { "line-color": css("--bg-1"), "line-width": 4 },
  });
  map.addLayer({
    id: "area",
    type: "line",
    source: "area",
    paint: { "line-color": css("--text"), "line-width": 1.75 },
  });
  map.addSource("tags", { type: "geojson", data: nothing });
  map.addLayer({
    id: "tags",
    type: "symbol",
    source: "tags",
    layout: { "icon-image": ["get", "type"], "icon-allow-overlap": true, "icon-size": 1 },
  });
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

export function showCells(map: MapLibreMap, { cells, looks_wanted }: ProgressCells): void {
  const features = cells.map(({ cell, looks, bad_imagery }) => {
    const box = tileBox(parseCell(cell));
    const [west, north] = toLonLat(box);
    const [east, south] = toLonLat({ x: box.x + box.side, y: box.y + box.side });
    return {
      type: "Feature" as const,
      properties: { step: colourStep(looks, looks_wanted), bad: bad_imagery > 0 },
      geometry: {
        type: "Polygon" as const,
        coordinates: [
          [
            [west, south],
            [east, south],
            [east, north],
            [west, north],
            [west, south],
          ],
        ],
      },
    };
  });
  map.getSource<GeoJSONSource>("cells")?.setData({ type: "FeatureCollection", features });
}

export function showTags(map: MapLibreMap, tags: readonly TagFeature[]): void {
  // Lines and polygons are shown by a sign at their first point.
  const first = (coordinates: unknown): [number, number] => {
    let inner = coordinates as unknown[];
    while (Array.isArray(inner[0])) inner = inner[0] as unknown[];
    return inner as [number, number];
  };
  const features = tags.map((tag) => ({
    type: "Feature" as const,
    properties: { type: tag.properties.tag_type },
    geometry: { type: "Point" as const, coordinates: first(tag.geometry.coordinates) },
  }));
  map.getSource<GeoJSONSource>("tags")?.setData({ type: "FeatureCollection", features });
}
