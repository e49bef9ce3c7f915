/**
 * What a dropped file is, before the server sees it.
 *
 * Invariant: nothing is refused here that the server would take; what it says of GeoJSON is left to the server.
 */
import type { LonLat, MultiPolygon } from "../../shared/contract.ts";
import { uuid7 } from "../../shared/uuid7.ts";
import type { FileFacts, Part, PartKind, Repair } from "./draft.ts";
import { holesIn } from "./geometry.ts";

export const FILE_BYTES_MOST = 10_000_000;
/** More holes than this are a pattern, not places with a name. */
const HOLES_AS_PARTS = 10;

export type FileFault = "empty" | "too_big" | "archive" | "kml" | "gpx" | "not_json" | "not_text";
export type FileRead = { fault: FileFault; bytes: number } | { json: unknown };

/** Reads what the file says of itself; `bytes` are its first ones when it is too big to read. */
export function readFile(name: string, bytes: Uint8Array): FileRead {
  const size = bytes.length;
  const fault = (found: FileFault): FileRead => ({ fault: found, bytes: size });
  if (size === 0) return fault("empty");
  // A file says what it is by its first bytes; its name may lie.
  if (bytes[0] === 0x50 && bytes[1] === 0x4b) return fault("archive");
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return fault("archive");
  if (size > FILE_BYTES_MOST) return fault("too_big");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return fault("not_text");
  }
  if (!text.trim()) return fault("empty");
  if (/<kml[\s>]/i.test(text.slice(0, 2000)) || /\.kml$/i.test(name)) return fault("kml");
  if (/<gpx[\s>]/i.test(text.slice(0, 2000)) || /\.gpx$/i.test(name)) return fault("gpx");
  try {
    return { json: JSON.parse(text) };
  } catch {
    return fault("not_json");
  }
}

/** What is in the file itself, before anything is put right. */
export function factsOf(name: string, json: unknown): FileFacts {
  const polygons = polygonsIn(json, 0);
  const rings = polygons.flat();
  const points = rings.reduce((sum, ring) => sum + Math.max(0, ring.length - 1), 0);
  return { name, polygons: polygons.length, points, holes: rings.length - polygons.length };
}

/** Deeper than this nobody nests collections. */
const DEPTH_MOST = 8;

function polygonsIn(json: unknown, depth: number): unknown[][][] {
  if (typeof json !== "object" || json === null || depth > DEPTH_MOST) return [];
  const { type, coordinates, geometry, geometries, features } = json as Record<string, unknown>;
  if (type === "Polygon") return [coordinates as unknown[][]];
  if (type === "MultiPolygon") return coordinates as unknown[][][];
  const inner = [geometry, ...list(geometries), ...list(features)];
  return inner.flatMap((each) => polygonsIn(each, depth + 1));
}

const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** The parts that a file becomes: its holes are places of their own when they are few, because they have a reason. */
export function partsOfFile(
  facts: FileFacts | null,
  geometry: MultiPolygon,
  kind: PartKind,
  repairs: Repair[],
  holeName: (nth: number) => string,
): Part[] {
  const part = (partKind: PartKind, coordinates: LonLat[][][], partName: string, mine: Partial<Part>): Part => ({
    id: uuid7(),
    kind: partKind,
    name: partName,
    weight: partKind === "first" ? 3 : 1,
    geometry: { type: "MultiPolygon", coordinates },
    file: null,
    repairs: [],
    ...mine,
  });
  const inside = holesIn(geometry);
  const splits = kind === "area" && geometry.coordinates.length === 1 && inside > 0 && inside <= HOLES_AS_PARTS;
  if (!splits) return [part(kind, geometry.coordinates, "", { file: facts, repairs })];
  const [outer, ...holes] = geometry.coordinates[0]!;
  return [
    part("area", [[outer!]], "", { file: facts, repairs }),
    ...holes.map((hole, i) => part("leave_out", [[[...hole].reverse()]], holeName(i + 1), {})),
  ];
}
