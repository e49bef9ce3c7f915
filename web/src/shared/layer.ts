/** A layer as organisers have it, as the imagery that volunteers see. */
import type { Imagery } from "./contract.ts";
import type { LayerView } from "./openapi.ts";

/** Where our pages find a layer's tiles: an address of our own, which changes with the revision. */
export const tilesOf = (layer: LayerView): string => `/v1/imagery/${layer.key}/{z}/{x}/{y}?v=${layer.revision}`;

export function imageryOf(layer: LayerView): Imagery {
  return {
    key: layer.key,
    name: layer.name,
    attribution: layer.attribution ?? "",
    licence: layer.licence ?? null,
    licence_url: layer.licence_url ?? null,
    acquired_at: layer.acquired_at ?? null,
    sensor: layer.sensor ?? null,
    catalogue_id: layer.catalogue_id ?? null,
    ground_sample_distance_m: layer.ground_sample_distance_m ?? null,
    bounds: layer.bounds ?? null,
    min_zoom: layer.min_zoom ?? 0,
    max_zoom: layer.max_zoom ?? 19,
    tile_size: layer.tile_size ?? 256,
    revision: layer.revision,
    tiles: tilesOf(layer),
  };
}
