/**
 * The tiles of one square at its fitting zoom, as plain images under the map.
 *
 * Invariant: `state` is "ready" only when every tile was fetched and decoded, and those very images are in the
 * page under the map: only then may the square be judged.
 */
import { signal } from "@preact/signals";
import type { BBox, Imagery } from "../shared/contract.ts";
import { type Tile, tileBox, tilesOfCell, tileUrl, toWorld } from "../shared/tiles.ts";
import { inTurns, tilesAtOnce } from "../shared/turns.ts";

const TRIES = 3;
const PAUSE_MS = 400;
const SLOW_MS = 300;
const TILE_TIMEOUT_MS = 20_000;

export type PlateState = "loading" | "ready" | "failed";

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function decoded(url: string): Promise<HTMLImageElement> {
  const image = new Image();
  image.alt = "";
  image.src = url;
  await Promise.race([image.decode(), pause(TILE_TIMEOUT_MS).then(() => Promise.reject(new Error("timeout")))]);
  return image;
}

async function decodedWithRetries(url: string): Promise<HTMLImageElement> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await decoded(url);
    } catch (error) {
      if (attempt >= TRIES) throw error;
      await pause(PAUSE_MS * attempt * (1 + Math.random() / 2));
    }
  }
}

/** False for tiles that the layer cannot have, so that they are not even asked for. */
function isWithin(tile: Tile, bounds: BBox | null): boolean {
  const n = 2 ** tile.z;
  if (tile.x < 0 || tile.y < 0 || tile.x >= n || tile.y >= n) return false;
  if (!bounds || bounds[0] > bounds[2]) return true;
  const [from, to] = [toWorld([bounds[0], bounds[3]]), toWorld([bounds[2], bounds[1]])];
  return (tile.x + 1) / n > from.x && tile.x / n < to.x && (tile.y + 1) / n > from.y && tile.y / n < to.y;
}

export class Plate {
  readonly element = document.createElement("div");
  readonly state = signal<PlateState>("loading");
  readonly cell: Tile;
  readonly z: number;
  readonly #imagery: Imagery;
  readonly #missing: Tile[];
  #begun: Promise<void> | null = null;
  #hasContext = false;

  constructor(cell: Tile, z: number, imagery: Imagery) {
    this.cell = cell;
    this.z = z;
    this.#imagery = imagery;
    this.#missing = tilesOfCell(cell, z);
    this.element.className = "plate";
  }

  /** Starts to load, once. */
  begin(): Promise<void> {
    this.#begun ??= this.#loadAll();
    return this.#begun;
  }

  async #loadAll(): Promise<void> {
    // The square first; what lies around it, and a coarse picture of it, only where that takes long.
    const slow = setTimeout(() => this.#layContext(), SLOW_MS);
    await this.load();
    clearTimeout(slow);
    this.#layContext();
  }

  /** Fetches what is missing; called again by "Try again". */
  async load(): Promise<void> {
    this.state.value = "loading";
    const isLaid = await inTurns(this.#missing, tilesAtOnce(), (tile) => this.#layTile(tile));
    const failed = this.#missing.filter((_, i) => !isLaid[i]);
    this.#missing.splice(0, Infinity, ...failed);
    this.state.value = failed.length ? "failed" : "ready";
  }

  async #layTile(tile: Tile): Promise<void> {
    this.#place(await decodedWithRetries(tileUrl(this.#imagery.tiles, tile)), tile);
  }

  /** A coarse picture of the square and its surroundings; only for the eye, so it may fail. */
  #layContext(): void {
    if (this.#hasContext) return;
    this.#hasContext = true;
    const coarse = Math.max(this.#imagery.min_zoom, Math.min(this.cell.z, this.z) - 1);
    const side = 2 ** (coarse - this.cell.z);
    const [west, north] = [Math.floor((this.cell.x - 0.5) * side), Math.floor((this.cell.y - 0.5) * side)];
    const [east, south] = [Math.floor((this.cell.x + 1.5) * side), Math.floor((this.cell.y + 1.5) * side)];
    for (let x = west; x <= east; x++) {
      for (let y = north; y <= south; y++) {
        const tile = { z: coarse, x, y };
        if (!isWithin(tile, this.#imagery.bounds)) continue;
        decoded(tileUrl(this.#imagery.tiles, tile)).then(
          (image) => this.#place(image, tile, "coarse"),
          () => {},
        );
      }
    }
    if (this.z <= this.cell.z) return;
    decoded(tileUrl(this.#imagery.tiles, this.cell)).then(
      (image) => this.#place(image, this.cell, "low"),
      () => {},
    );
  }

  #place(image: HTMLImageElement, tile: Tile, className = ""): void {
    const square = tileBox(this.cell);
    const box = tileBox(tile);
    const percent = (part: number) => `${(part / square.side) * 100}%`;
    image.className = className;
    image.draggable = false;
    Object.assign(image.style, {
      left: percent(box.x - square.x),
      top: percent(box.y - square.y),
      width: percent(box.side),
      height: percent(box.side),
    });
    this.element.append(image);
  }
}
