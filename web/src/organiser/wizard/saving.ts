/**
 * Where the draft is kept, and what may be said of it.
 *
 * Invariant: "saved" is only said after the server's 2xx for the newest change; until then the draft is on this device,
 * or, when the device keeps nothing, in this tab, and the words say which.
 */
import type { Problem } from "../../shared/api.ts";
import type { Missing } from "./definition.ts";

export type Saving = {
  /** Does this device keep the draft? */
  isKept: boolean;
  /** Counts the changes; an answer to an older one does not make the newest one saved. */
  change: number;
} & (
  | { at: "start" }
  | { at: "incomplete"; missing: readonly Missing[] }
  | { at: "waiting" }
  | { at: "sending" }
  | { at: "saved"; time: number }
  | { at: "offline" }
  | { at: "trouble"; problem: Problem }
  | { at: "refused"; problem: Problem }
  | { at: "conflict" }
);

export type SavingEvent =
  | { type: "changed"; missing: readonly Missing[] }
  | { type: "kept"; isKept: boolean }
  | { type: "sent" }
  | { type: "stored"; change: number; time: number }
  | { type: "failed"; change: number; problem: Problem }
  | { type: "resolved" }
  | { type: "loaded"; time: number | null };

export const start: Saving = { at: "start", isKept: true, change: 0 };

export function next(state: Saving, event: SavingEvent): Saving {
  const { isKept, change } = state;
  const base = { isKept, change };
  switch (event.type) {
    case "changed":
      // A conflict stays until somebody decides: to save over it would lose the other's work.
      if (state.at === "conflict") return { ...state, change: change + 1 };
      return event.missing.length
        ? { isKept, change: change + 1, at: "incomplete", missing: event.missing }
        : { isKept, change: change + 1, at: "waiting" };
    case "kept":
      return { ...state, isKept: event.isKept };
    case "sent":
      return state.at === "conflict" ? state : { ...base, at: "sending" };
    case "stored":
      return event.change === change ? { ...base, at: "saved", time: event.time } : state;
    case "failed":
      return event.change === change || event.problem.status === 412 ? { ...base, ...failure(event.problem) } : state;
    case "resolved":
      return { isKept, change: change + 1, at: "waiting" };
    case "loaded":
      return event.time === null ? { ...base, at: "start" } : { ...base, at: "saved", time: event.time };
  }
}

/** True when the newest change is not on the server and could be. */
export const isUnsaved = ({ at }: Saving): boolean =>
  at === "waiting" || at === "sending" || at === "offline" || at === "trouble";

function failure(problem: Problem) {
  if (problem.isOffline) return { at: "offline" as const };
  if (problem.status === 412) return { at: "conflict" as const };
  if (problem.isPassing || problem.status === 401) return { at: "trouble" as const, problem };
  return { at: "refused" as const, problem };
}
