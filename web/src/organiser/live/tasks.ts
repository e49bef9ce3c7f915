/**
 * What the live page asks the server for, and when: the one place that knows the addresses and the rhythms.
 *
 * Invariant: everything stops with `stop`, and an answer to a question that is not asked any more is dropped.
 */
import { effect, untracked } from "@preact/signals";
import { Problem } from "../../shared/api.ts";
import type { Campaign, CellView, Download, Progress, ProgressCells, TagPage } from "../../shared/contract.ts";
import { key, organiserCall } from "../session.ts";
import { forgetCells, listed, listTask, most } from "./decide.ts";
import { arrive, noFlow, OLDEST, older, pageSize, release } from "./flow.ts";
import { Poller, type Task } from "./poll.ts";
import { forgetPrefetch, prefetchTask } from "./prefetch.ts";
import * as state from "./state.ts";

const CLOCK_MS = 1000;
/** So long numbers may be behind what was decided. */
const DERIVED_MS = 2500;
const SLOW_CLOCK_TICKS = 20;
/** Other organisers' changes that are not in the progress (title, message) are seen after so many rounds. */
const CAMPAIGN_EVERY_ROUNDS = 12;
/** As much as the map can show without becoming one blot. */
export const TAGS_IN_VIEW = 1000;

let path = "";
let rounds = 0;
let poller: Poller | null = null;

/** The numbers are public: when the key is refused they come without it. */
async function ask<T>(address: string): Promise<T> {
  const hadKey = key.value !== null;
  try {
    return await organiserCall<T>(address);
  } catch (error) {
    if (hadKey && error instanceof Problem && error.status === 401) return await organiserCall<T>(address);
    throw error;
  }
}

const progressTask: Task = {
  everyMs: 5000,
  onRetry: (at) => {
    state.retryAt.value = at;
  },
  run: async (isCurrent) => {
    try {
      const answer = await ask<Progress>(`${path}/progress?period=hour`);
      if (!isCurrent()) return;
      const known = state.campaign.peek();
      if (!known || known.state !== answer.state || rounds % CAMPAIGN_EVERY_ROUNDS === 0) {
        const campaign = await ask<Campaign>(path);
        if (!isCurrent()) return;
        // Nothing but its version changes what the page draws; the same object keeps the map as it is.
        if (campaign.version !== known?.version || campaign.state !== known.state) state.campaign.value = campaign;
      }
      rounds += 1;
      const lagMs = answer.lag_seconds * 1000;
      state.progress.value = answer;
      state.asOf.value = Date.now() - lagMs;
      state.serverAhead.value = Date.parse(answer.as_of) + lagMs - Date.now();
      state.failure.value = null;
    } catch (error) {
      if (isCurrent()) state.failure.value = error as Problem;
      throw error;
    }
  },
};

const feedTask: Task = {
  everyMs: 2000,
  run: async (isCurrent) => {
    if (!key.value) return;
    const type = state.filter.value;
    const only = type === null ? "" : `&tag_type=${encodeURIComponent(type)}`;
    try {
      const page = await organiserCall<TagPage>(`${path}/tags?limit=${pageSize(state.flow.peek())}${only}`);
      if (!isCurrent() || type !== state.filter.peek()) return;
      const isHeld = state.isHeld.peek() || state.isReading.peek();
      state.flow.value = arrive(state.flow.peek(), page, Date.now() + state.serverAhead.peek(), isHeld);
      state.feedRefusal.value = null;
    } catch (error) {
      const problem = error as Problem;
      if (isCurrent() && !problem.isPassing) state.feedRefusal.value = problem;
      throw error;
    }
  },
};

const ratesTask: Task = {
  everyMs: 60_000,
  run: async (isCurrent) => {
    const period = state.period.value;
    if (period === "hour") return;
    const answer = await ask<Progress>(`${path}/progress?period=${period}`);
    if (isCurrent() && period === state.period.peek()) state.longProgress.value = answer;
  },
};

const cellsTask: Task = {
  everyMs: 15_000,
  run: async (isCurrent) => {
    const view = state.view.value;
    if (!view || state.shown.value !== "looks") return;
    const answer = await ask<ProgressCells>(`${path}/progress/cells?bbox=${view.bbox}&zoom=${view.zoom}`);
    if (isCurrent() && view === state.view.peek()) state.cells.value = answer;
  },
};

const tagsTask: Task = {
  everyMs: 15_000,
  run: async (isCurrent) => {
    const view = state.view.value;
    if (!view || state.shown.value !== "tags" || !key.value) return;
    const page = await organiserCall<TagPage>(`${path}/tags?bbox=${view.bbox}&limit=${TAGS_IN_VIEW}`);
    if (isCurrent() && view === state.view.peek())
      state.tagsInView.value = { tags: page.features, isCut: Boolean(page.next) };
  },
};

