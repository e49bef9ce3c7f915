/**
 * Places for the map: what a view covers as a question to the server, cells as boxes, neighbours of cells.
 *
 * Invariant: longitudes that leave here are within ±180; a box that crosses the antimeridian has west > east.
 */
import type { BBox, Block, LonLat, MultiPolygon, ProgressCells, TagFeature } from "../../shared/contract.ts";
import { parseCell, type Tile, tileBox, toLonLat, toWorld } from "../../shared/tiles.ts";

/** How far an arrow key looks for the next cell across a hole in the area. */
const FARTHEST_STEP = 200;
const MOST_LATITUDE = 85.06;

/** The campaign's box, unrolled when it crosses the antimeridian. */
export const unrolled = ([west, south, east, north]: BBox): BBox => [
  west,
  south,
  east < west ? east + 360 : east,
  north,
];

const wrapped = (longitude: number) => ((((longitude + 180) % 360) + 360) % 360) - 180;

/** `?bbox=` for what a map shows, which may go around the world. */
export function boxParameter(west: number, south: number, east: number, north: number): string {
  const [low, high] = [Math.max(-MOST_LATITUDE, south), Math.min(MOST_LATITUDE, north)];
  const sides = east - west >= 360 ? [-180, 180] : [wrapped(west), wrapped(east)];
  return [sides[0]!, low, sides[1]!, high].map((degrees) => degrees.toFixed(6)).join(",");
}

/** Corners of a cell: west, south, east, north. */
export function boxOf(cell: string): BBox {
  const box = tileBox(parseCell(cell));
  const [west, north] = toLonLat(box);
  const [east, south] = toLonLat({ x: box.x + box.side, y: box.y + box.side });
  return [west, south, east, north];
}

export function ringOf(cell: string): LonLat[] {
  const [west, south, east, north] = boxOf(cell);
  return [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ];
}

export const nameOf = ({ z, x, y }: Tile) => `${z}/${x}/${y}`;

/** The tile of a zoom at a place; the longitude may be unrolled. */
export function tileAt([lon, lat]: LonLat, zoom: number): Tile {
  const world = toWorld([wrapped(lon), lat]);
  const across = 2 ** zoom;
  return { z: zoom, x: Math.min(across - 1, Math.floor(world.x * across)), y: Math.floor(world.y * across) };
}

export type Blocks = ReadonlyMap<string, Block>;

const indexes = new WeakMap<ProgressCells, Blocks>();

/** The cells of an answer by name; made once for each answer, because the pointer asks with every move. */
export function byName(cells: ProgressCells): Blocks {
  const known = indexes.get(cells);
  if (known) return known;
  const index: Blocks = new Map(cells.cells.map((block) => [block.cell, block]));
  indexes.set(cells, index);
  return index;
}

/** The next cell of the area from `cell`, in a direction of the screen. */
export function neighbour(blocks: Blocks, cell: string, dx: number, dy: number): string | null {
  const { z, x, y } = parseCell(cell);
  const across = 2 ** z;
  for (let step = 1; step <= Math.min(FARTHEST_STEP, across); step++) {
    const next = nameOf({ z, x: (x + dx * step + across) % across, y: y + dy * step });
    if (blocks.has(next)) return next;
  }
  return null;
}

/** The cell that is nearest to a place. */
export function nearest(blocks: Blocks, zoom: number, place: LonLat): string | null {
  const at = tileAt(place, zoom);
  let best: string | null = null;
  let least = Infinity;
  for (const name of blocks.keys()) {
    const { x, y } = parseCell(name);
    const distance = Math.hypot(x - at.x, y - at.y);
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

/** Where a sign for a tag stands; that of a line or a polygon at its first point. */
export function placeOf(tag: TagFeature): LonLat {
  let inner: unknown = tag.geometry.coordinates;
  while (Array.isArray(inner) && Array.isArray(inner[0])) inner = inner[0];
  return inner as LonLat;
}

/** The box around polygons; those across the antimeridian are not joined. */
export function boundsOf(area: MultiPolygon): BBox {
  const box: BBox = [Infinity, Infinity, -Infinity, -Infinity];
  for (const polygon of area.coordinates)
    for (const [lon, lat] of polygon[0] ?? []) {
      box[0] = Math.min(box[0], lon);
      box[1] = Math.min(box[1], lat);
      box[2] = Math.max(box[2], lon);
      box[3] = Math.max(box[3], lat);
    }
  return box;
}
