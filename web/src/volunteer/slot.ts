/**
 * What a tab keeps of its squares, so that a reload or a crash loses neither the unfinished tags nor the place.
 *
 * Invariant: a slot belongs to one tab at a time (a Web Lock), so two tabs never show the same square. No imports
 * but types, because the boot script carries this too.
 */
import type { Assignment } from "../shared/contract.ts";
import type { Draft } from "./draft.ts";

/** A square and what was done to it. */
export interface KeptSquare {
  assignment: Assignment;
  look_id: string;
  started_at: string | null;
  number: number;
  draft: Draft;
}

/** So many tabs of one campaign are told apart; more than these start anew after a reload. */
export const SLOTS = 8;
/** A square whose lease ends sooner is not worth beginning. */
const LEASE_LEFT_MS = 30_000;

export const slotKey = (slug: string, slot: number) => `spotter.squares.${slug}.${slot}`;

export const hasWork = ({ draft }: KeptSquare) => draft.tags.length > 0 || draft.drawing !== null;

/** Those that may be gone on with: a square with tags always, the others while their lease lasts. */
export function stillGood(squares: readonly KeptSquare[], now = Date.now()): KeptSquare[] {
  const lasts = ({ lease_expires_at }: Assignment) => Date.parse(lease_expires_at) - now > LEASE_LEFT_MS;
  return squares.filter((square) => hasWork(square) || lasts(square.assignment));
}

/** The squares of a slot, the one on the screen first. */
export function readSlot(slug: string, slot: number): KeptSquare[] {
  try {
    return stillGood(JSON.parse(localStorage.getItem(slotKey(slug, slot)) ?? "[]") as KeptSquare[]);
  } catch {
    return [];
  }
}

/** Takes a slot for as long as this page lives; false when another tab has it. */
export function takeSlot(slug: string, slot: number): Promise<boolean> {
  if (!navigator.locks) return Promise.resolve(slot === 0);
  return new Promise((resolve) => {
    navigator.locks
      .request(slotKey(slug, slot), { ifAvailable: true }, (lock) => {
        resolve(lock !== null);
        // Held until the page goes away.
        return lock && new Promise(() => {});
      })
      .catch(() => resolve(false));
  });
}
