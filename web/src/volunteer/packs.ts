/** The door to what takes squares along: its code comes when somebody wants it, or when something was begun. */
import type { Around, Taker } from "./pack/take.ts";

let around: Around | null = null;
let taker: Promise<Taker> | null = null;

/** From now on squares can be taken along. */
export function usePacks(of: Around): void {
  around = of;
}

export function openTaker(): Promise<Taker> {
  taker ??= import("./pack/take.ts").then(({ Taker }) => new Taker(around!));
  taker.catch(() => (taker = null));
  return taker;
}
