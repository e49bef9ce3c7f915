/** A campaign's imagery as a source and a layer of MapLibre. */
import type { RasterSourceSpecification } from "maplibre-gl";
import type { Imagery } from "./contract.ts";
import { sourceTileSize } from "./tiles.ts";

export function imagerySource(layer: Imagery): RasterSourceSpecification {
  const isPlainBox = layer.bounds && layer.bounds[0] < layer.bounds[2];
  return {
    type: "raster",
    // MapLibre wants whole addresses; concatenation, because URL would escape the braces.
    tiles: [layer.tiles.startsWith("/") ? location.origin + layer.tiles : layer.tiles],
    tileSize: sourceTileSize(layer.tile_size, devicePixelRatio),
    minzoom: layer.min_zoom,
    maxzoom: layer.max_zoom,
    ...(isPlainBox ? { bounds: layer.bounds! } : {}),
  };
}
