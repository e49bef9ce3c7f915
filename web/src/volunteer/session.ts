/**
 * The course of a visit: square after square, each finished look safe before the next square appears.
 *
 * Invariant: one square is on the screen at a time; its tags, and the squares ahead, are in this tab's slot.
 */
import { batch, effect } from "@preact/signals";
import { Problem, toProblem } from "../shared/api.ts";
import type { Assignments, Campaign, Outcome } from "../shared/contract.ts";
import { cellAreaKm2 } from "../shared/tiles.ts";
import { Ahead, type Filled } from "./ahead.ts";
import { exhaustedHalt, type Halt, haltOf } from "./blocks.ts";
import type { Draft } from "./draft.ts";
import { isByOperators } from "./hold.ts";
import { say } from "./language.ts";
import { type LookLog, toLog } from "./looklog.ts";
import { maintained } from "./maintained.ts";
import type { Kept, Outbox } from "./outbox.ts";
import { type Finished, Previous, UNDO_MS } from "./previous.ts";
import { addToMine, write } from "./remember.ts";
import type { Sender, SenderEvents } from "./sender.ts";
import type { KeptSquare } from "./slot.ts";
import type { Slot } from "./slots.ts";
import type { Square } from "./square.ts";
import * as store from "./store.ts";

const GUARD_MS = 250;
const SLOW_MS = 300;
const RECENT_MS = 10_000;
const UNSENT_WAIT_MS = 3000;
const THANKS_AT = [10, 50, 100, 500];

export interface Parts {
  slug: string;
  campaign: Campaign;
  outbox: Outbox;
  log: LookLog;
  /** Null where nothing is kept over a reload. */
  slot: Slot | null;
  cellPx(): number;
  deal(count: number): Promise<Assignments>;
  sender(events: SenderEvents): Pick<Sender, "kick" | "flushOnExit">;
  onAnswered?(cell: string): void;
  /** True where a square may come again at once: in a try-out. */
  mayRepeat?: boolean;
  /** The crowd's numbers are wanted now. */
  askProgress(): void;
}

export class Session {
  readonly slug: string;
  readonly #parts: Parts;
  readonly #outbox: Outbox;
  readonly #sender: Pick<Sender, "kick" | "flushOnExit">;
  readonly #ahead: Ahead;
  readonly #previous: Previous;
  /** What would be lost from sight if the page went away now. */
  #unsent: Kept[] = [];
  /** What undo has just taken back, until something else is done. */
  #undone: Finished | null = null;
  #shownAt = 0;
  #isFinishing = false;
  #finishing: Promise<void> = Promise.resolve();
  #isAdvancing = false;
  #keeping: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  /** Cells that were finished, until when an answer that was under way may still offer them. */
  readonly #answered = new Map<string, number>();

