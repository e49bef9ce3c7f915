/** Which card a failure or an empty hand means, and when to ask again. Pure. */
import type { Problem } from "../shared/api.ts";
import type { Progress } from "../shared/contract.ts";
import { isAllSearched } from "../shared/progress.ts";
import { holdOf } from "./hold.ts";
import type { Block } from "./store.ts";

const SETTLED_EVERY_MS = 60_000;
const EXHAUSTED_EVERY_MS = 300_000;
const OFFLINE_EVERY_MS = 30_000;
/** Others may give a square back at any moment; more often than this is no use. */
const HELD_LEAST_MS = 5000;

/** Waiting for an open door rather than for room: these do not ask less and less often. */
const SETTLED: readonly Block["kind"][] = ["paused", "not_started", "closed", "missing"];

export interface Halt {
  block: Block;
  /** How long until it is worth asking again. */
  waitMs: number;
}

/** The card for a problem; `backoffMs` is what repeated failures advise. */
export function haltOf(problem: Problem, backoffMs: number, now = Date.now()): Halt {
  const { code, message, detail, request_id } = problem.body;
  const halt = (block: Block, waitMs = backoffMs): Halt => ({ block, waitMs });
  if (problem.isOffline) {
    const wait = Math.min(backoffMs, OFFLINE_EVERY_MS);
    return halt({ kind: "offline", until: now + wait }, wait);
  }
  if (problem.status === 404) return halt({ kind: "missing" }, SETTLED_EVERY_MS);
  if (code === "campaign_paused") return halt({ kind: "paused", message: message ?? detail ?? null }, SETTLED_EVERY_MS);
  if (code === "campaign_closed") return halt({ kind: "closed" }, SETTLED_EVERY_MS);
  if (code === "campaign_not_started") return halt({ kind: "not_started" }, SETTLED_EVERY_MS);
  if (problem.status === 503 || problem.status === 429)
    return halt({ kind: holdOf(problem), until: now + backoffMs, message: message ?? undefined });
  return halt({ kind: "trouble", until: now + backoffMs, request_id });
}

/** The card when the server has no square for this volunteer. */
export function exhaustedHalt(progress: Progress | null, retryAfterMs: number | null): Halt {
  if (retryAfterMs === null || isAllSearched(progress))
    return { block: { kind: "done" }, waitMs: retryAfterMs ?? EXHAUSTED_EVERY_MS };
  return { block: { kind: "held" }, waitMs: Math.max(HELD_LEAST_MS, retryAfterMs) };
}

/** True for a state that the organisers end, and not the passing of time. */
export const isSettled = (block: Block): boolean => SETTLED.includes(block.kind);
