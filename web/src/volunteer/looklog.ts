/**
 * This device's own looks, for "My looks": what was answered and when, newest first.
 *
 * Invariant: bounded; it is for the reader only, so nothing depends on it and a failure to store is no trouble.
 */
import type { Imagery, Outcome } from "../shared/contract.ts";
import { LOG, readAll, write } from "./database.ts";

export interface Logged {
  /** The look's id; of version 7, so ids sort by time. */
  id: string;
  campaign: string;
  cell: string;
  outcome: Outcome;
  tags: number;
  at: string;
  /** What it was seen on, when that was not the campaign's imagery. */
  imagery?: Pick<Imagery, "tiles" | "min_zoom" | "max_zoom">;
}

/** What is needed to show a look's square again. */
export const pictureOf = ({ tiles, min_zoom, max_zoom }: Imagery) => ({ tiles, min_zoom, max_zoom });

const MOST = 500;
/** Pruning reads the keys, so it is not done each time. */
const PRUNE_EVERY = 50;

export class LookLog {
  readonly #database: IDBDatabase | null;
  readonly #most: number;
  /** Where nothing can be stored. */
  #here: Logged[] = [];
  #added = 0;

  constructor(database: IDBDatabase | null, most = MOST) {
    this.#database = database;
    this.#most = most;
  }

  async add(record: Logged): Promise<void> {
    await this.#write((store) => store.put(record)).catch(() => {
      this.#here = [...this.#here, record].slice(-this.#most);
    });
    if (this.#added++ % PRUNE_EVERY === 0) await this.#prune();
  }

  async remove(id: string): Promise<void> {
    this.#here = this.#here.filter((record) => record.id !== id);
    await this.#write((store) => store.delete(id)).catch(() => {});
  }

  /** The looks in one campaign, newest first. */
  async of(campaign: string): Promise<Logged[]> {
    const stored = await readAll<Logged>(this.#database, LOG);
    return [...stored, ...this.#here]
      .filter((record) => record.campaign === campaign)
      .sort((a, b) => (a.id < b.id ? 1 : -1));
  }

  async #prune(): Promise<void> {
    await this.#write((store) => {
      const request = store.getAllKeys();
      request.onsuccess = () => {
        for (const key of request.result.slice(0, Math.max(0, request.result.length - this.#most))) store.delete(key);
      };
    }).catch(() => {});
  }

  #write(work: (store: IDBObjectStore) => void): Promise<void> {
    return write(this.#database, LOG, work, "relaxed");
  }
}
