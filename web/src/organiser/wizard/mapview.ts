/** What the map is asked to do by the rest of the wizard; the map itself is far heavier and comes later. */
import { signal } from "@preact/signals";
import type { BBox, LonLat } from "../../shared/contract.ts";
import type { PartKind } from "./draft.ts";

/** What is being drawn; null when nothing is. */
export const tool = signal<PartKind | null>(null);
/** The part whose corners can be moved. */
export const selected = signal<string | null>(null);

/** A place or a box to be looked at; a new object each time, so that the same place can be asked for twice. */
export const wish = signal<{ box: BBox } | { place: LonLat } | null>(null);

export const showBox = (box: BBox) => (wish.value = { box });
export const showPlace = (place: LonLat) => (wish.value = { place });
