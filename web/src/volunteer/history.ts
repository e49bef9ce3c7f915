/** Undo and redo of one square's tags, as whole states; states are never changed in place. */

export class History<S> {
  readonly #past: S[] = [];
  #future: S[] = [];
  #now: S;
  #lastMerge: string | null = null;

  constructor(first: S) {
    this.#now = first;
  }

  get now(): S {
    return this.#now;
  }

  get canUndo(): boolean {
    return this.#past.length > 0;
  }

  get canRedo(): boolean {
    return this.#future.length > 0;
  }

  /** A new state. Changes with the same `merge` key in a row, such as a tag moved step by step, are one undo. */
  push(state: S, merge: string | null = null): void {
    if (merge === null || merge !== this.#lastMerge) this.#past.push(this.#now);
    this.#lastMerge = merge;
    this.#now = state;
    this.#future = [];
  }

  /** Ends a run of merged changes. */
  settle(): void {
    this.#lastMerge = null;
  }

  undo(): boolean {
    return this.#step(this.#past, this.#future);
  }

  redo(): boolean {
    return this.#step(this.#future, this.#past);
  }

  #step(from: S[], to: S[]): boolean {
    const state = from.pop();
    if (state === undefined) return false;
    to.push(this.#now);
    this.#now = state;
    this.#lastMerge = null;
    return true;
  }
}
