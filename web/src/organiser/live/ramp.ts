/**
 * From looks to colours: six steps of one hue, the last of them only for cells that are done.
 *
 * Invariant: map and legend use the same steps.
 */

/** Names of the tokens, from no look to done; the step before done is left out so that done stands apart. */
export const RAMP = ["p0", "p1", "p2", "p3", "p4", "p6"] as const;
const DONE = RAMP.length - 1;
/** From so many reports on a cell is not given any more; the server's `BAD_IMAGERY_REPORTS`. */
export const BAD_REPORTS = 3;

/** Which step a cell, or the average of a block, gets. */
export function colourStep(looks: number, wanted: number): number {
  if (looks >= wanted) return DONE;
  if (looks <= 0) return 0;
  return Math.min(DONE - 1, Math.max(1, Math.round((looks / wanted) * DONE)));
}

export interface LegendStep {
  step: number;
  /** Looks of the first and the last cell of that colour. */
  from: number;
  to: number;
}

/** The steps that cells of this campaign can have, but for "done". */
export function legend(wanted: number): LegendStep[] {
  const steps: LegendStep[] = [];
  for (let looks = 0; looks < wanted; looks++) {
    const step = colourStep(looks, wanted);
    const last = steps.at(-1);
    if (last?.step === step) last.to = looks;
    else steps.push({ step, from: looks, to: looks });
  }
  return steps;
}
