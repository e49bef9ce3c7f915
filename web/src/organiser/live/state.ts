/**
 * What the live page knows.
 *
 * Invariant: a number once shown stays until a newer one comes; times that are compared with `clock` are by this
 * device's clock, whatever the server's says.
 */
import { computed, effect, signal } from "@preact/signals";
import type { Problem } from "../../shared/api.ts";
import type {
  Campaign,
  CellView,
  Period,
  Progress,
  ProgressCells,
  TagFeature,
  TagType,
} from "../../shared/contract.ts";
import { campaignLanguages } from "../../shared/locale.ts";
import { lateness } from "./ages.ts";
import { type Flow, noFlow } from "./flow.ts";

export const campaign = signal<Campaign | null>(null);
effect(() => {
  campaignLanguages.value = campaign.value?.languages ?? [];
});
/** With the rates of the last hour. */
export const progress = signal<Progress | null>(null);
/** When the numbers were true. */
export const asOf = signal<number | null>(null);
/** What the server's clock is ahead of this device's, in ms. */
export const serverAhead = signal(0);
/** Why the last question for the numbers had no answer. */
export const failure = signal<Problem | null>(null);
export const retryAt = signal<number | null>(null);

export const period = signal<Period>("hour");
/** The progress with the rates of a longer period, for the chart. */
export const longProgress = signal<Progress | null>(null);

export const flow = signal<Flow>(noFlow);
/** The one type of tags that the feed shows. */
export const filter = signal<string | null>(null);
/** The organiser pressed *hold*. */
export const isHeld = signal(false);
/** The pointer or the focus is in the list, or it is scrolled. */
export const isReading = signal(false);
/** Why the key does not open the tags. */
export const feedRefusal = signal<Problem | null>(null);

export type Shown = "looks" | "tags";
export const shown = signal<Shown>("looks");
/** The part of the world that the map shows, once it rests. */
export const view = signal<{ bbox: string; zoom: string } | null>(null);
export const cells = signal<ProgressCells | null>(null);
/** The newest tags within the view, and whether there are more. */
export const tagsInView = signal<{ tags: readonly TagFeature[]; isCut: boolean } | null>(null);
/** The cell whose card is open. */
export const chosen = signal<string | null>(null);
export const cellView = signal<CellView | null>(null);
export const cellTrouble = signal<Problem | null>(null);
/** A cell that the map is to go to. */
export const sought = signal<string | null>(null);
/** A tag that the map points at. */
export const pointedAt = signal<TagFeature | null>(null);

/** Seconds tick here … */
export const clock = signal(Date.now());
/** … and here only thirds of a minute, for what is older. */
export const slowClock = signal(Date.now());
/** Told to those who do not see the page. */
export const status = signal("");

export const late = computed(() => lateness(asOf.value, failure.value !== null, clock.value));

export const typeOf = (key: string): TagType | undefined =>
  campaign.value?.tag_types.find((candidate) => candidate.key === key);

/** Everything as before the first answer, for another campaign. */
export function forget(): void {
  for (const known of [campaign, progress, asOf, failure, retryAt, longProgress, filter, feedRefusal])
    known.value = null;
  for (const known of [view, cells, tagsInView, chosen, cellView, cellTrouble, sought, pointedAt]) known.value = null;
  flow.value = noFlow;
  isHeld.value = isReading.value = false;
  period.value = "hour";
  shown.value = "looks";
}
