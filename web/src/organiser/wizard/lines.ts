/**
 * The lines over the map: the grid of the cells inside an area, and degrees.
 *
 * Invariant: pure; at most `LINES_MOST` lines, because more of them are a grey surface.
 */
import type { BBox, LonLat, MultiPolygon } from "../../shared/contract.ts";
import { toLonLat, toWorld } from "../../shared/tiles.ts";

export const LINES_MOST = 400;
type Line = [LonLat, LonLat];
interface Point {
  x: number;
  y: number;
}

/** The edges of the cells of `zoom` within `view`, cut at the area's outline; empty when they would be too many. */
export function cellGrid(area: MultiPolygon, zoom: number, view: BBox): Line[] {
  const side = 2 ** -zoom;
  const [nw, se] = [toWorld([view[0], view[3]]), toWorld([view[2], view[1]])];
  const columns = range(Math.ceil(nw.x / side), Math.floor(se.x / side));
  const rows = range(Math.ceil(nw.y / side), Math.floor(se.y / side));
  if (columns.length + rows.length > LINES_MOST) return [];
  const edges = area.coordinates.flat().flatMap((ring) => edgesOf(ring.map(toWorld)));
  const lines: Line[] = [];
  for (const column of columns) {
    const x = column * side;
    for (const [from, to] of spans(edges, x, "x")) lines.push([toLonLat({ x, y: from }), toLonLat({ x, y: to })]);
  }
  for (const row of rows) {
    const y = row * side;
    for (const [from, to] of spans(edges, y, "y")) lines.push([toLonLat({ x: from, y }), toLonLat({ x: to, y })]);
  }
  return lines;
}

/** Degrees between two lines of a graticule, so that a handful is in view. */
export function graticuleStep(view: BBox): number {
  const width = Math.max(view[2] - view[0], view[3] - view[1]);
  return (
    [45, 30, 15, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001].find((step) => width / step >= 4) ??
    0.001
  );
}

/** The meridians and parallels in view, with their degrees. */
export function graticule(view: BBox): { line: Line; axis: "lon" | "lat"; value: number }[] {
  const step = graticuleStep(view);
  const [west, south, east, north] = [view[0], Math.max(-85, view[1]), view[2], Math.min(85, view[3])];
  const exact = (i: number) => Number((i * step).toFixed(4));
  const meridians = range(Math.ceil(west / step), Math.floor(east / step)).map((i) => ({
    axis: "lon" as const,
    value: exact(i),
    line: [
      [exact(i), south],
      [exact(i), north],
    ] as Line,
  }));
  const parallels = range(Math.ceil(south / step), Math.floor(north / step)).map((i) => ({
    axis: "lat" as const,
    value: exact(i),
    line: [
      [west, exact(i)],
      [east, exact(i)],
    ] as Line,
  }));
  return [...meridians, ...parallels].slice(0, LINES_MOST);
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, Math.min(LINES_MOST + 1, to - from + 1)) }, (_, i) => from + i);

const edgesOf = (ring: readonly Point[]): [Point, Point][] =>
  ring.slice(1).map((point, i) => [ring[i]!, point] as [Point, Point]);

/** Where a line of constant x (or y) runs inside the edges: even-odd, so holes stay open. */
function spans(edges: readonly [Point, Point][], at: number, axis: "x" | "y"): [number, number][] {
  const other = axis === "x" ? "y" : "x";
  const crossings: number[] = [];
  for (const [a, b] of edges) {
    if (a[axis] > at === b[axis] > at) continue;
    crossings.push(a[other] + ((at - a[axis]) / (b[axis] - a[axis])) * (b[other] - a[other]));
  }
  crossings.sort((one, two) => one - two);
  return range(0, Math.floor(crossings.length / 2) - 1).map((i) => [crossings[2 * i]!, crossings[2 * i + 1]!]);
}
