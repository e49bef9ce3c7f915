/**
 * The list of tags as they come: what it shows, what waits while somebody reads, what it leaves out in a flood.
 *
 * Invariant: the list is newest first without doubles; it holds some hundreds of tags at most, whatever runs for
 * days; without thinning it has no hole between its first and its last tag.
 */
import type { TagFeature, TagPage } from "../../shared/contract.ts";

/** Tags that one question asks for while few come. */
const PAGE = 50;
const PAGE_MOST = 500;
/** Beyond it the list falls back to the newest page. */
export const KEPT = 200;
/** As far as "More" goes; the rest is in the downloads. */
export const OLDEST = 400;
/** More tags a second than this are too many to read, … */
const FLOOD = 5;
/** … and fewer than this can be read again. In between it stays as it was, so that it does not flicker. */
const EBB = 4;
/** Steps of thinning, so that the number stays the same for a while. */
const THINNINGS = [8, 16, 30, 60, 120, 250, 500];
const WINDOW_MS = 10_000;

export interface Flow {
  entries: readonly TagFeature[];
  /** Those that came last. */
  fresh: ReadonlySet<string>;
  /** Tags that came while the list was held. */
  waiting: readonly TagFeature[];
  /** Their number, also of those that thinning leaves out. */
  waitingCount: number;
  /** True when more came than one page holds: then the number is only the least. */
  isWaitingMore: boolean;
  /** 1: all are shown; n: every nth. */
  every: number;
  /** Where the tags go on that are older than the last entry. */
  next: string | null;
  /** The newest page, null before the first. */
  page: TagPage | null;
  /** Arrivals so far, for the thinning. */
  arrived: number;
}

export const noFlow: Flow = {
  entries: [],
  fresh: new Set(),
  waiting: [],
  waitingCount: 0,
  isWaitingMore: false,
  every: 1,
  next: null,
  page: null,
  arrived: 0,
};

const receivedAt = (tag: TagFeature) => Date.parse(tag.properties.received_at);

/** How many tags the next question should ask for, so that it misses none. */
export const pageSize = (flow: Flow) => (flow.every === 1 ? PAGE : Math.min(PAGE_MOST, PAGE + flow.every * 4));

/** Tags a second in the last ten seconds; `now` by the server's clock. */
export function tagsPerSecond(page: TagPage, now: number): number {
  const times = page.features.map(receivedAt).filter((at) => now - at < WINDOW_MS);
  if (times.length === 0) return 0;
  // When the page ends within the window, only the time that it covers counts.
  const isCut = times.length === page.features.length && page.next;
  const covered = isCut ? Math.max(1000, now - Math.min(...times)) : WINDOW_MS;
  return (times.length * 1000) / covered;
}

/** Every how many tags are shown at this rate: about one a second is left. */
export function thinning(before: number, rate: number): number {
  if (rate <= (before > 1 ? EBB : FLOOD)) return 1;
  const fitting = THINNINGS.find((every) => every >= rate) ?? THINNINGS.at(-1)!;
  // The number does not change to and fro at a border.
  return fitting < before && rate > before / 3 ? before : fitting;
}

/** Takes in the newest page; `now` by the server's clock. */
export function arrive(flow: Flow, page: TagPage, now: number, isHeld: boolean): Flow {
  const every = thinning(flow.every, tagsPerSecond(page, now));
  if (!flow.page)
    return { ...flow, entries: page.features, next: page.next ?? null, page, every, fresh: new Set(), waiting: [] };
  const news = newsOf(flow.page, page);
  const hasGap = Boolean(page.next) && news.length > 0 && news.length === page.features.length;
  const arrived = flow.arrived + news.length;
  // The newest of all has the number `arrived`, the next older one less, and so on.
  const picked = news.filter((_, i) => (arrived - i) % every === 0);
  const known = { ...flow, every, page, arrived, entries: settled(flow.entries, page) };
  if (isHeld)
    return {
      ...known,
      waiting: [...picked, ...settled(flow.waiting, page)].slice(0, PAGE_MOST),
      waitingCount: flow.waitingCount + news.length,
      isWaitingMore: flow.isWaitingMore || hasGap,
    };
  if (hasGap) return newestPage(known);
  const entries = [...picked, ...known.waiting, ...known.entries];
  const grown = { ...known, ...nothingWaits, entries, fresh: news.length ? idsOf(picked) : flow.fresh };
  return entries.length > KEPT ? newestPage(grown) : grown;
}

/** Brings what waits. */
export function release(flow: Flow): Flow {
  if (flow.waitingCount === 0) return flow;
  if (flow.isWaitingMore || flow.waiting.length + flow.entries.length > KEPT) return newestPage(flow);
  return { ...flow, ...nothingWaits, entries: [...flow.waiting, ...flow.entries], fresh: idsOf(flow.waiting) };
}

/** Adds a page of older tags at the end. */
export function older(flow: Flow, page: TagPage): Flow {
  const known = idsOf(flow.entries);
  const entries = [...flow.entries, ...page.features.filter((tag) => !known.has(tag.id))];
  return { ...flow, entries, next: page.next ?? null };
}

const nothingWaits = { waiting: [], waitingCount: 0, isWaitingMore: false };

const idsOf = (tags: readonly TagFeature[]): ReadonlySet<string> => new Set(tags.map((tag) => tag.id));

/** The tags of `page` that came since `before`. */
function newsOf(before: TagPage, page: TagPage): TagFeature[] {
  const known = idsOf(before.features);
  // When a tag is withdrawn the page reaches further back; what lies there is not new.
  const floor = before.next ? receivedAt(before.features.at(-1)!) : -Infinity;
  return page.features.filter((tag) => !known.has(tag.id) && receivedAt(tag) >= floor);
}

/** What was edited since is replaced, what was withdrawn goes. */
function settled(tags: readonly TagFeature[], page: TagPage): TagFeature[] {
  const now = new Map(page.features.map((tag) => [tag.id, tag]));
  const floor = page.next ? receivedAt(page.features.at(-1)!) : -Infinity;
  return tags.flatMap((tag) => now.get(tag.id) ?? (receivedAt(tag) > floor ? [] : [tag]));
}

function newestPage(flow: Flow): Flow {
  const { features, next } = flow.page!;
  const shown = features.filter((_, i) => (flow.arrived - i) % flow.every === 0);
  return { ...flow, ...nothingWaits, entries: shown.slice(0, KEPT), fresh: new Set(), next: next ?? null };
}