  constructor(parts: Parts) {
    this.#parts = parts;
    this.slug = parts.slug;
    this.#outbox = parts.outbox;
    this.#sender = parts.sender({
      onState: (state) => this.#followSending(state),
      onSettled: (created) => void this.#settled(created),
    });
    this.#previous = new Previous(parts.outbox, () => {
      this.#refreshUndo();
      void this.#sender.kick();
    });
    this.#ahead = new Ahead({
      imagery: parts.campaign.imagery,
      cellPx: parts.cellPx,
      deal: parts.deal,
      taken: (cells) => this.#taken(cells),
      onChange: () => this.#keep(),
    });
    this.#followImages();
  }

  /** Begins with the squares of before, and those that the boot script asked for, if they came. */
  async start(before: readonly KeptSquare[], first: Promise<Assignments | null>): Promise<void> {
    await this.recount();
    void this.#sender.kick();
    this.#parts.askProgress();
    if (before.length > 0) await this.#ahead.resume(before);
    let refused: Filled | null = null;
    const answer = await first.catch(async (failure) => {
      const { status, body, waitLeftMs } = await toProblem(failure);
      // A server that asks for patience is not asked again at once.
      if (waitLeftMs > 0) refused = this.#ahead.refuse(new Problem(status, body, waitLeftMs));
      return null;
    });
    if (answer && answer.assignments.length > 0) await this.#ahead.adopt(answer);
    if (refused && this.#ahead.isEmpty) this.#halt(refused);
    else await this.advance();
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
    const isJudgement = outcome === "tagged" || outcome === "nothing";
    if (isJudgement && (!this.canJudge() || store.drawing.value)) return this.#finishing;
    this.#finishing = this.#finish(outcome);
    return this.#finishing;
  }

  async #finish(outcome: Outcome): Promise<void> {
    const square = store.square.value;
    if (!square || this.#isFinishing || store.block.value) return;
    this.#isFinishing = true;
    try {
      const look = square.toLook(outcome);
      this.#answered.set(look.cell, Number.POSITIVE_INFINITY);
      const [due, { pack }] = [Date.now() + UNDO_MS, square.assignment];
      await this.#outbox.keep({ id: look.id, campaign: this.slug, look, due, ...(pack && { pack }) });
      this.#parts.onAnswered?.(look.cell);
      void this.#previous.letGo();
      this.#previous.hold({ square, outcome });
      this.#undone = null;
      this.#count(square, outcome, 1);
      store.square.value = null;
      const next = this.advance();
      void this.recount();
      void this.#parts.log.add(toLog(this.slug, square.assignment, look));
      void this.#sender.kick();
      await next;
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
  edit(change: Partial<Draft>, merge: string | null = null): void {
    const square = store.square.value;
    if (!square) return;
    square.history.push({ ...square.history.now, ...change }, merge);
    this.#undone = null;
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

  /** Does again what was taken back; at last the answer to the whole square. */
  async redo(): Promise<void> {
    const square = store.square.value;
    if (square?.history.redo()) this.#refresh();
    else if (square && this.#undone?.square === square) await this.#finish(this.#undone.outcome);
    else return;
    store.announcement.value = say("said_redone");
  }

  /** Tries again what waits: the image, the next square, the unsent looks. */
  async tryNow(): Promise<void> {
    void this.#sender.kick(true);
    await this.#ahead.refresh();
    if (!store.block.value) return;
    if (store.square.value) await this.#showAgain(store.square.value);
    else await this.advance();
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
    this.#keepNow();
    void this.#previous.letGo();
  }

  async recount(): Promise<void> {
    const counts = await this.#outbox.counts();
    this.#forgetSent(counts.unsent);
    this.#unsent = counts.unsent;
    store.outboxCounts.value = counts;
    write("spotter.unsent", String(counts.waiting));
  }

  /** Squares whose looks have left the outbox are remembered for a while longer. */
  #forgetSent(unsent: readonly Kept[]): void {
    const here = new Set(unsent.map(({ look }) => look.cell));
    const now = Date.now();
    for (const { look } of this.#unsent)
      if (!here.has(look.cell) && this.#answered.has(look.cell)) this.#answered.set(look.cell, now + RECENT_MS);
    for (const [cell, until] of this.#answered) if (until <= now) this.#answered.delete(cell);
  }

  async #fetchNext(): Promise<Square | undefined> {
    let filled = await this.#ahead.fill();
    const isWithoutSquare = filled.kind === "unsent" || filled.kind === "exhausted";
    if (isWithoutSquare && !this.#previous.isHere) {
      // The server may still count the squares of unsent looks as ours: it hears of them first.
      await this.#sender.kick();
      filled = await this.#ahead.fill();
    }
    const square = this.#ahead.take();
    if (!square) this.#halt(filled);
    // The operators ended what the looks waited for.
    const sending = store.sendState.peek();
    if (square && sending.kind === "waiting" && isByOperators(sending.reason)) void this.#sender.kick(true);
    return square;
  }

  #halt(filled: Filled): void {
    const { block, waitMs } = this.#haltFor(filled);
    // Undo stays possible on the card, so the server is told of the last look, and asked again, only then.
    const wait = this.#previous.isHere ? Math.min(waitMs, UNDO_MS + 250) : waitMs;
    store.block.value = block;
    store.others.value = filled.kind === "exhausted" ? filled.others : [];
    if (filled.kind === "exhausted") this.#parts.askProgress();
    this.#refreshUndo();
    this.#retry = setTimeout(() => void this.advance(), wait);
  }

  #haltFor(filled: Filled): Halt {
    if (filled.kind === "problem") return haltOf(filled.problem, filled.waitMs);
    if (filled.kind === "exhausted") return exhaustedHalt(store.progress.value, filled.retryAfterMs);
    return { block: { kind: "held" }, waitMs: UNSENT_WAIT_MS };
  }

  #show(square: Square): void {
    square.number ||= store.mine.value.looks + 1;
    batch(() => {
      store.hasLooked.value = true;
      store.block.value = null;
      store.chosenTag.value = null;
      store.chosenVertex.value = null;
      store.square.value = square;
      this.#refresh();
    });
    void square.plate.begin();
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
      if (square && state === "failed") void this.#explain(square);
      if (!square || state !== "ready") return;
      this.#ahead.warm();
      this.#shownAt = performance.now();
      square.startedAt ??= new Date().toISOString();
      this.#keep();
      store.announcement.value = say("said_ready", { n: square.number });
    });
  }

  /** The image did not come: perhaps the card about it is to say why. The square stays as it is. */
  async #explain(square: Square): Promise<void> {
    const halt = await maintained();
    if (store.square.peek() !== square || square.plate.state.peek() !== "failed") return;
    store.block.value = halt?.block ?? null;
    clearTimeout(this.#retry);
    if (halt) this.#retry = setTimeout(() => void this.#showAgain(square), halt.waitMs);
  }

  /** The square whose image did not come, behind a card. */
  async #showAgain(square: Square): Promise<void> {
    await square.plate.load();
    if (store.square.peek() === square && square.plate.state.peek() === "ready") store.block.value = null;
  }

  #followSending(state: store.SendState): void {
    const before = store.sendState.value;
    const isOffline = (one: store.SendState) => one.kind === "waiting" && one.reason === "offline";
    store.sendState.value = state;
    if (isOffline(state)) this.#ahead.expectOutages();
    else if (isOffline(before) && state.kind === "idle") void this.#ahead.refresh();
  }

  async #back(): Promise<void> {
    // Undo may be quicker than the next square.
    await this.#finishing;
    if (!this.#previous.isHere || this.#isFinishing) return;
    this.#isFinishing = true;
    try {
      const finished = await this.#previous.takeBack();
      if (!finished) return;
      const { square, outcome } = finished;
      clearTimeout(this.#retry);
      this.#count(square, outcome, -1);
      void this.#parts.log.remove(square.lookId);
      await this.recount();
      if (store.square.value) this.#ahead.putBack(store.square.value);
      this.#show(square);
      // Only now: an answer that arrives meanwhile may offer this square once more.
      this.#answered.delete(square.assignment.cell);
      this.#undone = finished;
      store.announcement.value = say("said_back", { n: square.number });
    } finally {
      this.#isFinishing = false;
      this.#refreshUndo();
    }
  }

  async #taken(cells: readonly string[]): Promise<Set<string>> {
    if (this.#parts.mayRepeat) return new Set();
    const unsent = new Set((await this.#outbox.all()).filter((kept) => !kept.refused).map((kept) => kept.look.cell));
    const isTaken = (cell: string) =>
      store.square.value?.assignment.cell === cell ||
      (this.#answered.get(cell) ?? 0) > Date.now() ||
      unsent.has(cell) ||
      this.#parts.slot?.isElsewhere(cell) === true;
    return new Set(cells.filter(isTaken));
  }

  async #settled(created: number): Promise<void> {
    await this.recount();
    if (created) store.announcement.value = say("said_saved", { n: store.mine.value.looks });
  }

  #count(square: Square, outcome: Outcome, sign: 1 | -1): void {
    const seen = outcome === "tagged" || outcome === "nothing";
    const tags = outcome === "tagged" ? square.history.now.tags.length : 0;
    addToMine(this.#parts.campaign.id, {
      looks: sign,
      tags: sign * tags,
      km2: seen ? sign * cellAreaKm2(square.cell) : 0,
    });
    const { looks } = store.mine.value;
    if (sign > 0 && THANKS_AT.includes(looks)) store.notify(say("pill_thanks", { n: looks }));
  }

  #refresh(): void {
    const draft = store.square.value?.history.now;
    const tags = draft?.tags ?? [];
    store.tags.value = tags;
    store.drawing.value = draft?.drawing ?? null;
    if (store.chosenTag.value && !tags.some((tag) => tag.id === store.chosenTag.value)) store.chosenTag.value = null;
    this.#refreshUndo();
    this.#keep();
  }

  #refreshUndo(): void {
    store.canUndo.value = (store.square.value?.history.canUndo ?? false) || this.#previous.isHere;
  }

  /** Keeps what is on the screen and ahead, for a reload or a crash; a moment later, so that the ring comes first. */
  #keep(): void {
    this.#keeping ??= setTimeout(() => this.#keepNow());
  }

  #keepNow(): void {
    clearTimeout(this.#keeping);
    this.#keeping = undefined;
    const square = store.square.peek();
    this.#parts.slot?.save([...(square ? [square.toKeep()] : []), ...this.#ahead.toKeep()]);
  }
}
