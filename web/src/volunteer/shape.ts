/**
 * Lines and polygons: what may be drawn, and the GeoJSON of it.
 *
 * Invariant: a polygon that leaves here is closed, runs counter-clockwise (RFC 7946, 3.1.6) and nowhere crosses or
 * touches itself.
 */
import type { Geometry, GeometryKind, LonLat } from "../shared/contract.ts";
import type { DraftTag } from "./draft.ts";

/** Fewest vertices of each kind. */
export const LEAST: Record<GeometryKind, number> = { Point: 1, LineString: 2, Polygon: 3 };
/** The server takes 500 with the closing one. */
export const MOST_POINTS = 499;

type Segment = readonly [LonLat, LonLat];

const same = (a: LonLat, b: LonLat) => a[0] === b[0] && a[1] === b[1];

/** Twice the area of the triangle; its sign says on which side of ab the place c lies. */
const turn = (a: LonLat, b: LonLat, c: LonLat) => (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);

/** For a place on the line through a segment: whether it lies between its ends. */
const isBetween = ([a, b]: Segment, c: LonLat) =>
  Math.min(a[0], b[0]) <= c[0] &&
  c[0] <= Math.max(a[0], b[0]) &&
  Math.min(a[1], b[1]) <= c[1] &&
  c[1] <= Math.max(a[1], b[1]);

/** Whether two segments have a place in common. */
export function meet(one: Segment, other: Segment): boolean {
  const [a, b] = one;
  const [c, d] = other;
  const [ac, ad, ca, cb] = [turn(a, b, c), turn(a, b, d), turn(c, d, a), turn(c, d, b)];
  if (Math.sign(ac) * Math.sign(ad) < 0 && Math.sign(ca) * Math.sign(cb) < 0) return true;
  return (
    (ac === 0 && isBetween(one, c)) ||
    (ad === 0 && isBetween(one, d)) ||
    (ca === 0 && isBetween(other, a)) ||
    (cb === 0 && isBetween(other, b))
  );
}

/** The sides, in order; the last one of a polygon leads back to its beginning. */
export function sidesOf(points: readonly LonLat[], isClosed: boolean): Segment[] {
  const sides = points.slice(1).map((point, i): Segment => [points[i]!, point]);
  if (isClosed && points.length > 2) sides.push([points.at(-1)!, points[0]!]);
  return sides;
}

/** Neighbours share a vertex; they cross only when the path turns back onto itself. */
function isFoldedBack([a, b]: Segment, [c, d]: Segment): boolean {
  const [from, corner, to] = same(b, c) ? [a, b, d] : [b, a, c];
  const back = (from[0] - corner[0]) * (to[0] - corner[0]) + (from[1] - corner[1]) * (to[1] - corner[1]);
  return turn(from, corner, to) === 0 && back > 0;
}

/** Whether the outline of a polygon, closed or still being drawn, meets itself. */
export function crossesItself(points: readonly LonLat[], isClosed: boolean): boolean {
  const sides = sidesOf(points, isClosed);
  return sides.some((side, i) =>
    sides.some((other, j) => {
      if (j <= i) return false;
      const isNext = j === i + 1;
      const isRoundTheEnd = isClosed && i === 0 && j === sides.length - 1;
      if (isNext) return isFoldedBack(side, other);
      return isRoundTheEnd ? isFoldedBack(other, side) : meet(side, other);
    }),
  );
}

/** Whether this may be a tag's shape. A line may cross itself, as tracks do. */
export function isSound(kind: GeometryKind, points: readonly LonLat[]): boolean {
  if (points.length < LEAST[kind] || points.length > MOST_POINTS) return false;
  if (kind === "Point") return true;
  if (sidesOf(points, kind === "Polygon").some(([a, b]) => same(a, b))) return false;
  return kind !== "Polygon" || !crossesItself(points, true);
}

/** Counter-clockwise, seen from above, when positive. */
function signedArea(points: readonly LonLat[]): number {
  return sidesOf(points, true).reduce((sum, [a, b]) => sum + a[0] * b[1] - b[0] * a[1], 0);
}

export function geometryOf({ kind, points }: Pick<DraftTag, "kind" | "points">): Geometry {
  if (kind === "Point") return { type: "Point", coordinates: points[0]! };
  if (kind === "LineString") return { type: "LineString", coordinates: [...points] };
  const ring = signedArea(points) < 0 ? [...points].reverse() : [...points];
  return { type: "Polygon", coordinates: [[...ring, ring[0]!]] };
}

/** Where a tag's sign and card are: in the middle of a line, at the top of a polygon. */
export function anchorOf({ kind, points }: Pick<DraftTag, "kind" | "points">): LonLat {
  if (kind === "LineString") return points[Math.floor((points.length - 1) / 2)]!;
  return points.reduce((top, point) => (point[1] > top[1] ? point : top), points[0]!);
}

/** The place in the middle of the side that begins at vertex `i`. */
export function middleOfSide(points: readonly LonLat[], i: number): LonLat {
  const [a, b] = [points[i]!, points[(i + 1) % points.length]!];
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
}

export const withVertex = (points: readonly LonLat[], i: number, at: LonLat): LonLat[] =>
  points.map((point, j) => (j === i ? at : point));

export const withNewVertex = (points: readonly LonLat[], i: number, at: LonLat): LonLat[] => [
  ...points.slice(0, i),
  at,
  ...points.slice(i),
];

export const withoutVertex = (points: readonly LonLat[], i: number): LonLat[] => points.filter((_, j) => j !== i);
