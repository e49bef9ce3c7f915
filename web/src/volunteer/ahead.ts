/**
 * The squares that come next, their images loading already.
 *
 * Invariant: a square is in here or on the screen at most once, and never while its look waits to be sent.
 */
import { backoffMs, type Problem } from "../shared/api.ts";
import type { Assignment, Assignments, Imagery } from "../shared/contract.ts";
import { Square } from "./square.ts";
import { callAsVolunteer } from "./volunteer.ts";

const AHEAD = 2;
const AHEAD_SAVING_DATA = 1;
const AHEAD_AFTER_OFFLINE = 10;

export type Filled =
  | { kind: "squares" }
  /** Only squares came whose looks are still here: these must be sent first. */
  | { kind: "unsent" }
  | { kind: "exhausted"; retryAfterMs: number | null }
  | { kind: "problem"; problem: Problem; waitMs: number };

interface Surroundings {
  path: string;
  imagery: Imagery;
  cellPx(): number;
  /** Cells on the screen or in the outbox. */
  isTaken(cell: string): Promise<boolean>;
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

  take(): Square | undefined {
    const square = this.#queue.shift();
    void this.refill();
    return square;
  }

  /** Puts a square back in front, after undo went to the one before it. */
  putBack(square: Square): void {
    this.#queue.unshift(square);
  }

  /** Remembers that the network was lost once: more squares are loaded from now on. */
  expectOutages(): void {
    this.#wasOffline = true;
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
    if (this.#wasOffline) return AHEAD_AFTER_OFFLINE;
    const connection = (navigator as Navigator & { connection?: { saveData?: boolean } }).connection;
    return connection?.saveData ? AHEAD_SAVING_DATA : AHEAD;
  }

  async #ask(): Promise<Filled> {
    const count = Math.max(1, this.#wanted() - this.#queue.length);
    try {
      const answer = await callAsVolunteer<Assignments>(`${this.#around.path}/assignments`, {
        method: "POST",
        body: { count },
      });
      this.#attempt = 0;
      return await this.#accept(answer);
    } catch (error) {
      const problem = error as Problem;
      if (problem.isOffline) this.#wasOffline = true;
      const waitMs = backoffMs(this.#attempt++, problem.retryAfterMs);
      this.#notBefore = Date.now() + waitMs;
      return { kind: "problem", problem, waitMs };
    }
  }

  async #accept(answer: Assignments): Promise<Filled> {
    const retryAfterMs = answer.retry_after_seconds === null ? null : answer.retry_after_seconds * 1000;
    if (answer.assignments.length === 0) {
      this.#notBefore = Date.now() + (retryAfterMs ?? 10_000);
      return { kind: "exhausted", retryAfterMs };
    }
    let added = 0;
    for (const assignment of answer.assignments) {
      if (await this.#isNew(assignment)) {
        this.#queue.push(new Square(assignment, this.#around.imagery, this.#around.cellPx()));
        added += 1;
      }
    }
    void this.#warmAll();
    return this.#queue.length || added ? { kind: "squares" } : { kind: "unsent" };
  }

  async #isNew({ cell }: Assignment): Promise<boolean> {
    return !this.#queue.some((square) => square.assignment.cell === cell) && !(await this.#around.isTaken(cell));
  }
}
