/**
 * The looks that were finished here and that the server has not acknowledged yet.
 *
 * Invariant: a look leaves the outbox only when the server has it, when its volunteer takes it back before it
 * became due, or when its volunteer dismisses a refused one. Records are not bound to a token.
 */
import type { NewLook } from "../shared/contract.ts";
import { OUTBOX, openDatabase, readAll, write } from "./database.ts";

export interface Kept {
  id: string;
  /** Slug of the campaign, as in the address of the page. */
  campaign: string;
  look: NewLook;
  /** Until this moment (ms) the look waits for a possible undo and is not sent. */
  due: number;
  refused?: { why: string; request_id?: string };
  /** The pack that its square came from: then it is synced, and not sent with the others. */
  pack?: string;
}

export interface Counts {
  waiting: number;
  /** Those that wait, oldest first. */
  unsent: Kept[];
  refused: Kept[];
  /** Looks that the device could not store; they live in this tab only. */
  only_here: number;
}

const byAge = (a: Kept, b: Kept) => (a.look.finished_at < b.look.finished_at ? -1 : 1);

export class Outbox {
  readonly #database: IDBDatabase | null;
  /** What the database would not take: no IndexedDB, or a full disk. */
  readonly #overflow = new Map<string, Kept>();

  constructor(database: IDBDatabase | null) {
    this.#database = database;
  }

  static async open(name?: string): Promise<Outbox> {
    return new Outbox(await openDatabase(name));
  }

  /** False where nothing can be stored, as in some private windows. */
  get isDurable(): boolean {
    return this.#database !== null;
  }

  async keep(record: Kept): Promise<void> {
    try {
      await this.#write((store) => store.put(record));
    } catch {
      this.#overflow.set(record.id, record);
      return;
    }
    await this.#rescue();
  }

  /** Takes a look back for undo; false when it became due meanwhile. */
  async takeBack(id: string, now = Date.now()): Promise<boolean> {
    const here = this.#overflow.get(id);
    if (here) return here.due > now && this.#overflow.delete(id);
    let taken = false;
    await this.#write((store) => {
      const request = store.get(id) as IDBRequest<Kept | undefined>;
      request.onsuccess = () => {
        taken = request.result !== undefined && request.result.due > now;
        if (taken) store.delete(id);
      };
    }).catch(() => {});
    return taken;
  }

  /** Ends the time for undo: the look may be sent. */
  async release(id: string): Promise<void> {
    await this.#change(id, (record) => ({ ...record, due: 0 }));
  }

  /** Up to `limit` looks that may be sent now, oldest first, all of one campaign, and all of packs or none. */
  async due(limit: number, now = Date.now()): Promise<Kept[]> {
    const ready = (await this.all()).filter((record) => !record.refused && record.due <= now);
    const [first] = ready;
    const goesWith = ({ campaign, pack }: Kept) => campaign === first?.campaign && !pack === !first?.pack;
    return ready.filter(goesWith).slice(0, limit);
  }

  /** When the next look becomes due, or null. */
  async nextDue(): Promise<number | null> {
    const times = (await this.all()).filter((record) => !record.refused).map((record) => record.due);
    return times.length ? Math.min(...times) : null;
  }

  async acknowledge(id: string): Promise<void> {
    this.#overflow.delete(id);
    await this.#write((store) => store.delete(id)).catch(() => {});
  }

  async refuse(id: string, refused: NonNullable<Kept["refused"]>): Promise<void> {
    await this.#change(id, (record) => ({ ...record, refused }));
  }

  async counts(): Promise<Counts> {
    const records = await this.all();
    const unsent = records.filter((record) => !record.refused);
    return {
      waiting: unsent.length,
      unsent,
      refused: records.filter((record) => record.refused),
      only_here: this.#database ? this.#overflow.size : 0,
    };
  }

  /** Everything kept, oldest first. */
  async all(): Promise<Kept[]> {
    const stored = await readAll<Kept>(this.#database, OUTBOX);
    return [...stored, ...this.#overflow.values()].sort(byAge);
  }

  async #change(id: string, change: (record: Kept) => Kept): Promise<void> {
    const here = this.#overflow.get(id);
    if (here) {
      this.#overflow.set(id, change(here));
      return;
    }
    await this.#write((store) => {
      const request = store.get(id) as IDBRequest<Kept | undefined>;
      request.onsuccess = () => {
        if (request.result) store.put(change(request.result));
      };
    }).catch(() => {});
  }

  /** There is room again: what was only in this tab is stored too. */
  async #rescue(): Promise<void> {
    for (const record of [...this.#overflow.values()]) {
      try {
        await this.#write((store) => store.put(record));
        this.#overflow.delete(record.id);
      } catch {
        return;
      }
    }
  }

  #write(work: (store: IDBObjectStore) => void): Promise<void> {
    return write(this.#database, OUTBOX, work);
  }
}
