/**
 * This tab's slot: takes one that is free, goes on with what was left in it and in those of tabs that are gone, and
 * keeps it up to date.
 */
import { hasWork, type KeptSquare, readSlot, SLOTS, slotKey, takeSlot } from "./slot.ts";

/** The squares of several tabs as one list: unfinished tags first, each square once. */
export function merged(lists: readonly (readonly KeptSquare[])[]): KeptSquare[] {
  const seen = new Set<string>();
  const all = lists.flat();
  return [...all.filter(hasWork), ...all.filter((square) => !hasWork(square))].filter(
    ({ assignment: { cell } }) => !seen.has(cell) && seen.add(cell),
  );
}

export class Slot {
  readonly #slug: string;
  readonly #slot: number;
  #written = "";
  /** What was left by a page that is gone. */
  readonly kept: KeptSquare[];

  private constructor(slug: string, slot: number, kept: KeptSquare[]) {
    this.#slug = slug;
    this.#slot = slot;
    this.kept = kept;
  }

  /** `byBoot` is what the boot script found in the first slot, which it then holds. */
  static async take(slug: string, byBoot: KeptSquare[] | null): Promise<Slot> {
    const mine: number[] = byBoot ? [0] : [];
    const left: KeptSquare[][] = byBoot ? [byBoot] : [];
    for (let slot = mine.length; slot < SLOTS; slot++) {
      const kept = readSlot(slug, slot);
      // The first free slot is ours; of the others only those that somebody left behind.
      if ((mine.length > 0 && kept.length === 0) || !(await takeSlot(slug, slot))) continue;
      mine.push(slot);
      left.push(kept);
    }
    const own = new Slot(slug, mine[0] ?? -1, merged(left));
    for (const slot of mine.slice(1)) own.#put(slot, null);
    return own;
  }

  save(squares: readonly KeptSquare[]): void {
    this.#put(this.#slot, squares.length ? JSON.stringify(squares) : null);
  }

  /** True when another tab has this square on its screen or ahead. */
  isElsewhere(cell: string): boolean {
    for (let slot = 0; slot < SLOTS; slot++) {
      if (slot === this.#slot) continue;
      if (readSlot(this.#slug, slot).some((square) => square.assignment.cell === cell)) return true;
    }
    return false;
  }

  #put(slot: number, text: string | null): void {
    if (slot < 0 || (slot === this.#slot && this.#written === (text ?? ""))) return;
    try {
      if (text === null) localStorage.removeItem(slotKey(this.#slug, slot));
      else localStorage.setItem(slotKey(this.#slug, slot), text);
      if (slot === this.#slot) this.#written = text ?? "";
    } catch {
      // Forbidden or full: then a reload begins with new squares, as before.
    }
  }
}
