/**
 * This device's own looks, for "My looks": what was answered and when, newest first.
 *
 * Invariant: bounded; it is for the reader only, so nothing depends on it and a failure to store is no trouble.
 */
import type { Assignment, Imagery, NewLook, Outcome } from "../shared/contract.ts";
import { LOG, readAll, write } from "./database.ts";
import type { Standing } from "./receipts.ts";

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
  /** The pack that its square came from, and then how it was stored, once that is known. */
  pack?: string;
  standing?: Standing;
}

/** What is needed to show a look's square again. */
const pictureOf = ({ tiles, min_zoom, max_zoom }: Imagery) => ({ tiles, min_zoom, max_zoom });

export function toLog(campaign: string, { imagery, pack }: Assignment, look: NewLook): Logged {
  const { id, cell, outcome, tags, finished_at: at } = look;
  const seenOn = imagery ? { imagery: pictureOf(imagery) } : {};
  return { id, campaign, cell, outcome, tags: tags.length, at, ...seenOn, ...(pack && { pack }) };
}

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

  /** Notes how looks were stored; gives the ids of those of which that was not known. */
  async note(standings: ReadonlyMap<string, Standing>): Promise<string[]> {
    const noted: string[] = [];
    await this.#write((store) => {
      for (const [id, standing] of standings) {
        const request = store.get(id) as IDBRequest<Logged | undefined>;
        request.onsuccess = () => {
          const look = request.result;
          if (!look || look.standing) return;
          store.put({ ...look, standing });
          noted.push(id);
        };
      }
    }).catch(() => {});
    return noted;
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
