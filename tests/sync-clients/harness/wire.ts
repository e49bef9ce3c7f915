/** The RxDB wire by hand, and what is sent over it. */

import { call, expect, type Volunteer } from "./api.ts";
import { cell, type LonLat, placeIn } from "./squares.ts";

export interface Look {
  id: string;
  campaign: string;
  cell: string;
  outcome: "tagged" | "nothing" | "skipped" | "bad_imagery";
  started_at: string;
  finished_at: string;
}

export interface Tag {
  id: string;
  look_id: string;
  campaign: string;
  tag_type: string;
  geometry: { type: "Point"; coordinates: LonLat } | { type: "LineString"; coordinates: LonLat[] };
  note?: string;
}

/** A document as it crosses the wire. */
export type Doc<T = { id: string }> = T & { _deleted: boolean };

export interface Row<T = { id: string }> {
  newDocumentState: Doc<T>;
  assumedMasterState?: Doc<T>;
}

export interface Checkpoint {
  lwt: number;
  id: string;
}

export interface Page<T> {
  documents: Doc<T>[];
  checkpoint: Checkpoint;
}

/** The collections of the wire: what a phone writes, and what it only reads. */
export const WRITABLE = ["looks", "tags"] as const;
export const READABLE = ["campaigns", "assignments", "receipts"] as const;
export type Collection = (typeof WRITABLE)[number] | (typeof READABLE)[number];

export const FIRST: Checkpoint = { lwt: 0, id: "" };

/** The address of a collection. */
export function at(server: string, collection: Collection): string {
  return `${server}/v1/sync/rxdb/${collection}/0`;
}

export function pull(server: string, who: Volunteer, of: Collection, after: Checkpoint, limit: number) {
  const path = `/v1/sync/rxdb/${of}/0/pull?lwt=${after.lwt}&id=${after.id}&limit=${limit}`;
  return call(server, "GET", path, who.token);
}

export function push(server: string, who: Volunteer, of: Collection, rows: Row[]) {
  return call(server, "POST", `/v1/sync/rxdb/${of}/0/push`, who.token, rows);
}

/** Everything that a collection gives, by id, pulled page by page. */
export async function pullAll<T extends { id: string }>(
  server: string,
  who: Volunteer,
  of: Collection,
  limit = 1000,
): Promise<Map<string, Doc<T>>> {
  const all = new Map<string, Doc<T>>();
  let checkpoint = FIRST;
  for (;;) {
    const page = (await expect(200, pull(server, who, of, checkpoint, limit))) as Page<T>;
    for (const doc of page.documents) all.set(doc.id, doc);
    if (page.documents.length < limit) return all;
    checkpoint = page.checkpoint;
  }
}

/** What was not deleted, by id. */
export function living<T extends { id: string }>(docs: Iterable<Doc<T>>): Record<string, Doc<T>> {
  return Object.fromEntries([...docs].filter((doc) => !doc._deleted).map((doc) => [doc.id, doc]));
}

/** A new id, as a device makes it: UUIDv7. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  new DataView(bytes.buffer).setBigUint64(0, (BigInt(Date.now()) << 16n) | BigInt(0x7000 | (bytes[6]! << 4)));
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  const hex = Buffer.from(bytes).toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** A look at the cell of this number, counted row by row. */
export function lookAt(campaign: string, number: number, outcome: Look["outcome"] = "tagged", at = new Date()): Look {
  const finished = new Date(at.getTime() + 4_000);
  return {
    id: newId(),
    campaign,
    cell: cell(number % 64, Math.floor(number / 64)),
    outcome,
    started_at: at.toISOString(),
    finished_at: finished.toISOString(),
  };
}

/** A tag at a place of the look's cell. */
export function tagOf(look: Look, east = 0.5, south = 0.5, note?: string): Tag {
  return {
    id: newId(),
    look_id: look.id,
    campaign: look.campaign,
    tag_type: "wreckage",
    geometry: { type: "Point", coordinates: placeIn(look.cell, east, south) },
    ...(note === undefined ? {} : { note }),
  };
}
