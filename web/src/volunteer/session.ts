/**
 * The course of a visit: square after square, each finished look safe before the next square appears.
 *
 * Invariant: the look of the previous square stays here, and can be taken back, until the next one is finished,
 * five seconds passed, or the page goes away.
 */
import { effect } from "@preact/signals";
import { call, type Problem } from "../shared/api.ts";
import type { Campaign, Outcome, Progress } from "../shared/contract.ts";
import { cellAreaKm2 } from "../shared/tiles.ts";
import { Ahead, type Filled } from "./ahead.ts";
import { say } from "./language.ts";
import type { Kept, Outbox } from "./outbox.ts";
import { addToMine, write } from "./remember.ts";
import { Sender } from "./sender.ts";
import type { Square } from "./square.ts";
import * as store from "./store.ts";

const UNDO_MS = 5000;
const GUARD_MS = 250;
const SLOW_MS = 300;
const PROGRESS_EVERY_MS = 60_000;
const PAUSED_EVERY_MS = 60_000;
const EXHAUSTED_EVERY_MS = 300_000;
const OFFLINE_EVERY_MS = 30_000;
const RECENT_MS = 10_000;
const THANKS_AT = [10, 50, 100, 500];

interface Held {
  square: Square;
  outcome: Outcome;
  timer: ReturnType<typeof setTimeout>;
}

export class Session {
  readonly path: string;
  readonly slug: string;
  readonly #campaign: Campaign;
  readonly #outbox: Outbox;
  readonly #sender: Sender;
  readonly #ahead: Ahead;
  /** What would be lost from sight if the page went away now. */
  #unsent: Kept[] = [];
  #held: Held | null = null;
  #shownAt = 0;
  #isFinishing = false;
  #finishing: Promise<void> = Promise.resolve();
  #retry: ReturnType<typeof setTimeout> | undefined;
  #progressTimer: ReturnType<typeof setTimeout> | undefined;
  #isAdvancing = false;
  /** Cells finished a moment ago, which an answer that was under way may still offer. */
  readonly #recent = new Set<string>();

