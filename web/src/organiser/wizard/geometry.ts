/**
 * Areas on this side of the server: their size, their box, typed coordinates.
 *
 * Invariant: pure; what the server says of an area goes before what is computed here.
 */
import type { BBox, LonLat, MultiPolygon } from "../../shared/contract.ts";

const EARTH_RADIUS_KM = 6371.0072;

/** km² on the sphere that has the Earth's surface; within 0.5 % of the ellipsoid's. */
export function areaKm2({ coordinates }: MultiPolygon): number {
  let sum = 0;
  for (const [outer = [], ...holes] of coordinates) {
    sum += Math.abs(ringKm2(outer));
    for (const hole of holes) sum -= Math.abs(ringKm2(hole));
  }
  return Math.max(0, sum);
}

export const pointsIn = ({ coordinates }: MultiPolygon): number =>
  coordinates.flat().reduce((sum, ring) => sum + ring.length - 1, 0);

export const holesIn = ({ coordinates }: MultiPolygon): number =>
  coordinates.reduce((sum, rings) => sum + rings.length - 1, 0);

/** West, south, east, north; without regard to the antimeridian. Null for nothing. */
export function boxOf(geometries: readonly MultiPolygon[]): BBox | null {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [lon, lat] of geometries.flatMap(({ coordinates }) => coordinates.flat(2) as LonLat[])) {
    [west, south] = [Math.min(west, lon), Math.min(south, lat)];
    [east, north] = [Math.max(east, lon), Math.max(north, lat)];
  }
  return west === Infinity ? null : [west, south, east, north];
}

export function polygonOfBox([west, south, east, north]: BBox): MultiPolygon {
  // Across the antimeridian the east counts on, as the API takes it.
  const right = east < west ? east + 360 : east;
  const ring: LonLat[] = [
    [west, south],
    [right, south],
    [right, north],
    [west, north],
    [west, south],
  ];
  return { type: "MultiPolygon", coordinates: [[ring]] };
}

/** A polygon that terra-draw can edit: one outline without holes, of a size that a hand can manage. */
export const isEditable = (geometry: MultiPolygon): boolean =>
  geometry.coordinates.length === 1 && geometry.coordinates[0]!.length === 1 && pointsIn(geometry) <= 200;

/** "37.1, 128.5" a line, latitude first as maps and phones show it; null when a line is none. */
export function typedRing(text: string): LonLat[] | null {
  const lines = text
    .split(/[\n;]+/)
    .map((line) => line.trim())
    .filter(Boolean);
  const ring: LonLat[] = [];
  for (const line of lines) {
    const numbers = line.match(/[-+−]?\d+(?:\.\d+)?/g)?.map((number) => Number(number.replace("−", "-")));
    const [lat, lon] = numbers ?? [];
    if (numbers?.length !== 2 || Math.abs(lat!) > 90 || Math.abs(lon!) > 360) return null;
    ring.push([lon!, lat!]);
  }
  const [first, last] = [ring[0], ring.at(-1)];
  if (!first || !last) return null;
  if (first[0] !== last[0] || first[1] !== last[1]) ring.push([...first]);
  return ring.length >= 4 ? ring : null;
}

/** Chamberlain and Duquette (2007), formula of the spherical excess by trapezia. */
function ringKm2(ring: readonly LonLat[]): number {
  const rad = Math.PI / 180;
  let sum = 0;
  for (let i = 0; i + 1 < ring.length; i++) {
    const [[lon1, lat1], [lon2, lat2]] = [ring[i]!, ring[i + 1]!];
    sum += (lon2 - lon1) * rad * (2 + Math.sin(lat1 * rad) + Math.sin(lat2 * rad));
  }
  return (sum * EARTH_RADIUS_KM ** 2) / 2;
}
