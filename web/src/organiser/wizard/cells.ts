/**
 * How large a cell should be: so that a pixel of the imagery is about a pixel on a phone.
 *
 * Invariant: a cell fills the width of a phone, less its margins; everything here follows from that and the latitude.
 */
import { metresPerPixel, WORLD_PX } from "../../shared/tiles.ts";
import type { Layer } from "./api.ts";

export const ZOOM_LEAST = 10;
export const ZOOM_MOST = 22;
const ZOOM_UNKNOWN = 17;
/** Width of a cell on a phone that is 390 px wide. */
const PHONE_CELL_PX = 374;
/** More than this many screen pixels for one of the imagery, and a smaller cell shows nothing new. */
const SHARPEST = 1.5;

export interface CellSize {
  zoom: number;
  sideM: number;
  /** True when it shows no more than the next larger one. */
  isTooSharp: boolean;
  isBest: boolean;
}

export const cellSideM = (zoom: number, lat: number): number => metresPerPixel(lat, zoom) * WORLD_PX;

/** Metres on the ground under one pixel: as the layer says, else what its deepest tiles have. */
export const resolutionOf = (
  layer: Pick<Layer, "ground_sample_distance_m" | "max_zoom" | "tile_size">,
  lat: number,
): number => layer.ground_sample_distance_m ?? cellSideM(layer.max_zoom ?? 19, lat) / (layer.tile_size ?? 256);

export function bestZoom(layer: Layer | null, lat: number): number {
  if (!layer) return ZOOM_UNKNOWN;
  const wanted = Math.log2(cellSideM(0, lat) / (resolutionOf(layer, lat) * PHONE_CELL_PX));
  return limited(Math.round(wanted));
}

/** The chosen size and its neighbours, or the best and its neighbours; largest first. */
export function sizes(layer: Layer | null, lat: number, chosen: number | null): CellSize[] {
  const best = bestZoom(layer, lat);
  const around = new Set([best - 1, best, best + 1, ...(chosen === null ? [] : [chosen])]);
  return [...around]
    .filter((zoom) => zoom >= ZOOM_LEAST && zoom <= ZOOM_MOST)
    .sort((a, b) => a - b)
    .map((zoom) => {
      const sideM = cellSideM(zoom, lat);
      const stretch = layer ? (PHONE_CELL_PX * resolutionOf(layer, lat)) / sideM : 0;
      return { zoom, sideM, isTooSharp: stretch > SHARPEST, isBest: layer !== null && zoom === best };
    });
}

/** How long an object is on a phone's screen. */
export const pixelsOnPhone = (sizeM: number, sideM: number): number => (sizeM / sideM) * PHONE_CELL_PX;

/** The chance that `looks` people all miss what one person in two would notice. */
export const chanceMissed = (looks: number): number => 0.5 ** looks;

const limited = (zoom: number): number => Math.min(ZOOM_MOST, Math.max(ZOOM_LEAST, zoom));