  constructor(slug: string, campaign: Campaign, outbox: Outbox, cellPx: () => number) {
    this.slug = slug;
    this.path = `/v1/campaigns/${encodeURIComponent(slug)}`;
    this.#campaign = campaign;
    this.#outbox = outbox;
    this.#sender = new Sender(outbox, {
      onState: (state) => {
        if (state.kind === "waiting" && state.reason === "offline") this.#ahead.expectOutages();
        store.sendState.value = state;
      },
      onSettled: (created) => void this.#settled(created),
    });
    this.#ahead = new Ahead({
      path: this.path,
      imagery: campaign.imagery,
      cellPx,
      isTaken: (cell) => this.#isTaken(cell),
    });
    this.#followImages();
  }

  /** Begins with the squares that the boot script asked for, if they came. */
  async start(first: Promise<Parameters<Ahead["adopt"]>[0]>): Promise<void> {
    await this.recount();
    void this.#sender.kick();
    void this.#pollProgress();
    const answer = await first.catch(() => null);
    if (answer && answer.assignments.length > 0) await this.#ahead.adopt(answer);
    await this.advance();
  }

  /** Shows the next square, or the card that says why there is none. */
  async advance(): Promise<void> {
    if (this.#isAdvancing) return;
    this.#isAdvancing = true;
    clearTimeout(this.#retry);
    try {
      const next = this.#ahead.take() ?? (await this.#fetchNext());
      if (next) this.#show(next);
    } finally {
      this.#isAdvancing = false;
    }
  }

  /** Ends the square with this outcome. */
  finish(outcome: Outcome): Promise<void> {
    const work = this.#finish(outcome);
    this.#finishing = work;
    return work;
  }

  async #finish(outcome: Outcome): Promise<void> {
    const square = store.square.value;
    const isJudgement = outcome === "tagged" || outcome === "nothing";
    if (!square || this.#isFinishing || store.block.value || (isJudgement && !this.canJudge())) return;
    this.#isFinishing = true;
    try {
      await this.#letGo();
      const look = square.toLook(outcome);
      this.#recent.add(look.cell);
      setTimeout(() => this.#recent.delete(look.cell), RECENT_MS);
      await this.#outbox.keep({ id: look.id, campaign: this.slug, look, due: Date.now() + UNDO_MS });
      this.#held = { square, outcome, timer: setTimeout(() => void this.#letGo(), UNDO_MS) };
      this.#count(square, outcome, 1);
      await this.recount();
      void this.#sender.kick();
      store.square.value = null;
      await this.advance();
    } finally {
      this.#isFinishing = false;
      this.#refreshUndo();
    }
  }

  /** False in the first moment of a square, when a press was meant for the one before. */
  canJudge(): boolean {
    return store.isReady.value && performance.now() - this.#shownAt >= GUARD_MS;
  }

  /** A new state of the square's tags. */
  edit(tags: readonly store.DraftTag[], merge: string | null = null): void {
    store.square.value?.history.push(tags, merge);
    this.#refresh();
  }

  async undo(): Promise<void> {
    if (store.square.value?.history.undo()) {
      this.#refresh();
      store.announcement.value = say("said_undone");
      return;
    }
    await this.#back();
  }

  redo(): void {
    if (!store.square.value?.history.redo()) return;
    this.#refresh();
    store.announcement.value = say("said_redone");
  }

  /** Tries again what waits: the image, the next square, the unsent looks. */
  async tryNow(): Promise<void> {
    void this.#sender.kick();
    if (store.block.value) await this.advance();
    else void this.#ahead.refill();
  }

  async reloadImage(): Promise<void> {
    await store.square.value?.plate.load();
  }

  async dismiss(id: string): Promise<void> {
    await this.#outbox.acknowledge(id);
    await this.recount();
  }

  /** The page goes away, perhaps for good: sends what it can without waiting for an answer. */
  leave(): void {
    // Nothing after the first pause may ever run, so the request goes out before anything is awaited.
    this.#sender.flushOnExit(this.#unsent);
    void this.#letGo();
  }

  async recount(): Promise<void> {
    this.#unsent = (await this.#outbox.all()).filter((record) => !record.refused);
    store.outboxCounts.value = await this.#outbox.counts();
    write("spotter.unsent", String(store.outboxCounts.value.waiting));
  }

  async #fetchNext(): Promise<Square | undefined> {
    let filled = await this.#ahead.fill();
    if (filled.kind === "unsent" || filled.kind === "exhausted") {
      // The server may still count the squares of unsent looks as ours: it hears of them first.
      await this.#letGo();
      await this.#sender.kick();
      filled = await this.#ahead.fill();
    }
    const square = this.#ahead.take();
    if (!square) this.#blockFor(filled);
    return square;
  }

  #blockFor(filled: Filled): void {
    if (filled.kind === "problem") {
      this.#blockForProblem(filled.problem, filled.waitMs);
      return;
    }
    if (filled.kind === "exhausted") {
      const progress = store.progress.value;
      const all = progress !== null && progress.cells > 0 && progress.cells_done >= progress.cells;
      store.block.value = filled.retryAfterMs !== null && !all ? { kind: "held" } : { kind: "done", all };
      void this.#pollProgress();
    }
    const wait = filled.kind === "exhausted" ? Math.max(5000, filled.retryAfterMs ?? EXHAUSTED_EVERY_MS) : 3000;
    this.#retry = setTimeout(() => void this.advance(), wait);
  }

  #blockForProblem(problem: Problem, backoff: number): void {
    const wait = problem.isOffline ? Math.min(backoff, OFFLINE_EVERY_MS) : backoff;
    store.block.value = blockOf(problem, Date.now() + wait);
    const isSettled = ["paused", "not_started", "closed"].includes(store.block.value.kind);
    this.#retry = setTimeout(() => void this.advance(), isSettled ? Math.max(wait, PAUSED_EVERY_MS) : wait);
  }

  #show(square: Square): void {
    square.number ||= store.mine.value.looks + 1;
    store.hasLooked.value = true;
    store.block.value = null;
    store.chosenTag.value = null;
    store.square.value = square;
    void square.plate.begin();
    this.#refresh();
  }

  /** Keeps the image's state of the current square, and starts its time when it can be seen whole. */
  #followImages(): void {
    let slow: ReturnType<typeof setTimeout> | undefined;
    effect(() => {
      const square = store.square.value;
      const state = square?.plate.state.value ?? "loading";
      clearTimeout(slow);
      store.plateState.value = state;
      if (state !== "loading") store.isSlow.value = false;
      else slow = setTimeout(() => (store.isSlow.value = true), SLOW_MS);
      if (!square || state !== "ready") return;
      this.#ahead.warm();
      this.#shownAt = performance.now();
      square.startedAt ??= new Date().toISOString();
      store.announcement.value = say("said_ready", { n: square.number });
    });
  }

  async #back(): Promise<void> {
    // Undo may be quicker than the next square.
    await this.#finishing;
    const held = this.#held;
    if (!held || this.#isFinishing || store.block.value) return;
    this.#isFinishing = true;
    try {
      clearTimeout(held.timer);
      this.#held = null;
      if (!(await this.#outbox.takeBack(held.square.lookId))) return;
      this.#recent.delete(held.square.assignment.cell);
      this.#count(held.square, held.outcome, -1);
      await this.recount();
      if (store.square.value) this.#ahead.putBack(store.square.value);
      this.#show(held.square);
      store.announcement.value = say("said_back", { n: held.square.number });
    } finally {
      this.#isFinishing = false;
      this.#refreshUndo();
    }
  }

  /** The previous look may be sent now. */
  async #letGo(): Promise<void> {
    const held = this.#held;
    if (!held) return;
    clearTimeout(held.timer);
    this.#held = null;
    this.#refreshUndo();
    await this.#outbox.release(held.square.lookId);
    void this.#sender.kick();
  }

  async #isTaken(cell: string): Promise<boolean> {
    if (store.square.value?.assignment.cell === cell || this.#recent.has(cell)) return true;
    return (await this.#outbox.all()).some((record) => record.look.cell === cell && !record.refused);
  }

  async #settled(created: number): Promise<void> {
    await this.recount();
    if (created) store.announcement.value = say("said_saved", { n: store.mine.value.looks });
  }

  #count(square: Square, outcome: Outcome, sign: 1 | -1): void {
    const seen = outcome === "tagged" || outcome === "nothing";
    const tags = outcome === "tagged" ? square.history.now.length : 0;
    addToMine(this.#campaign.id, { looks: sign, tags: sign * tags, km2: seen ? sign * cellAreaKm2(square.cell) : 0 });
    const { looks } = store.mine.value;
    if (sign > 0 && THANKS_AT.includes(looks)) store.notify(say("pill_thanks", { n: looks }));
  }

  #refresh(): void {
    const tags = store.square.value?.history.now ?? [];
    store.tags.value = tags;
    if (store.chosenTag.value && !tags.some((tag) => tag.id === store.chosenTag.value)) store.chosenTag.value = null;
    this.#refreshUndo();
  }

  #refreshUndo(): void {
    store.canUndo.value =
      (store.square.value?.history.canUndo ?? false) || (this.#held !== null && store.block.value === null);
  }

  async #pollProgress(): Promise<void> {
    if (document.visibilityState === "visible") {
      const progress = await call<Progress>(`${this.path}/progress`).catch(() => null);
      if (progress) store.progress.value = progress;
    }
    clearTimeout(this.#progressTimer);
    this.#progressTimer = setTimeout(() => void this.#pollProgress(), PROGRESS_EVERY_MS * (0.75 + Math.random() / 2));
  }
}

/** The card for a problem. */
export function blockOf(problem: Problem, until: number): store.Block {
  const { code, message, detail, request_id } = problem.body;
  if (problem.isOffline) return { kind: "offline", until };
  if (problem.status === 404) return { kind: "missing" };
  if (code === "campaign_paused") return { kind: "paused", message: message ?? detail ?? null };
  if (code === "campaign_closed") return { kind: "closed" };
  if (code === "campaign_not_started") return { kind: "not_started" };
  if (problem.status === 503 || problem.status === 429) return { kind: "busy", until };
  return { kind: "trouble", until, request_id };
}
