/**
 * When the live page asks the server: every task in its own rhythm while somebody sees the page.
 *
 * Invariant: a task never runs twice at the same time; nothing begins while the page is hidden or after `stop`;
 * after a failure the wait doubles, and a `Retry-After` holds all tasks back.
 */
import { backoffMs, Problem } from "../../shared/api.ts";

/** The wait stops doubling here (about 40 s): somebody watches and waits for the server. */
const MOST_DOUBLINGS = 5;

export interface Task {
  everyMs: number;
  /** Does the work once. `isCurrent` turns false when the answer is not wanted any more. */
  run: (isCurrent: () => boolean) => Promise<void>;
  /** Told when the next try comes after a failure, and null after a success. */
  onRetry?: (at: number | null) => void;
}

interface Slot {
  task: Task;
  dueAt: number;
  failures: number;
  isRunning: boolean;
  /** Asked for again while it ran. */
  isAgain: boolean;
  timer: ReturnType<typeof setTimeout> | undefined;
}

export class Poller {
  readonly #slots: Slot[];
  #isVisible = false;
  #isStopped = false;
  #quietUntil = 0;

  constructor(tasks: readonly Task[]) {
    this.#slots = tasks.map((task) => ({
      task,
      dueAt: 0,
      failures: 0,
      isRunning: false,
      isAgain: false,
      timer: undefined,
    }));
  }

  /** Begins or goes on when the page is seen, and rests when it is not. */
  show(isVisible: boolean): void {
    this.#isVisible = isVisible;
    for (const slot of this.#slots) this.#arm(slot);
  }

  /** Runs a task at once, also when it waits after a failure; once more when it is running. */
  soon(task: Task): void {
    const slot = this.#slots.find((candidate) => candidate.task === task);
    if (!slot) return;
    slot.isAgain = slot.isRunning;
    slot.dueAt = 0;
    this.#arm(slot);
  }

  /** All of them, as after the network has come back. */
  allSoon(): void {
    this.#quietUntil = 0;
    for (const { task } of this.#slots) this.soon(task);
  }

  stop(): void {
    this.#isStopped = true;
    for (const slot of this.#slots) clearTimeout(slot.timer);
  }

  #arm(slot: Slot): void {
    clearTimeout(slot.timer);
    if (!this.#isVisible || this.#isStopped || slot.isRunning) return;
    slot.timer = setTimeout(() => void this.#run(slot), Math.max(0, slot.dueAt - Date.now()));
  }

  async #run(slot: Slot): Promise<void> {
    const quiet = this.#quietUntil - Date.now();
    if (quiet > 0) {
      slot.dueAt = this.#quietUntil;
      this.#arm(slot);
      return;
    }
    slot.isRunning = true;
    try {
      await slot.task.run(() => !this.#isStopped);
      slot.failures = 0;
      slot.dueAt = Date.now() + slot.task.everyMs;
      if (!this.#isStopped) slot.task.onRetry?.(null);
    } catch (error) {
      slot.dueAt = Date.now() + this.#waitAfter(slot, error);
      if (!this.#isStopped) slot.task.onRetry?.(slot.dueAt);
    }
    slot.isRunning = false;
    if (slot.isAgain) slot.dueAt = 0;
    slot.isAgain = false;
    this.#arm(slot);
  }

  #waitAfter(slot: Slot, error: unknown): number {
    const retryAfter = error instanceof Problem ? error.retryAfterMs : null;
    if (retryAfter !== null) this.#quietUntil = Date.now() + retryAfter;
    const wait = backoffMs(Math.min(slot.failures, MOST_DOUBLINGS), retryAfter);
    slot.failures += 1;
    return Math.max(slot.task.everyMs, wait);
  }
}
