/**
 * Web-Mercator arithmetic: cells, tiles, places on the screen, true metres.
 *
 * Invariant: "world" coordinates run from 0 to 1 over the whole map, x to the east and y to the south;
 * zooms are those of MapLibre, where the world is 512 px wide at zoom 0.
 */
import type { LonLat } from "./contract.ts";

export const WORLD_PX = 512;
const EARTH_CIRCUMFERENCE_M = 40_075_016.686;

export interface Tile {
  z: number;
  x: number;
  y: number;
}

export interface World {
  x: number;
  y: number;
}

/** "17/112386/50716" as numbers. */
export function parseCell(cell: string): Tile {
  const [z, x, y] = cell.split("/").map(Number);
  return { z: z!, x: x!, y: y! };
}

export function toWorld([lon, lat]: LonLat): World {
  const sin = Math.sin((lat * Math.PI) / 180);
  return { x: (lon + 180) / 360, y: 0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI) };
}

export function toLonLat({ x, y }: World): LonLat {
  const lat = (Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) * 180) / Math.PI;
  return [x * 360 - 180, lat];
}

/** North-west corner and side of a tile in world units. */
export function tileBox({ z, x, y }: Tile): { x: number; y: number; side: number } {
  const side = 2 ** -z;
  return { x: x * side, y: y * side, side };
}

/** The place in the middle of a cell. */
export function middleOf(cell: string): LonLat {
  const { x, y, side } = tileBox(parseCell(cell));
  return toLonLat({ x: x + side / 2, y: y + side / 2 });
}

/** True metres under one CSS pixel, at this latitude and zoom. */
export function metresPerPixel(lat: number, zoom: number): number {
  return (EARTH_CIRCUMFERENCE_M * Math.cos((lat * Math.PI) / 180)) / (WORLD_PX * 2 ** zoom);
}

/** The zoom at which a cell is `cellPx` wide. */
export function fitZoom(cellZoom: number, cellPx: number): number {
  return cellZoom + Math.log2(cellPx / WORLD_PX);
}

/** The tile size to give MapLibre so that it picks tiles whose pixels are about one to one on this device. */
export function sourceTileSize(tileSize: number, devicePixelRatio: number): number {
  return tileSize / Math.max(1, devicePixelRatio);
}

/** The tile zoom that MapLibre will pick at this zoom; the same formula, so that both share the HTTP cache. */
export function tileZoom(zoom: number, sourceSize: number, minZoom: number, maxZoom: number): number {
  return Math.min(maxZoom, Math.max(minZoom, Math.round(zoom + Math.log2(WORLD_PX / sourceSize))));
}

/** All tiles of zoom `z` that cover a cell, row by row; one covering tile when `z` is smaller than the cell's. */
export function tilesOfCell(cell: Tile, z: number): Tile[] {
  if (z <= cell.z) {
    const up = 2 ** (cell.z - z);
    return [{ z, x: Math.floor(cell.x / up), y: Math.floor(cell.y / up) }];
  }
  const n = 2 ** (z - cell.z);
  return Array.from({ length: n * n }, (_, i) => ({ z, x: cell.x * n + (i % n), y: cell.y * n + Math.floor(i / n) }));
}

export function tileUrl(template: string, { z, x, y }: Tile): string {
  return template.replace("{z}", String(z)).replace("{x}", String(x)).replace("{y}", String(y));
}

/** Area of a cell in km², at the latitude of its middle. */
export function cellAreaKm2(cell: Tile): number {
  const box = tileBox(cell);
  const [, lat] = toLonLat({ x: box.x, y: box.y + box.side / 2 });
  const sideM = EARTH_CIRCUMFERENCE_M * Math.cos((lat * Math.PI) / 180) * box.side;
  return (sideM * sideM) / 1e6;
}

/** A round length for a scale bar that is at most `maxPx` wide. */
export function niceLength(metresPerPx: number, maxPx: number): number {
  const most = metresPerPx * maxPx;
  const power = 10 ** Math.floor(Math.log10(most));
  for (const step of [5, 2, 1]) if (step * power <= most) return step * power;
  return power;
}