const cellTask: Task = {
  everyMs: 10_000,
  run: async (isCurrent) => {
    const cell = state.chosen.value;
    if (!cell || !key.value) return;
    try {
      const answer = await organiserCall<CellView>(`${path}/cells/${cell}`);
      if (!isCurrent() || cell !== state.chosen.peek()) return;
      state.cellView.value = answer;
      state.cellTrouble.value = null;
    } catch (error) {
      if (isCurrent() && cell === state.chosen.peek()) state.cellTrouble.value = error as Problem;
      throw error;
    }
  },
};

/** Asks again at once, after the organiser has changed something. */
export function refresh(): void {
  poller?.soon(progressTask);
}

/** Asks again at once, after the prefetch was started or stopped. */
export function refreshPrefetch(): void {
  poller?.soon(prefetchTask);
}

/** After a decision about cells: at once for what is counted when asked, and when the worker has counted the rest. */
export function refreshCells(): void {
  const again = (running: Poller) => {
    for (const task of [listTask, cellTask, progressTask, cellsTask]) running.soon(task);
  };
  const running = poller;
  if (!running) return;
  again(running);
  setTimeout(() => poller === running && again(running), DERIVED_MS);
}

export async function loadOlder(): Promise<void> {
  const { next, entries } = state.flow.peek();
  if (!next || entries.length >= OLDEST) return;
  const type = state.filter.peek();
  const page = await organiserCall<TagPage>(next);
  if (type === state.filter.peek() && next === state.flow.peek().next)
    state.flow.value = older(state.flow.peek(), page);
}

/** Fresh addresses each time: they work for ten minutes only. */
export async function downloads(): Promise<Download[]> {
  return (await organiserCall<{ downloads: Download[] }>(`${path}/downloads`)).downloads;
}

export type Action = "pause" | "resume" | "close";

/** Throws the `Problem` when the server does not do it. */
export async function steer(action: Action, body: object = {}): Promise<void> {
  const campaign = await organiserCall<Campaign>(`${path}/${action}`, { method: "POST", body });
  state.campaign.value = campaign;
  refresh();
}

/** Makes a draft like this campaign and gives its slug. */
export async function cloneCampaign(): Promise<string> {
  return (await organiserCall<Campaign>(`${path}/clone`, { method: "POST", body: {} })).slug;
}

/** Runs `then` when what `watched` reads has changed, but not at first. */
function onChange(watched: () => unknown, then: () => void): () => void {
  let isFirst = true;
  return effect(() => {
    watched();
    if (!isFirst) untracked(then);
    isFirst = false;
  });
}

function watch(running: Poller): (() => void)[] {
  return [
    onChange(
      () => key.value,
      () => {
        rounds = 0;
        state.flow.value = noFlow;
        running.allSoon();
      },
    ),
    onChange(
      () => state.filter.value,
      () => {
        state.flow.value = noFlow;
        running.soon(feedTask);
      },
    ),
    onChange(
      () => state.period.value,
      () => {
        state.longProgress.value = null;
        running.soon(ratesTask);
      },
    ),
    onChange(
      () => [listed.value, most.value, state.campaign.value?.state],
      () => running.soon(listTask),
    ),
    onChange(
      () => [state.view.value, state.shown.value],
      () => {
        running.soon(cellsTask);
        running.soon(tagsTask);
      },
    ),
    onChange(
      () => state.chosen.value,
      () => {
        state.cellView.value = null;
        state.cellTrouble.value = null;
        running.soon(cellTask);
      },
    ),
    onChange(
      () => state.isHeld.value || state.isReading.value,
      () => {
        if (!state.isHeld.value && !state.isReading.value) state.flow.value = release(state.flow.value);
      },
    ),
  ];
}

/** Begins for one campaign; the function that comes back ends it. */
export function start(slug: string): () => void {
  path = `/v1/campaigns/${encodeURIComponent(slug)}`;
  rounds = 0;
  state.forget();
  forgetCells();
  forgetPrefetch(path);
  const running = new Poller([
    progressTask,
    feedTask,
    ratesTask,
    cellsTask,
    tagsTask,
    cellTask,
    listTask,
    prefetchTask,
  ]);
  poller = running;
  let ticks = 0;
  const tick = () => {
    if (document.hidden) return;
    state.clock.value = Date.now();
    if (ticks++ % SLOW_CLOCK_TICKS === 0) state.slowClock.value = Date.now();
  };
  const timer = setInterval(tick, CLOCK_MS);
  const onVisible = () => {
    tick();
    running.show(!document.hidden);
  };
  const onOnline = () => running.allSoon();
  document.addEventListener("visibilitychange", onVisible);
  window.addEventListener("online", onOnline);
  const unwatch = watch(running);
  running.show(!document.hidden);
  return () => {
    running.stop();
    if (poller === running) poller = null;
    clearInterval(timer);
    document.removeEventListener("visibilitychange", onVisible);
    window.removeEventListener("online", onOnline);
    for (const end of unwatch) end();
  };
}
