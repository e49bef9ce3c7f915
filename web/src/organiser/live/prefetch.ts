/**
 * How far fetching the campaign's tiles ahead is, starting and stopping it, and what it could not get.
 *
 * Invariant: what is shown stays until a newer answer comes; an answer for another campaign is dropped.
 */
import { signal } from "@preact/signals";
import { Problem } from "../../shared/api.ts";
import type { Prefetch, PrefetchFailure } from "../../shared/contract.ts";
import { key, organiserCall } from "../session.ts";
import type { Task } from "./poll.ts";

/** So often while it runs … */
const RUNNING_MS = 2000;
/** … and so often otherwise: somebody else may start it. */
const RESTING_MS = 60_000;
/** Between two pieces nobody is at it for a moment; after so many answers it is worth telling. */
const UNATTENDED_ANSWERS = 4;
/** As many tiles as a person reads. */
const LISTED = 100;

/** Null until the first answer, and for a key that may not read it. */
export const prefetch = signal<Prefetch | null>(null);
export const notHad = signal<readonly PrefetchFailure[]>([]);
/** Why it could not be read, started or stopped. */
export const readTrouble = signal<Problem | null>(null);
export const actTrouble = signal<Problem | null>(null);
export const isActing = signal(false);
/** It should run, and nobody carries it out. */
export const isLeftAlone = signal(false);

let path = "";
let askedAt = 0;
let unattended = 0;

/** What the button does next. */
export type Act = "start" | "stop" | "go_on" | "again" | "anew";

export function actOf({ state, failed, missing }: Pick<Prefetch, "state" | "failed" | "missing">): Act {
  if (state === "running") return "stop";
  if (state === "stopped") return "go_on";
  if (state === "not_begun") return "start";
  return failed + missing > 0 ? "again" : "anew";
}

/** Done in parts of one, never 1 before it is done. */
export function shareOf({ tiles, done }: Pick<Prefetch, "tiles" | "done">): number {
  return tiles > 0 ? Math.min(1, done / tiles) : 1;
}

/** Nobody carries it out, and not because the source is left alone. */
export function isUnattended({ state, workers, trouble }: Pick<Prefetch, "state" | "workers" | "trouble">): boolean {
  return state === "running" && workers === 0 && !trouble;
}

/** Whether what could not be had is worth asking for. */
export const hasGaps = ({ failed, missing }: Pick<Prefetch, "failed" | "missing">): boolean => failed + missing > 0;

export const prefetchTask: Task = {
  everyMs: RUNNING_MS,
  run: async (isCurrent) => {
    const isResting = prefetch.peek()?.state !== "running" && Date.now() - askedAt < RESTING_MS;
    if (!key.value || isResting) return;
    const asked = path;
    const isWanted = () => isCurrent() && asked === path;
    try {
      const answer = await organiserCall<Prefetch>(`${asked}/prefetch`);
      const page = hasGaps(answer)
        ? await organiserCall<{ failures: PrefetchFailure[] }>(`${asked}/prefetch/failures?limit=${LISTED}`)
        : { failures: [] };
      if (!isWanted()) return;
      prefetch.value = answer;
      unattended = isUnattended(answer) ? unattended + 1 : 0;
      isLeftAlone.value = unattended >= UNATTENDED_ANSWERS;
      notHad.value = page.failures;
      readTrouble.value = null;
      askedAt = Date.now();
    } catch (error) {
      if (isWanted()) readTrouble.value = error as Problem;
      if (!(error instanceof Problem && error.status === 422)) throw error;
      // Too many tiles stay too many for a while.
      askedAt = Date.now();
    }
  },
};

export async function act(what: Act): Promise<void> {
  const asked = path;
  isActing.value = true;
  actTrouble.value = null;
  try {
    const address = what === "stop" ? `${asked}/prefetch/stop` : `${asked}/prefetch`;
    const answer = await organiserCall<Prefetch>(address, { method: "POST", body: {} });
    if (asked === path) prefetch.value = answer;
    askedAt = 0;
  } catch (error) {
    if (asked === path) actTrouble.value = error as Problem;
  } finally {
    isActing.value = false;
  }
}

/** Everything as before the first answer, for the campaign at this address. */
export function forgetPrefetch(address: string): void {
  path = address;
  askedAt = unattended = 0;
  isLeftAlone.value = false;
  prefetch.value = readTrouble.value = actTrouble.value = null;
  notHad.value = [];
}
