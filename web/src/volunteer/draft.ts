/** What was marked in a square so far, as plain data: whole states for undo, and small enough to be kept. */
import type { GeometryKind, LonLat } from "../shared/contract.ts";

export interface DraftTag {
  readonly id: string;
  readonly type: string;
  readonly kind: GeometryKind;
  /** One place for a point; the vertices of a line; those of a polygon without the closing one. */
  readonly points: readonly LonLat[];
  readonly note: string;
}

/** A line or polygon that is not finished yet. */
export interface Drawing {
  readonly type: string;
  readonly kind: Exclude<GeometryKind, "Point">;
  readonly points: readonly LonLat[];
}

export interface Draft {
  readonly tags: readonly DraftTag[];
  readonly drawing: Drawing | null;
}

export const EMPTY: Draft = { tags: [], drawing: null };
