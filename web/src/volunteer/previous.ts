/**
 * The look that was finished last, while it can still be taken back.
 *
 * Invariant: it is in the outbox all the time; it is let go when the next one is finished, after five seconds, or
 * when the page goes away, whichever is first.
 */
import type { Outcome } from "../shared/contract.ts";
import type { Outbox } from "./outbox.ts";
import type { Square } from "./square.ts";

export const UNDO_MS = 5000;

export interface Finished {
  square: Square;
  outcome: Outcome;
}

export class Previous {
  readonly #outbox: Outbox;
  readonly #onGone: () => void;
  #held: (Finished & { timer: ReturnType<typeof setTimeout> }) | null = null;

  /** `onGone` is told when a look may be sent. */
  constructor(outbox: Outbox, onGone: () => void) {
    this.#outbox = outbox;
    this.#onGone = onGone;
  }

  get isHere(): boolean {
    return this.#held !== null;
  }

  hold(finished: Finished): void {
    this.#held = { ...finished, timer: setTimeout(() => void this.letGo(), UNDO_MS) };
  }

  async letGo(): Promise<void> {
    const held = this.#drop();
    if (!held) return;
    await this.#outbox.release(held.square.lookId);
    this.#onGone();
  }

  /** Null when it was too late. */
  async takeBack(): Promise<Finished | null> {
    const held = this.#drop();
    return held && (await this.#outbox.takeBack(held.square.lookId)) ? held : null;
  }

  #drop(): Finished | null {
    const held = this.#held;
    if (held) clearTimeout(held.timer);
    this.#held = null;
    return held;
  }
}
