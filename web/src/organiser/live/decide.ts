/**
 * The cells that wait for the organiser, those that are chosen among them, and deciding about them.
 *
 * Invariant: the list stays as it is until a newer answer comes; a cell that left it is not chosen any more.
 */
import { computed, effect, signal } from "@preact/signals";
import type { Problem } from "../../shared/api.ts";
import type { CellResult, ListedCell, ListedCells } from "../../shared/contract.ts";
import { fetchLayers, type Layer } from "../imagery.ts";
import { key, organiserCall } from "../session.ts";
import { CELLS_MOST, type How, type Outcome, outcomeOf, requestOf, stillListed, type Target } from "./decisions.ts";
import type { Task } from "./poll.ts";
import { campaign } from "./state.ts";

export const PAGE = 100;
export type Listed = "bad_imagery" | "closed" | "decided";

export const listed = signal<Listed>("bad_imagery");
/** How many cells are shown at most. */
export const most = signal(PAGE);
/** Null until the first answer. */
export const list = signal<readonly ListedCell[] | null>(null);
export const hasMore = signal(false);
export const listTrouble = signal<Problem | null>(null);
export const chosenCells = signal<ReadonlySet<string>>(new Set());
/** What is asked before it is done. */
export const deciding = signal<{ how: How; targets: readonly Target[] } | null>(null);
/** What was done last. */
export const done = signal<{ how: How; outcome: Outcome } | null>(null);
export const layers = signal<readonly Layer[] | null>(null);
export const layersTrouble = signal<Problem | null>(null);

/** Nothing can be decided about the cells of a campaign that is not searched. */
export const mayDecide = computed(
  () => key.value !== null && (campaign.value?.state === "open" || campaign.value?.state === "paused"),
);

effect(() => {
  if (list.value) chosenCells.value = stillListed(chosenCells.peek(), list.value);
});

const path = () => `/v1/campaigns/${encodeURIComponent(campaign.peek()!.slug)}/cells`;

export const listTask: Task = {
  everyMs: 15_000,
  run: async (isCurrent) => {
    const [state, limit] = [listed.value, most.value];
    const how = campaign.value?.state;
    if (!key.value || !how || how === "draft" || how === "preparing") return;
    try {
      const page = await organiserCall<ListedCells>(`${path()}?state=${state}&limit=${limit}`);
      if (!isCurrent() || state !== listed.peek()) return;
      list.value = page.cells;
      hasMore.value = Boolean(page.next);
      listTrouble.value = null;
    } catch (error) {
      if (isCurrent()) listTrouble.value = error as Problem;
      throw error;
    }
  },
};

export function show(which: Listed): void {
  if (which === listed.value) return;
  listed.value = which;
  list.value = null;
  most.value = PAGE;
  chosenCells.value = new Set();
}

/** As many more as fit into one answer. */
export function showMore(): void {
  most.value = CELLS_MOST;
}

export async function loadLayers(): Promise<void> {
  layersTrouble.value = null;
  try {
    layers.value = await fetchLayers();
  } catch (error) {
    layersTrouble.value = error as Problem;
  }
}

export function ask(how: How, targets: readonly Target[]): void {
  done.value = null;
  deciding.value = { how, targets };
  // Somebody may just have added the layer that is wanted.
  if (how === "imagery") void loadLayers();
}

/** Does what was asked. */
export async function decide(how: How, cells: readonly string[], layer: string | null): Promise<Outcome> {
  const body = requestOf(how, cells, layer);
  const { results } = await organiserCall<{ results: CellResult[] }>(path(), { method: "PATCH", body });
  const outcome = outcomeOf(results);
  done.value = { how, outcome };
  return outcome;
}

/** Everything as before the first answer, for another campaign. */
export function forgetCells(): void {
  for (const known of [list, listTrouble, deciding, done]) known.value = null;
  listed.value = "bad_imagery";
  most.value = PAGE;
  hasMore.value = false;
  chosenCells.value = new Set();
}
