/**
 * What part of the world the stage shows, and where a place is on it.
 *
 * Invariant: markers, circles, scale bars and plates are all placed from here, so they agree with the map, which
 * only reports its moves.
 */
import { computed, signal } from "@preact/signals";
import type { LonLat } from "../../shared/contract.ts";
import {
  fitZoom,
  metresPerPixel,
  type Tile,
  tileBox,
  toLonLat,
  toWorld,
  WORLD_PX,
  type World,
} from "../../shared/tiles.ts";
import type { Frame } from "../frame.ts";
import { square } from "../store.ts";

export interface View {
  x: number;
  y: number;
  zoom: number;
}

export interface Point {
  x: number;
  y: number;
}

export const frame = signal<Frame>({ width: 1, height: 1, cell: 64, up: 0 });
export const view = signal<View>({ x: 0, y: 0, zoom: 0 });

export const pxPerWorld = computed(() => WORLD_PX * 2 ** view.value.zoom);
/** True metres under one CSS pixel in the middle of the square. */
export const metresPerPx = computed(() => {
  const cell = square.value?.cell;
  return cell ? metresPerPixel(middleOf(cell)[1], view.value.zoom) : 1;
});
/** The square on the screen. */
export const squareBox = computed(() => {
  const cell = square.value?.cell;
  if (!cell) return null;
  const box = tileBox(cell);
  return { ...projectWorld(box), side: box.side * pxPerWorld.value };
});
export const isZoomed = computed(() => {
  const cell = square.value?.cell;
  if (!cell) return false;
  const fit = fitView(cell, frame.value);
  return (
    Math.abs(view.value.zoom - fit.zoom) > 0.01 ||
    Math.hypot(view.value.x - fit.x, view.value.y - fit.y) * pxPerWorld.value > 1
  );
});

function middleOf(cell: Tile): LonLat {
  const box = tileBox(cell);
  return toLonLat({ x: box.x + box.side / 2, y: box.y + box.side / 2 });
}

/** The view that shows the whole square in its place. */
export function fitView(cell: Tile, { cell: cellPx }: Frame): View {
  const box = tileBox(cell);
  return { x: box.x + box.side / 2, y: box.y + box.side / 2, zoom: fitZoom(cell.z, cellPx) };
}

function projectWorld({ x, y }: World): Point {
  const { width, height, up } = frame.value;
  return {
    x: (x - view.value.x) * pxPerWorld.value + width / 2,
    y: (y - view.value.y) * pxPerWorld.value + height / 2 - up,
  };
}

export const project = (at: LonLat): Point => projectWorld(toWorld(at));

export function unproject({ x, y }: Point): LonLat {
  const { width, height, up } = frame.value;
  return toLonLat({
    x: view.value.x + (x - width / 2) / pxPerWorld.value,
    y: view.value.y + (y - height / 2 + up) / pxPerWorld.value,
  });
}

/** The point of the stage that keyboard users aim with. */
export const crosshair = computed<Point>(() => ({
  x: frame.value.width / 2,
  y: frame.value.height / 2 - frame.value.up,
}));

/** True when the point of the stage lies in the square. */
export function isInSquare({ x, y }: Point): boolean {
  const box = squareBox.value;
  return box !== null && x >= box.x && y >= box.y && x <= box.x + box.side && y <= box.y + box.side;
}

/** The nearest point that is still in the square. */
export function clampToSquare({ x, y }: Point): Point {
  const box = squareBox.value;
  if (!box) return { x, y };
  // A hair inside, so that rounding on the way to degrees cannot leave the square.
  const edge = box.side * 1e-4;
  return {
    x: Math.min(Math.max(x, box.x + edge), box.x + box.side - edge),
    y: Math.min(Math.max(y, box.y + edge), box.y + box.side - edge),
  };
}

export function isInSight({ x, y }: Point): boolean {
  return x >= 0 && y >= 0 && x <= frame.value.width && y <= frame.value.height;
}
