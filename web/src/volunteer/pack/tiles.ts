/** Which tiles a square needs on this screen, and about how many bytes they have. Pure. */
import type { Assignment, Imagery } from "../../shared/contract.ts";
import { fitZoom, parseCell, sourceTileSize, type Tile, tilesOfCell, tileUrl, tileZoom } from "../../shared/tiles.ts";

/** The zoom at which this screen shows a whole square. */
export function screenZoom(cellZoom: number, imagery: Imagery, cellPx: number, pixelRatio: number): number {
  const size = sourceTileSize(imagery.tile_size, pixelRatio);
  return tileZoom(fitZoom(cellZoom, cellPx), size, imagery.min_zoom, imagery.max_zoom);
}

/** From the surroundings, coarse, to what the square is judged by. */
export function zoomsOf(cellZoom: number, { min_zoom }: Imagery, finest: number): number[] {
  const coarsest = Math.max(min_zoom, Math.min(cellZoom, finest) - 1);
  return Array.from({ length: finest - coarsest + 1 }, (_, i) => coarsest + i);
}

/** Addresses of the tiles of a square whose imagery ends at the zoom of this screen. */
export function tileUrls({ cell }: Pick<Assignment, "cell">, imagery: Imagery): string[] {
  const square = parseCell(cell);
  const tiles = zoomsOf(square.z, imagery, imagery.max_zoom).flatMap((z) => tilesOfCell(square, z));
  return tiles.map((tile: Tile) => tileUrl(imagery.tiles, tile));
}

interface LayerTiles {
  imagery_layer: string;
  zooms: { z: number; bytes_estimate: number }[];
}

/** The server's estimate for the zooms that this screen needs. */
export function bytesOf(layers: readonly LayerTiles[], finestOf: (layer: string) => number): number {
  const zooms = layers.flatMap(({ imagery_layer, zooms }) => zooms.filter(({ z }) => z <= finestOf(imagery_layer)));
  return zooms.reduce((sum, { bytes_estimate }) => sum + bytes_estimate, 0);
}

const TILE_BYTES = 20 * 1024;

/** A tile that this page has loaded. */
export interface SeenTile {
  z: number;
  bytes: number;
}

const mean = (tiles: readonly SeenTile[]) => tiles.reduce((sum, { bytes }) => sum + bytes, 0) / tiles.length;

/** About how many bytes a square has, from the tiles that this page has loaded: those of the same zoom, if there are. */
export function bytesOfSquare(cellZoom: number, imagery: Imagery, finest: number, seen: readonly SeenTile[]): number {
  const guess = seen.length > 0 ? mean(seen) : TILE_BYTES * (imagery.tile_size / 256) ** 2;
  const ofZoom = (z: number) => {
    const alike = seen.filter((tile) => tile.z === z);
    // Coarser ones than the square are shared with neighbours.
    return (alike.length > 0 ? mean(alike) : guess) * 4 ** (z - cellZoom);
  };
  return zoomsOf(cellZoom, imagery, finest).reduce((sum, z) => sum + ofZoom(z), 0);
}
