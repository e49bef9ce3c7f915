/**
 * What an organiser can decide about cells: which ways there are, for which cells, and what came of it. Pure.
 *
 * Invariant: a cell that was refused is named with the server's reason, whatever became of the others.
 */
import type { BBox, CellDecision, CellResult, CellState } from "../../shared/contract.ts";

/** The server's limit for one decision, and for one page of the list. */
export const CELLS_MOST = 1000;

export type How = "imagery" | "close" | "reset" | "reopen";

/** A cell as far as a decision needs to know it. */
export interface Target {
  cell: string;
  bbox: BBox;
  imagery_layer: string | null;
}

/** What can be decided about a cell in this state; what helps most comes first. */
export function waysFor(state: CellState): readonly How[] {
  return state === "closed" ? ["reopen"] : ["imagery", "close", "reset"];
}

/** What can be decided about all of these at once. */
export function waysForAll(states: readonly CellState[]): readonly How[] {
  const [first, ...others] = states.map(waysFor);
  return (first ?? []).filter((how) => others.every((ways) => ways.includes(how)));
}

/** `layer` is the key of another layer, or null for the campaign's. */
export function requestOf(how: How, cells: readonly string[], layer: string | null): CellDecision {
  const what = {
    imagery: { imagery_layer: layer },
    close: { closed: true },
    reopen: { closed: false },
    reset: { reset: true },
  };
  return { cells: cells.slice(0, CELLS_MOST), ...what[how] };
}

export interface Outcome {
  changed: number;
  /** It was so already. */
  unchanged: number;
  refused: { cell: string; why: string }[];
}

export function outcomeOf(results: readonly CellResult[]): Outcome {
  const count = (verdict: CellResult["verdict"]) => results.filter((result) => result.verdict === verdict).length;
  return {
    changed: count("changed"),
    unchanged: count("unchanged"),
    refused: results
      .filter(({ verdict }) => verdict === "invalid")
      .map(({ cell, problem }) => ({ cell, why: problem?.errors?.[0]?.detail ?? problem?.detail ?? "" })),
  };
}

/** The chosen cells with this one more or less. */
export function toggled(chosen: ReadonlySet<string>, cell: string): Set<string> {
  const next = new Set(chosen);
  if (!next.delete(cell)) next.add(cell);
  return next;
}

/** Of the chosen cells those that are still in the list. */
export function stillListed(chosen: ReadonlySet<string>, listed: readonly { cell: string }[]): Set<string> {
  return new Set(listed.map(({ cell }) => cell).filter((cell) => chosen.has(cell)));
}

/** A box as one or, across the antimeridian, two spans of longitude. */
const spans = ([west, , east]: BBox): [number, number][] =>
  west <= east
    ? [[west, east]]
    : [
        [west, 180],
        [-180, east],
      ];

const overlap = (one: BBox, other: BBox): boolean =>
  one[1] < other[3] &&
  other[1] < one[3] &&
  spans(one).some(([from, to]) => spans(other).some(([start, end]) => from < end && start < to));

interface Bounded {
  key: string;
  bounds?: BBox | null | undefined;
}

/**
 * The layers that can show at least one of the cells, those that can show more of them first. A layer that all cells
 * have already is no choice.
 */
export function choicesFor<L extends Bounded>(
  layers: readonly L[],
  targets: readonly Target[],
  campaignLayer: string,
): { layer: L; shows: number }[] {
  const present = new Set(targets.map(({ imagery_layer }) => imagery_layer ?? campaignLayer));
  return layers
    .filter(({ key }) => !(present.size === 1 && present.has(key)))
    .map((layer) => ({
      layer,
      shows: targets.filter(({ bbox }) => !layer.bounds || overlap(layer.bounds, bbox)).length,
    }))
    .filter(({ shows }) => shows > 0)
    .sort((a, b) => b.shows - a.shows);
}
