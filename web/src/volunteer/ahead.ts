/**
 * The squares that come next, their images loading already.
 *
 * Invariant: a square is in here or on the screen at most once, and never while its look waits to be sent.
 */
import { backoffMs, type Problem } from "../shared/api.ts";
import type { Assignment, Assignments, Imagery } from "../shared/contract.ts";
import { type OtherSearch, worthOffering } from "./others.ts";
import type { KeptSquare } from "./slot.ts";
import { Square } from "./square.ts";

const AHEAD = 2;
const AHEAD_SAVING_DATA = 1;
const AHEAD_AFTER_OFFLINE = 10;
const EXHAUSTED_PAUSE_MS = 10_000;

export type Filled =
  | { kind: "squares" }
  /** Only squares came whose looks are still here: these must be sent first. */
  | { kind: "unsent" }
  | { kind: "exhausted"; retryAfterMs: number | null; others: OtherSearch[] }
  | { kind: "problem"; problem: Problem; waitMs: number };

interface Surroundings {
  /** The campaign's; a square may have its own. */
  imagery: Imagery;
  cellPx(): number;
  /** Asks the server for so many squares. */
  deal(count: number): Promise<Assignments>;
  /** Those of these cells that are on a screen, ahead in another tab, or in the outbox. */
  taken(cells: readonly string[]): Promise<Set<string>>;
  /** The squares in here are others now. */
  onChange(): void;
}

/** How many squares are worth having ahead. */
export function wantedAhead(wasOffline: boolean, savesData: boolean): number {
  if (wasOffline) return AHEAD_AFTER_OFFLINE;
  return savesData ? AHEAD_SAVING_DATA : AHEAD;
}

function savesData(): boolean {
  const { connection } = navigator as Navigator & { connection?: { saveData?: boolean } };
  return connection?.saveData === true;
}

export class Ahead {
  readonly #queue: Square[] = [];
  readonly #around: Surroundings;
  #filling: Promise<Filled> | null = null;
  #attempt = 0;
  #wasOffline = false;
  #notBefore = 0;
  #isWarming = false;
  /** False until the first square is whole: its images go first. */
  #mayWarm = false;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** The next square; one whose images did not come waits behind the others, and for the network. */
  take(): Square | undefined {
    const whole = this.#queue.findIndex(({ plate }) => plate.state.peek() !== "failed");
    const index = whole < 0 && navigator.onLine ? 0 : whole;
    const square = index < 0 ? undefined : this.#queue.splice(index, 1)[0];
    if (square) this.#around.onChange();
    void this.refill();
    return square;
  }

  /** Puts a square back in front, after undo went to the one before it. */
  putBack(square: Square): void {
    this.#queue.unshift(square);
    this.#around.onChange();
  }

  /** Remembers that the network was lost once: more squares are loaded from now on. */
  expectOutages(): void {
    this.#wasOffline = true;
  }

  get isEmpty(): boolean {
    return this.#queue.length === 0;
  }

  toKeep(): KeptSquare[] {
    return this.#queue.map((square) => square.toKeep());
  }

  /** Takes in what an earlier page of this tab had. */
  async resume(kept: readonly KeptSquare[]): Promise<void> {
    await this.#add(
      kept,
      (square) => new Square(square.assignment, this.#around.imagery, this.#around.cellPx(), square),
    );
  }

  /** Takes note that there were no squares, and when to ask again. */
  refuse(problem: Problem): Filled {
    if (problem.isOffline) this.#wasOffline = true;
    const waitMs = backoffMs(this.#attempt++, problem.retryAfterMs);
    this.#notBefore = Date.now() + waitMs;
    return { kind: "problem", problem, waitMs };
  }

  async adopt(answer: Assignments): Promise<Filled> {
    return this.#accept(answer);
  }

  /** Loads the images of the squares in here, the next one first, now that nothing more urgent is loading. */
  warm(): void {
    this.#mayWarm = true;
    void this.#warmAll();
  }

  /** Asks for more in the background, when there is room and no answer said to wait. */
  async refill(): Promise<void> {
    if (this.#queue.length < this.#wanted() && Date.now() >= this.#notBefore) await this.fill();
  }

  /** The network is back: what it did not bring is asked for at once. */
  async refresh(): Promise<void> {
    this.#notBefore = 0;
    for (const { plate } of this.#queue) if (plate.state.peek() === "failed") void plate.load();
    await this.refill();
  }

  /** Asks for squares now. */
  fill(): Promise<Filled> {
    this.#filling ??= this.#ask().finally(() => (this.#filling = null));
    return this.#filling;
  }

  async #warmAll(): Promise<void> {
    if (this.#isWarming || !this.#mayWarm) return;
    this.#isWarming = true;
    const warmed = new Set<Square>();
    for (let next = this.#queue[0]; next; next = this.#queue.find((square) => !warmed.has(square))) {
      warmed.add(next);
      await next.plate.begin();
    }
    this.#isWarming = false;
  }

  #wanted(): number {
    return wantedAhead(this.#wasOffline, savesData());
  }

  async #ask(): Promise<Filled> {
    try {
      const answer = await this.#around.deal(Math.max(1, this.#wanted() - this.#queue.length));
      this.#attempt = 0;
      return await this.#accept(answer);
    } catch (error) {
      return this.refuse(error as Problem);
    }
  }

  async #accept(answer: Assignments): Promise<Filled> {
    const retryAfterMs = answer.retry_after_seconds === null ? null : answer.retry_after_seconds * 1000;
    if (answer.assignments.length === 0) {
      this.#notBefore = Date.now() + (retryAfterMs ?? EXHAUSTED_PAUSE_MS);
      return { kind: "exhausted", retryAfterMs, others: worthOffering(answer.other_campaigns) };
    }
    const dealt = answer.assignments.map((assignment) => ({ assignment }));
    await this.#add(dealt, ({ assignment }) => new Square(assignment, this.#around.imagery, this.#around.cellPx()));
    return this.#queue.length ? { kind: "squares" } : { kind: "unsent" };
  }

  async #add<T extends { assignment: Assignment }>(list: readonly T[], make: (one: T) => Square): Promise<void> {
    const taken = await this.#around.taken(list.map(({ assignment }) => assignment.cell));
    for (const one of list) {
      const { cell } = one.assignment;
      if (taken.has(cell) || this.#queue.some((square) => square.assignment.cell === cell)) continue;
      this.#queue.push(make(one));
    }
    this.#around.onChange();
    void this.#warmAll();
  }
}
